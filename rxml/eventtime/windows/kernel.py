"""WindowKernel: takes chunks of elements to windows, and makes rows of what these tell."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.aggregates.possible.lags import Lags
from rxml.aggregates.values import array_of
from rxml.errors import CheckpointError, LateError, SchemaError
from rxml.eventtime.reading import read
from rxml.eventtime.windows.engine import Rows
from rxml.eventtime.windows.keys import Keys
from rxml.eventtime.windows.late import lates
from rxml.eventtime.windows.panes import together
from rxml.eventtime.windows.pool import Pool
from rxml.flow.chunk import CHUNK, FOREVER
from rxml.flow.kernel import Chunkwise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Column
    from rxml.eventtime.windows.panes import Panes
    from rxml.eventtime.windows.plan import Plan
    from rxml.eventtime.windows.pool import Fold

TICK: Final = object()
"""An element that stands for no fact: windows are to tell what is new. It comes alone in its chunk."""

_LOGGER: Final = logging.getLogger("rxml")


class WindowKernel(Chunkwise[Any, Any]):
    """Late elements are told apart first; the others go to the engine, key by key.

    Args:
        name: of the stage.
        plan: what is decided about the windows.
    """

    timely = True
    again: bool = True  # an engine that fails has changed nothing

    def __init__(self, name: str, plan: Plan) -> None:
        self.left_out: Sequence[int] = ()
        self.lost: int = 0
        self._name = name
        self._plan = plan
        self._keys = Keys(plan.keying)
        self._pool = Pool(plan.states, plan.settings.capacity)
        self._engine = plan.engine(self._keys, self._pool)
        self.version: int = self._engine.version
        self._layout = plan.layout
        self._gaps = plan.gaps
        self._warned = False
        self._foretelling = plan.foretelling
        self._lags = Lags()

    @override
    def demand(self, n: int) -> int:
        return max(n, CHUNK)

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[Any]:
        if len(items) == 1 and items[0] is TICK:
            self.left_out = ()
            return self._rows(self._foretold(self._engine.tick()))
        self.left_out = ()
        times = self._times(items)
        low, high = int(np.minimum.reduce(times)), int(np.maximum.reduce(times))
        self._require_room(low, high)
        codes, columns = self._told(items)
        try:
            return self._taken(items, Rows(times, codes, low, high), columns)
        finally:
            self._keys.settle()

    def _taken(
        self, items: Sequence[Any], rows: Rows, columns: list[list[NDArray[Any]]]
    ) -> Sequence[Any]:
        if rows.low >= self._engine.watermark and not self._gaps:
            return self._rows(self._added(rows, columns))
        return self._sorted_out(items, rows, columns)

    def _sorted_out(
        self, items: Sequence[Any], rows: Rows, columns: list[list[NDArray[Any]]]
    ) -> Sequence[Any]:
        """What comes of elements of which some may be late, or in no window."""
        times, codes = rows.times, rows.codes
        late = self._late(times, codes)
        inside = ~late
        outside = self._engine.outside(times)
        if outside is not None:
            late, inside = late & ~outside, inside & ~outside
        if inside.all():
            return self._rows(self._added(rows, columns))
        if self._plan.settings.late == "error" and late.any():
            raise self._late_error(int(times[late][0]))
        told: Sequence[Any] = ()
        if inside.any():
            chosen = [[column[inside] for column in each] for each in columns]
            kept = Rows(times[inside], codes[inside], rows.low, rows.high)
            told = self._rows(self._added(kept, chosen))
        came = self._came_late(items, times, late) if late.any() else []
        return [*came, *told] if came else told

    def _late(self, times: NDArray[np.int64], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        if (
            self._engine.watermark >= FOREVER
        ):  # even windows of all time, and of so many elements, have ended
            return np.ones(len(times), np.bool_)
        return self._engine.late(times, codes)

    def _told(self, items: Sequence[Any]) -> tuple[NDArray[np.intp], list[list[NDArray[Any]]]]:
        """The keys and columns of elements; nothing changes that anybody would see.

        Raises:
            SchemaError: an element has no key, or not all columns.
        """
        keys = self._keys.read(items)
        columns = self._columns(items)
        return self._keys.codes(keys), columns

    def _times(self, items: Sequence[Any]) -> NDArray[np.int64]:
        event_time = self._plan.event_time
        if event_time is None:
            return np.zeros(len(items), np.int64)
        return event_time.of(items)

    def _require_room(self, low: int, high: int) -> None:
        """Refuse times around which windows would wrap around.

        Raises:
            SchemaError: one of the two is such a time.
        """
        most = FOREVER - self._engine.reach
        if high >= most or low <= -most:
            raise SchemaError(
                f"{self._name}: event time {high if high >= most else low} is so near to the ends of what int64 "
                "nanoseconds can say, the years 1677 and 2262, that its windows would reach beyond them; leave such "
                "elements out before"
            )

    def _columns(self, items: Sequence[Any]) -> list[list[NDArray[Any]]]:
        """For each aggregate its columns; each column is read once."""
        found: dict[Any, NDArray[Any]] = {}
        return [
            [self._column(items, column, found) for column in each.columns]
            for each in self._plan.states
        ]

    def _column(
        self, items: Sequence[Any], column: Column, found: dict[Any, NDArray[Any]]
    ) -> NDArray[Any]:
        if column not in found:
            values = read(items, column)
            found[column] = values if isinstance(values, np.ndarray) else array_of(values)
        return found[column]

    def _fold(self, times: NDArray[np.int64], columns: list[list[NDArray[Any]]]) -> Fold:
        return self._pool.folding(columns, times)

    def _added(self, rows: Rows, columns: list[list[NDArray[Any]]]) -> list[Panes]:
        times = rows.times
        whole = self._fold(times, columns)  # so all values are looked at first

        def folding(some: NDArray[np.intp] | None) -> Fold:
            if some is None or (len(some) == len(times) and (some == np.arange(len(some))).all()):
                return whole
            return self._fold(times[some], [[column[some] for column in each] for each in columns])

        told = self._engine.add(rows, folding)
        if self._foretelling:
            self._lags.saw(times)
        return told

    def _foretold(self, told: list[Panes]) -> list[Panes]:
        """Panes of windows that are not complete, with what may still come."""
        return [self._with_more(panes) for panes in told] if self._foretelling else told

    def _with_more(self, panes: Panes) -> Panes:
        values, share = list(panes.values), self._lags.share(panes.starts, panes.ends)
        hidden = len(values) - len(self._foretelling)
        for number, (place, each) in enumerate(self._foretelling):
            where = slice(place, place + 2)
            seen: Any = values[hidden + number]
            values[where] = each.foretold(values[where], seen, share)
        return replace(panes, values=values)

    def _came_late(
        self, items: Sequence[Any], times: NDArray[np.int64], late: NDArray[np.bool_]
    ) -> list[Any]:
        """What comes out of late elements: nothing, unless they are asked for; once the others are taken."""
        rows = np.flatnonzero(late)
        if self._plan.settings.late == "emit":
            chosen = [items[row] for row in rows.tolist()]
            return list(lates(chosen, times[rows], self._engine.watermark))
        if not self._warned:
            self._warned = True
            _LOGGER.warning(
                "%s: an element came late, and is in no result; late ones are counted as dropped in the statistics",
                self._name,
            )
        self.lost += len(rows)
        self.left_out = rows.tolist()
        return []

    def _late_error(self, time: int) -> LateError:
        return LateError(
            f"{self._name}: an element of {time} came when the stream had come to {self._engine.watermark}, and all its "
            "windows had ended; allow more delay in with_event_time, or allowed_lateness, or late='count'"
        )

    @override
    def advance(self, watermark: int) -> Sequence[Any]:
        rows = self._rows(self._engine.advance(watermark))
        self._keys.sweep()
        return rows

    @override
    def flush(self) -> Sequence[Any]:
        return self._rows(self._engine.advance(FOREVER))

    def _rows(self, told: list[Panes]) -> Sequence[Any]:
        told = [panes for panes in told if len(panes)]
        return self._layout.batch(together(told), self._keys) if told else []

    @override
    def snapshot(self) -> Any:
        return [
            self._plan.words,
            self._engine.watermark,
            self._keys.snapshot(),
            self._pool.snapshot(),
            self._engine.snapshot(),
            *([self._lags.snapshot()] if self._foretelling else []),
        ]

    @override
    def restore(self, state: Any) -> None:
        words, self._engine.watermark, keys, pool, engine, *lags = state
        if words != self._plan.words:
            raise CheckpointError(
                f"{self._name}: the checkpoint is of windows that computed {words}, and these compute {self._plan.words}; "
                "run what was saved, or begin anew under another name"
            )
        self._keys.restore(keys)
        self._pool.restore(pool)
        self._engine.restore(engine)
        if lags:
            self._lags.restore(lags[0])
