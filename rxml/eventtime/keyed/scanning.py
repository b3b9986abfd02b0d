"""Scans key by key: the user's function runs for each element, so that where keys are looked up is a small part of the cost."""

from __future__ import annotations

from copy import copy
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from typing_extensions import override

from rxml.eventtime.keyed.agreeing import in_words, require_same
from rxml.eventtime.keyed.key_table import require_hashable, require_key
from rxml.eventtime.keyed.plain_keys import from_plain, to_plain
from rxml.eventtime.reading import read
from rxml.flow.kernel import Kernel
from rxml.flow.kernels.folding import ABSENT
from rxml.flow.supervision import Fatal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.keyed.placement import Placement
    from rxml.eventtime.keying import Keying
    from rxml.eventtime.reading import Column

A = TypeVar("A")

_KEYED: Final = 2
"""The version of states: that of a scan without keys is 1, so neither goes on from the other."""


class ScanByKey(Kernel[A, Any]):
    """Keeps an accumulation for each key, for good.

    Args:
        keying: says the key; it has no bounds.
        accumulator: called with the accumulation of the key and the element.
        seed: the accumulation of a key before its first element, or ABSENT.
    """

    def __init__(self, keying: Keying, accumulator: Callable[[Any, Any], Any], seed: Any) -> None:
        self.version: int = _KEYED
        self._words = in_words(keying)
        self._key_of = _reader(keying.column)
        self._accumulator = accumulator
        self._seed = seed
        self._states: dict[Any, Any] = {}

    @override
    def push(self, items: Iterator[A], out: list[Any]) -> None:
        states, key_of, accumulator = self._states, self._key_of, self._accumulator
        emit = out.append
        for item in items:
            key = key_of(item)
            try:
                state = states[key]
            except (KeyError, TypeError):
                state = self._begun(key)
            made = item if state is ABSENT else accumulator(state, item)
            states[key] = made
            emit(made)

    def _begun(self, key: Any) -> Any:
        require_hashable(key)
        require_key(key)
        return self._seed

    @override
    def snapshot(self) -> Any:
        return [self._words, to_plain(list(self._states)), list(self._states.values())]

    @override
    def restore(self, state: Any) -> None:
        require_same(state[0], self._words)
        _, keys, values = state
        self._states = dict(zip(from_plain(keys), values, strict=True))


class BoundedScan(Kernel[A, Any]):
    """Keeps an accumulation for each key within the bounds of `key_by`.

    Where the function raises, the elements before the culprit are placed anew, without it and what follows: a function that
    changes its state in place is called once for each element.

    Args:
        where: the key and the time of an element.
        accumulator: called with the accumulation of the key and the element.
        seed: the accumulation of a key before its first element, or ABSENT.
    """

    timely: ClassVar[bool] = True
    evicted: int = 0

    def __init__(self, where: Where, accumulator: Callable[[Any, Any], Any], seed: Any) -> None:
        self.version: int = _KEYED
        self._where = where
        self._roster = where.roster()
        self._accumulator = accumulator
        self._seed = seed
        self._states: dict[int, Any] = {}

    @override
    def push(self, items: Iterator[A], out: list[Any]) -> None:
        ahead = list(
            copy(items)
        )  # the iterator itself goes on with the work, and stands behind a culprit
        if not ahead:
            next(items, None)  # shows that there is nothing more
            return
        try:
            placed = self._placed(ahead)
        except Exception:
            if len(ahead) == 1:
                next(items)
                raise
            for item in items:
                self._take([item], iter([item]), self._placed([item]), out)
        else:
            self._take(ahead, items, placed, out)

    def _placed(self, elements: Sequence[A]) -> Placement:
        return self._roster.place(self._where.keys(elements), self._where.times(elements))

    def _take(
        self, elements: Sequence[A], items: Iterator[A], placed: Placement, out: list[Any]
    ) -> None:
        states, fresh, before = dict[int, Any](), set(placed.fresh), len(out)
        codes: list[int] = placed.codes.tolist()
        try:
            for item, code in zip(items, codes, strict=False):
                if code not in states:
                    states[code] = self._seed if code in fresh else self._states[code]
                state = states[code]
                made = item if state is ABSENT else self._accumulator(state, item)
                states[code] = made
                out.append(made)
        except BaseException:
            self._roster.undo(placed)
            done = out[before:]
            if done:
                again = self._placed(elements[: len(done)])
                self._keep(again, dict(zip(again.codes.tolist(), done, strict=True)))
            raise
        self._keep(placed, states)

    def _keep(self, placed: Placement, states: dict[int, Any]) -> None:
        self._states.update(states)
        for slot in placed.retired:
            del self._states[slot]
        try:
            self._roster.commit(placed)
        except Exception as error:  # of `on_evicted`: the elements are done
            raise Fatal(error) from error
        finally:
            self._count()

    @override
    def advance(self, watermark: int) -> Sequence[Any]:
        try:
            for slot in self._roster.advance(watermark).tolist():
                del self._states[slot]
        finally:
            self._count()
        return ()

    def _count(self) -> None:
        self.evicted += self._roster.evicted
        self._roster.evicted = 0

    @override
    def snapshot(self) -> Any:
        slots: list[int] = self._roster.table.slots().tolist()
        values = [self._states[slot] for slot in slots]
        return [self._where.words, self._roster.snapshot(), values]

    @override
    def restore(self, state: Any) -> None:
        require_same(state[0], self._where.words)
        _, roster, values = state
        self._roster.restore(roster)
        slots: list[int] = self._roster.table.slots().tolist()
        self._states = dict(zip(slots, values, strict=True))


def _reader(column: Column) -> Callable[[Any], Any]:
    if callable(column):
        return column
    named, get = column, itemgetter(column)

    def read_one(item: Any) -> Any:
        try:
            return get(item)
        except (KeyError, TypeError, IndexError):
            return read([item], named)[0]

    return read_one
