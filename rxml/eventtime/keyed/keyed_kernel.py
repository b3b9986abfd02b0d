"""KeyedKernel: what kernels with state for each key have in common: where that is, and how long it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import numpy as np
from typing_extensions import override

from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.keyed.agreeing import in_words
from rxml.eventtime.keyed.roster import Roster
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.kernel import Chunkwise
from rxml.flow.supervision import Fatal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.event_time import EventTime
    from rxml.eventtime.keyed.placement import Placement
    from rxml.flow.node import Node

A = TypeVar("A")
B = TypeVar("B")

_ALL: Final = Keying("", None, None, None)
"""Without `key_by` all elements belong to one key, for ever."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where elements have their key and their time.

    Attributes:
        keying: how they are keyed, or None: all belong together.
        event_time: where their time is, or None if nobody asks.
    """

    keying: Keying | None
    event_time: EventTime | None

    @property
    def words(self) -> str:
        """How elements are keyed, for states that are saved."""
        return in_words(self.keying)

    def roster(self) -> Roster:
        """An empty one."""
        return Roster(self.keying or _ALL)

    def keys(self, items: Sequence[Any]) -> Sequence[Any] | NDArray[Any]:
        """The key of each element."""
        if self.keying is None:
            return np.zeros(len(items), np.int64)
        return self.keying.of(items)

    def times(self, items: Sequence[Any]) -> NDArray[np.int64] | None:
        """The time of each element, int64 ns; None if nobody asks."""
        return None if self.event_time is None else self.event_time.of(items)


def where_of(name: str, node: Node, *, always: bool = False) -> Where:
    """Where the elements of a flow have their key; and their time, if that is asked for, or needed for a `ttl`.

    Raises:
        PipelineError: there is a `ttl` and no event time.
    """
    keying = keying_of(node)
    timed = always or (keying is not None and keying.ttl is not None)
    return Where(keying, event_time_of(name, node) if timed else None)


class KeyedKernel(Chunkwise[A, B]):
    """Takes a chunk in three steps: read, which may fail and changes nothing; place; and work, which writes at its end.

    Args:
        where: the key and the time of an element.
    """

    timely: ClassVar[bool] = True
    again: bool = True
    evicted: int = 0

    def __init__(self, where: Where) -> None:
        self._where = where
        self._roster = where.roster()

    def read(self, items: Sequence[A], times: NDArray[np.int64]) -> Any:
        """What else the work needs of the elements; see `work` for the arguments."""
        del items, times

    def work(
        self, items: Sequence[A], times: NDArray[np.int64], given: Any, placed: Placement
    ) -> Sequence[B]:
        """The results; the state is as before if it raises, but for slots that are fresh.

        Args:
            items: the elements.
            times: of the elements; zeros if nobody asks for them.
            given: what `read` gave.
            placed: where their state is.
        """
        raise NotImplementedError

    @override
    def push_all(self, items: Sequence[A]) -> Sequence[B]:
        self.again = True
        times = self._where.times(items)
        keys = self._where.keys(items)
        when = np.zeros(len(items), np.int64) if times is None else times
        given = self.read(items, when)
        placed = self._roster.place(keys, times)
        placed.keys = keys
        try:
            results = self.work(items, when, given, placed)
        except BaseException:
            self._roster.undo(placed)
            raise
        try:
            self._roster.commit(placed)
        except Exception as error:  # of `on_evicted`: the elements are done
            self.again = False
            raise Fatal(error) from error
        finally:
            self.count()
        return results

    @override
    def advance(self, watermark: int) -> Sequence[B]:
        try:
            self._roster.advance(watermark)
        finally:
            self.count()
        return ()

    def count(self) -> None:
        """Tell how many keys were given up."""
        self.evicted += self._roster.evicted
        self._roster.evicted = 0
