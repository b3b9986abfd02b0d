"""The histogram of the probability integral transform, and how far it is from uniform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.evaluation.metrics.bounds import kuiper_distance, kuiper_tail, required_level
from rxml.evaluation.metrics.cells import Added, Faded, Windowed, cells_kept
from rxml.evaluation.metrics.dividing import divided
from rxml.evaluation.metrics.memory import memory
from rxml.evaluation.metrics.metric import Metric
from rxml.evaluation.scores import pit_normal
from rxml.evaluation.scores.inputs import probabilities, spreads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats


class PIT(Metric[Added | Faded | Windowed]):
    """Kuiper's V (1960) of the values of F(truth): 0 where they are uniform, and the distributions right.

    By cells of [0, 1], so that V is less than that of single rows, by no more than two cells, and the test no more likely to reject.

    Args:
        transform: gives the values, (n,) in [0, 1], from the columns; of normal distributions if not given.
        needs: the columns, in the order of its arguments.
        name: what it is called in snapshots, so that one of another transform is not taken for it.
        cells: how many equal parts, at least 2.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.

    Raises:
        ValueError: an argument is outside its bounds.
    """

    cells: int
    name: str

    def __init__(
        self,
        transform: Callable[..., Floats] | None = None,
        needs: Sequence[str] = ("truth", "mean", "var"),
        *,
        name: str = "normal",
        cells: int = 100,
        fading: float | None = None,
        window: int | None = None,
    ) -> None:
        if cells < 2:
            raise ValueError(f"cells wants at least 2, got {cells!r}")
        super().__init__(tuple(needs), cells_kept(memory(fading, window), cells))
        self._transform = transform or _normal
        self.name = name
        self.cells = cells

    @override
    def setting(self) -> list[Any]:
        return [self.name, self.cells]

    @override
    def _rows(self, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        places = probabilities("a value of the transform", self._transform(*columns))
        return (np.minimum((places * self.cells).astype(np.intp), self.cells - 1),)

    def histogram(self, slots: Slots | None = None) -> Floats:
        """The share of rows in each cell, (k, cells): a hump where distributions are too wide, a bowl where too narrow."""
        sums = self.kept.read(self._at(slots))
        return divided(sums.cells[:, :, 0], sums.weight[:, None], np.nan)

    @override
    def value(self, slots: Slots | None = None) -> Floats:
        reached = np.cumsum(self.histogram(slots), axis=1)
        away = reached - np.arange(1, self.cells + 1) / self.cells
        # at 0, and within rounding at 1, nothing is away
        away[:, -1] = np.where(np.isnan(away[:, -1]), np.nan, 0.0)
        v: Floats = away.max(axis=1) - away.min(axis=1)
        return v

    @override
    def interval(self, level: float = 0.95, slots: Slots | None = None) -> Bounds:
        v, rows = self.value(slots), self.kept.read(self._at(slots)).rows
        away = kuiper_distance(required_level(level), rows)
        unknown = np.isnan(v)
        lower, upper = np.maximum(v - away, 0.0), np.minimum(v + away + 2 / self.cells, 1.0)
        return np.where(unknown, 0.0, lower), np.where(unknown, 1.0, upper)

    def p_value(self, slots: Slots | None = None) -> Floats:
        """How often right distributions give a V at least as large, by Kuiper's test."""
        v, rows = self.value(slots), self.kept.read(self._at(slots)).rows
        return np.where(np.isnan(v), np.nan, kuiper_tail(np.nan_to_num(v), rows))


def _normal(truth: NDArray[Any], mean: NDArray[Any], var: NDArray[Any]) -> Floats:
    return pit_normal(truth, mean, np.sqrt(spreads("var", var)))
