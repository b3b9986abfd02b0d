"""Accuracy that is corrected by labels, of rows of which only some have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rxml.evaluation.metrics.bounds import two_sided
from rxml.evaluation.metrics.dividing import divided

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats, Mask


@dataclass(frozen=True, slots=True)
class Known:
    """The rows of the windows of some slots, (k, window): confidence, whether right, whether there, whether labelled."""

    sure: Floats
    right: Floats
    there: Mask
    labelled: Mask

    @property
    def rows(self) -> Floats:
        """How many, (k,)."""
        return np.asarray(self.there.sum(axis=1), np.float64)

    @property
    def labels(self) -> Floats:
        """How many are labelled, (k,)."""
        return np.asarray(self.labelled.sum(axis=1), np.float64)


def rectified(known: Known, level: float) -> tuple[Floats, Floats, Floats]:
    """See `Quality.rectified`."""
    rows, labels = np.maximum(known.rows, 1), np.maximum(known.labels, 1)
    share = (known.labels / rows)[:, None]
    mean, var = _moments(known.sure, known.there)
    better, _ = _moments(known.right - known.sure, known.labelled)
    # a labelled row tells by its confidence, as all do, and by what it was better by
    told, its_var = _moments(*_with_two_more(known, share))
    middle = mean - share[:, 0] * _moments(known.sure, known.labelled)[0] + told
    away = two_sided(level) * np.sqrt(
        var * (rows - labels) / rows**2 + its_var / (known.labels + 2)
    )
    value = np.clip(mean + better, 0.0, 1.0)
    enough = known.labels >= 2
    return (
        np.where(enough, value, np.nan),
        np.where(enough, np.clip(middle - away, 0.0, value), 0.0),
        np.where(enough, np.clip(middle + away, value, 1.0), 1.0),
    )


def _with_two_more(known: Known, share: Floats) -> tuple[Floats, Mask]:
    """What labelled rows tell, with a right and a wrong one of their mean confidence; and which of these there are."""
    sure = _moments(known.sure, known.labelled)[0][:, None]
    each = [(known.sure, known.right), (sure, 1.0), (sure, 0.0)]
    told = np.concatenate([right - (1 - share) * sure for sure, right in each], axis=1)
    return told, np.pad(known.labelled, ((0, 0), (0, 2)), constant_values=True)


def _moments(x: Floats, mask: Mask) -> tuple[Floats, Floats]:
    """Mean and unbiased variance of each row's masked cells; 0 where there are too few."""
    n = mask.sum(axis=1).astype(np.float64)
    mean = divided(np.where(mask, x, 0.0).sum(axis=1), n, 0.0)
    with np.errstate(under="ignore"):
        squares = np.where(mask, x - mean[:, None], 0.0) ** 2
    return mean, divided(squares.sum(axis=1), n - 1, 0.0)
