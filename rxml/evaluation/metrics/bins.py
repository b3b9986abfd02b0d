"""Probabilities and what came of them, in fine cells of [0, 1], that are joined to bins when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.cells import Added, Faded, Windowed, cells_kept
from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.labels import Labels
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.metrics.probabilities import judged
from rxml.evaluation.scores.inputs import quiet

_FEWEST: Final = 4

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats


def cell_of(p: Floats, cells: int) -> NDArray[np.intp]:
    """The cell of each probability: in the root of it, or of what is left to 1, cells are of one width.

    So they are as wide as what chance adds to a share of rows; of 256 the first ends at 3e-5.
    """
    low = p <= 0.5
    root = np.sqrt(np.where(low, p, 1 - p) / 2)
    place = np.where(low, root, 1 - root) * cells
    return np.minimum(place.astype(np.intp), cells - 1)


@dataclass(frozen=True, slots=True)
class Bins:
    """Of each slot.

    Args:
        share: of all rows, (k, bins); 0 for empty bins.
        predicted: the mean probability, (k, bins); 0 for empty bins.
        observed: how often it came, (k, bins); 0 for empty bins.
        rows: how many equal rows there are in each bin, (k, bins).
    """

    share: Floats
    predicted: Floats
    observed: Floats
    rows: Floats

    @property
    def gap(self) -> Floats:
        """How much more was predicted than came."""
        return self.predicted - self.observed

    @property
    def var(self) -> Floats:
        """Of the observed share of each bin, without bias: p (1 - p) / (n - 1); 0 for a single row."""
        return divided(self.observed * (1 - self.observed), np.maximum(self.rows - 1, 0.0), 0.0)

    @property
    def noise(self) -> Floats:
        """The same with one more row of each kind: not 0 where all of a few rows are of one."""
        p = (self.observed * self.rows + 1) / (self.rows + 2)
        return divided(p * (1 - p), self.rows, 0.0)


class Binned(Metric[Added | Faded | Windowed]):
    """What is known of probabilities from bins of nearly as many rows each.

    Columns truth and probability: (n,) of the second of two labels, or (n, K) of all, of which the likeliest is
    judged. Bins consist of whole cells, so that states of different rows can be merged. Memory: 3 numbers a cell
    and slot.

    Args:
        labels: the classes there are, at least two.
        bins: how many, at least 1; where rows are few, one for every 4 of them.
        cells: how many parts [0, 1] is cut into, at least `bins`; finer to its ends, as roots of probabilities are.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: an argument is outside its bounds.
    """

    labels: Labels
    bins: int
    cells: int

    def __init__(
        self,
        labels: Sequence[Hashable] = (False, True),
        *,
        bins: int = 15,
        cells: int = 256,
        fading: float | None = None,
        window: int | None = None,
    ) -> None:
        if not 1 <= bins <= cells:
            raise ValueError(
                f"bins wants at least 1 and at most as many as cells, got bins={bins!r}, cells={cells!r}"
            )
        super().__init__(("truth", "probability"), cells_kept(memory(fading, window), cells, 2))
        self.labels = Labels(labels)
        self.bins = bins
        self.cells = cells

    @override
    def setting(self) -> list[Any]:
        return [list(self.labels.labels), self.bins, self.cells]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        p, came = judged(self.labels, *columns)
        return cell_of(p, self.cells), p, came

    @quiet
    def reliability(self, slots: Slots | None = None) -> Bins:
        """The bins, in the order of probabilities: what a reliability diagram shows."""
        sums = self.kept.read(self._at(slots))
        joined = self._joined(sums.cells, sums.weight, sums.rows)
        count = joined[:, :, 0]
        return Bins(
            share=divided(count, sums.weight[:, None], 0.0),
            predicted=divided(joined[:, :, 1], count, 0.0),
            observed=np.minimum(divided(joined[:, :, 2], count, 0.0), 1.0),
            rows=count * sums.scale[:, None],
        )

    def _joined(self, cells: Floats, weight: Floats, rows: Floats) -> Floats:
        """Each cell in the bin that the middle of its rows falls into."""
        count = cells[:, :, 0]
        middle = np.cumsum(count, axis=1) - count / 2
        most = np.clip(rows // _FEWEST, 1, self.bins)
        place = divided(middle, weight[:, None], 0.0) * most[:, None]
        to = np.clip(place.astype(np.intp), 0, self.bins - 1)
        slot, cell = np.nonzero(count)
        which, size = slot * self.bins + to[slot, cell], len(cells) * self.bins
        held = cells[slot, cell]
        joined = np.empty((size, cells.shape[2]))
        for nth in range(cells.shape[2]):
            joined[:, nth] = np.bincount(which, held[:, nth], size)
        return joined.reshape(len(cells), self.bins, -1)
