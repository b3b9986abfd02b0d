"""Shares of rows: accuracy and coverage, with Wilson's interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.bounds import wilson
from rxml.evaluation.metrics.cells import Added, Faded, Windowed, cells_kept
from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.scores import covered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats


class Share(Metric[Added | Faded | Windowed]):
    """The share of rows of which something holds.

    Args:
        needs: the columns that it is told.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: `fading` or `window` is outside its bounds, or both are given.
    """

    def __init__(
        self, needs: tuple[str, ...], *, fading: float | None = None, window: int | None = None
    ) -> None:
        super().__init__(needs, cells_kept(memory(fading, window), 2))

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        sums = self.kept.read(self._at(slots))
        return divided(sums.cells[:, 1, 0], sums.weight, np.nan)

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        rows = self.kept.read(self._at(slots)).rows
        return wilson(self.value(slots), rows, level)


class Accuracy(Share):
    """How often the prediction is the truth: columns truth and prediction, of any labels.

    Args:
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: `fading` or `window` is outside its bounds, or both are given.
    """

    def __init__(self, *, fading: float | None = None, window: int | None = None) -> None:
        super().__init__(("truth", "prediction"), fading=fading, window=window)

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        truth, prediction = columns
        return (np.asarray(truth == prediction, np.bool_).astype(np.intp),)


class Coverage(Share):
    """How often lower <= truth <= upper.

    Args:
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: `fading` or `window` is outside its bounds, or both are given.
    """

    def __init__(self, *, fading: float | None = None, window: int | None = None) -> None:
        super().__init__(("truth", "lower", "upper"), fading=fading, window=window)

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        return (covered(*columns).astype(np.intp),)
