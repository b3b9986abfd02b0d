"""Span: neighbouring kernels without state, run as one loop over the elements."""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from rxml.flow.fusion.loop import KEEP, MAP, culprit, loop, pays
from rxml.flow.kernel import Elementwise, Select

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.fusion.cell import Cell

_MOST: Final = 32
"""Kernels in one loop, at most: loops are cached by their shape."""


_SIZED: Final = frozenset({list, tuple, range})
"""What is sliced at will, and whose iterators tell how much is left."""


class Stop(NamedTuple):
    """The kernel of a row that an error has stopped, by its place, and the error."""

    at: int
    error: Exception


class Span:
    """Kernels of a row from `start` up to `stop`, exclusive, of which at most one selects.

    So the counters of all follow from how many elements came and how many results there are. The results, errors, dead
    letters and counters are those of the kernels one by one over the chunk: when a function fails, the rest goes that way.

    Args:
        cells: the kernels, each an `Elementwise` or a `Select`.
        start: the place of the first in its row.
        tail: whether the last of them is the last of the row, whose results are counted by its stage.

    Attributes:
        seconds: spent since `settle` was called.
        stopped: the most downstream kernel that an error has stopped in the last `push`.
        waits: the place of the first kernel that had nothing to hand on, if the last `push` gave nothing.
    """

    __slots__ = (
        "_cells",
        "_counted",
        "_made",
        "_run",
        "_select",
        "_start",
        "_steps",
        "_taken",
        "seconds",
        "stop",
        "stopped",
        "waits",
    )

    def __init__(self, cells: Sequence[Cell], start: int, *, tail: bool) -> None:
        self._cells = cells
        self._start = start
        self._counted = len(cells) - tail
        self._taken = 0
        self._made = 0
        self.stop: int = start + len(cells)
        self.seconds: float = 0.0
        self.stopped: Stop | None = None
        steps = "".join(KEEP if _selects(cell) else MAP for cell in cells)
        self._select = steps.find(KEEP) if KEEP in steps else len(cells)
        self.waits: int = start
        self._steps = steps
        self._run = loop(steps, [_function(cell) for cell in cells])

    def push(self, items: Sequence[Any]) -> list[Any]:
        """The results of one or more items; afterwards `stopped` tells whether an error follows them."""
        sized = items if type(items) in _SIZED else list(items)
        rest = iter(sized)
        out: list[Any] = []
        try:
            self._run(rest, out)
        except Exception as raised:  # noqa: BLE001 - the supervisor decides
            return self._rescue(raised, sized, length_hint(rest), out)
        self.stopped, self.waits = None, self._start + self._select
        self._taken += len(sized)
        self._made += len(out)
        return out

    def _rescue(
        self, raised: Exception, items: Sequence[Any], left: int, out: list[Any]
    ) -> list[Any]:
        """Go on kernel by kernel, as if the items from the culprit on had come that way from the beginning."""
        self.stopped, self.waits = None, self.stop
        at, item = culprit(raised)
        rest = items[len(items) - left :]
        for place, cell in enumerate(self._cells):
            error = cell.failed(raised, item) if place == at else None
            if error is not None:
                rest = ()
            elif rest:
                rest, _, error = cell.push(rest, None)
            if error is not None:
                self.stopped = Stop(self._start + place, error)
            before = len(out) if place >= self._select else len(items) - left - 1
            self._count(place, before + (place < at) + len(rest))
        self._run = loop(self._steps, [_function(cell) for cell in self._cells])
        return [*out, *rest]

    def _count(self, place: int, made: int) -> None:
        if place < self._counted:
            self._cells[place].meter.emitted += made
        if not made:
            self.waits = min(self.waits, self._start + place)

    def settle(self) -> None:
        """Bring the counters of the kernels up to date.

        Time is split as it was the last times that the kernels ran one by one.
        """
        taken, made, seconds = self._taken, self._made, self.seconds
        self._taken, self._made, self.seconds = 0, 0, 0.0
        measured = sum(cell.measured for cell in self._cells)
        for place, cell in enumerate(self._cells):
            share = cell.measured / measured if measured else 1 / len(self._cells)
            cell.meter.busy += seconds * share
            if place < self._counted:
                cell.meter.emitted += made if place >= self._select else taken


def spans(cells: Sequence[Cell]) -> list[Span | None]:
    """For the place of each kernel, the span that begins there, if one does."""
    found: list[Span | None] = [None] * len(cells)
    start = 0
    while start < len(cells):
        stop = _reach(cells, start)
        if pays([_function(cell) for cell in cells[start:stop]]):
            found[start] = Span(cells[start:stop], start, tail=stop == len(cells))
        start = max(stop, start + 1)
    return found


def _reach(cells: Sequence[Cell], start: int) -> int:
    """The end of the longest span that may begin here."""
    stop, selects = start, 0
    while stop < min(len(cells), start + _MOST) and isinstance(
        cells[stop].kernel, Elementwise | Select
    ):
        selects += _selects(cells[stop])
        if selects > 1:
            break
        stop += 1
    return stop


def _selects(cell: Cell) -> bool:
    return isinstance(cell.kernel, Select)


def _function(cell: Cell) -> Callable[[Any], Any]:
    return cast("Elementwise[Any, Any] | Select[Any]", cell.kernel).function
