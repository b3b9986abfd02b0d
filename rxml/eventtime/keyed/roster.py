"""Roster: which keys have state, in which slots, and for how long: what `ttl` and `max_keys` come to, for any operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.eventtime.keyed.ages import NEVER, Ages
from rxml.eventtime.keyed.growing import lengthened, packed, unpacked
from rxml.eventtime.keyed.key_table import KeyTable
from rxml.eventtime.keyed.placement import MAX_KEYS, TTL, Placement
from rxml.eventtime.keyed.segments import Segments
from rxml.eventtime.keyed.taking_turns import TakingTurns
from rxml.eventtime.keying import Evicted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.keying import Keying

_BUCKETS: Final = 64
"""How many buckets a ttl, or a full roster, is cut into: what is looked at in vain is one of them."""


class Roster:
    """Gives each element of a chunk the slot of its key's state.

    A key's state is given up, by the times of the elements alone, when an element comes later than `ttl` behind the
    newest one of the key; and, to free memory, once the watermark is there. Of more than `max_keys` keys the oldest gives
    way: that whose newest element is the oldest by event time if there is a `ttl` (so that what nobody can find any more
    goes first, and the result does not depend on when watermarks come), else that which was seen longest ago.

    A placement is followed by `commit`, or by `undo`, after which everything is as it was.

    Args:
        keying: the bounds.

    Attributes:
        table: the keys and their slots.
        evicted: how many keys' state was given up.
    """

    def __init__(self, keying: Keying) -> None:
        self.table: KeyTable = KeyTable()
        self.evicted: int = 0
        self._keying = keying
        self._ttl = keying.ttl
        self._most = keying.max_keys
        self._ages: Ages | None = None
        if self._ttl is not None:
            self._ages = Ages(max(1, self._ttl // _BUCKETS))
        elif self._most is not None:
            self._ages = Ages(max(_BUCKETS, self._most // _BUCKETS))
        self._turns: NDArray[np.int64] = np.empty(0, np.int64)
        self._seen = 0

    def place(
        self, keys: Sequence[Any] | NDArray[Any], times: NDArray[np.int64] | None
    ) -> Placement:
        """The slots of elements; nothing has changed if it raises.

        Args:
            keys: of n >= 1 elements.
            times: their event times, int64, shape (n,); None if there is no `ttl`.

        Raises:
            SchemaError: a key is missing or cannot be hashed.
        """
        codes = self.table.codes(keys)
        placement = Placement(codes, self.table.fresh)
        if self._ages is None:
            return placement
        times = None if self._ttl is None else times
        ages = self._make_room(self._ages)
        known = codes if not placement.fresh else codes[ages.ages[codes] != NEVER]
        placement.before = (known, ages.ages[known], self._turns[known])
        late = self._expired(ages, codes, times)
        if self._most is not None and len(self.table) > self._most:
            self._squeeze(ages, placement, keys, times, late)
        elif late is not None:
            self._renew(placement, *late)
            self._make_room(ages)
        self._touch(ages, placement.codes, times)
        return placement

    def _make_room(self, ages: Ages) -> Ages:
        ages.make_room(self.table.capacity)
        self._turns = lengthened(self._turns, self.table.capacity, 0)
        return ages

    def _touch(self, ages: Ages, codes: NDArray[np.intp], times: NDArray[np.int64] | None) -> None:
        turns = np.arange(self._seen, self._seen + len(codes))
        self._turns[codes] = turns  # of several elements of a slot the last one counts
        self._seen += len(codes)
        ages.raise_to(codes, turns if times is None else times)

    def _expired(
        self, ages: Ages, codes: NDArray[np.intp], times: NDArray[np.int64] | None
    ) -> tuple[Segments, NDArray[np.intp]] | None:
        """The elements that come too late for their key's state, as sorted places; None if there is none."""
        if self._ttl is None or times is None:
            return None
        newest = ages.ages[codes]
        known = newest[newest != NEVER]
        lowest = min(int(times.min()), int(known.min())) if len(known) else int(times.min())
        if int(times.max()) - lowest <= self._ttl:
            return None
        segments = Segments(codes)
        before = segments.highest_before(times, newest)
        ours = times[segments.order]
        # An element before which there was none is not late; the difference cannot overflow where it counts.
        late = (before != NEVER) & (ours > before) & ((ours - before).view(np.uint64) > self._ttl)
        places = np.flatnonzero(late)
        return (segments, places) if len(places) else None

    def _renew(self, placement: Placement, segments: Segments, places: NDArray[np.intp]) -> None:
        """Elements from each of these places on, up to the next one, have a new slot."""
        table, latest = self.table, dict[int, int]()
        places = places[np.argsort(segments.order[places])]  # told of in the order of the elements
        slots: list[int] = []
        codes_given_up: list[int] = segments.codes[places].tolist()
        for code in codes_given_up:
            old: int = latest.get(code, code)
            placement.retire(old, TTL)
            (key,) = table.keys_of([old])
            table.retire([old])
            latest[code] = table.slot_for(key)
            slots.append(latest[code])
        begins = np.flatnonzero(segments.first)
        at = np.concatenate([begins, places])
        new = np.concatenate([segments.codes[begins], np.array(slots, np.intp)])
        order = np.argsort(at, kind="stable")
        at, new = at[order], new[order]
        codes = np.empty_like(placement.codes)
        codes[segments.order] = np.repeat(new, np.diff(at, append=len(codes)))
        placement.codes = codes

    def _squeeze(
        self,
        ages: Ages,
        placement: Placement,
        keys: Sequence[Any] | NDArray[Any],
        times: NDArray[np.int64] | None,
        late: object,
    ) -> None:
        """Keys give way: at once if none of them comes in this chunk, else element by element."""
        most = self._most or 0
        spare = len(self.table) - most
        victims = ages.lowest(spare, self._turns)
        apart = len(victims) == spare and not np.isin(victims, placement.codes).any()
        if times is not None and apart:
            apart = bool(times.min() >= ages.ages[victims[-1]])
        if late is None and apart:
            incoming = self._overflowing(placement, spare, times)
            for victim, time in zip(victims.tolist(), incoming, strict=True):
                placement.retire(victim, self._reason(int(ages.ages[victim]), time))
            self.table.retire(placement.retired)
            return
        self._undo_codes(placement)
        turns = TakingTurns(self.table, ages, self._turns, self._ttl, most)
        turns.place(placement, keys, times, self._seen)
        self._make_room(ages)

    def _overflowing(
        self, placement: Placement, spare: int, times: NDArray[np.int64] | None
    ) -> list[int | None]:
        """The times of the elements that each make one key too many."""
        if times is None:
            return [None] * spare
        first = np.empty(self.table.capacity, np.intp)
        first[placement.codes[::-1]] = np.arange(len(placement.codes))[::-1]
        listed: list[int | None] = times[first[placement.fresh[-spare:]]].tolist()
        return listed

    def _reason(self, age: int, time: int | None) -> str:
        late = self._ttl is not None and time is not None and time - age > self._ttl
        return TTL if late else MAX_KEYS

    def _undo_codes(self, placement: Placement) -> None:
        self.table.release(placement.fresh[::-1])
        placement.fresh.clear()

    def undo(self, placement: Placement) -> None:
        """Everything is as it was before this placement, the last one; `commit` was not called."""
        gone = set(placement.retired)
        self.table.retire([slot for slot in placement.fresh if slot not in gone])
        fresh = set(placement.fresh)
        self.table.revive([slot for slot in placement.retired if slot not in fresh])
        self.table.free(placement.fresh[::-1])
        if self._ages is None or placement.before is None:
            return
        self._ages.forget(placement.fresh)
        known, ages, turns = placement.before
        self._ages.ages[known], self._turns[known] = ages, turns
        self._ages.register(known)
        self._seen -= len(placement.codes)

    def commit(self, placement: Placement) -> None:
        """The chunk's work is done: what was given up is let go, and told of.

        Raises:
            Exception: what `on_evicted` raised.
        """
        if placement.retired:
            self._let_go(placement.retired, placement.reasons)

    def advance(self, watermark: int) -> NDArray[np.intp]:
        """Let go of what no further element can find; returns the slots.

        Args:
            watermark: no element from before it follows, ns.

        Raises:
            Exception: what `on_evicted` raised.
        """
        if self._ttl is None or self._ages is None or watermark - self._ttl <= NEVER:
            return np.empty(0, np.intp)
        slots = self._ages.below(watermark - self._ttl)
        if len(slots):
            slots = slots[np.argsort(self._turns[slots])]
            listed: list[int] = slots.tolist()
            self.table.retire(listed)
            self._let_go(listed, [TTL] * len(listed))
        return slots

    def _let_go(self, slots: list[int], reasons: list[str]) -> None:
        told = self._keying.on_evicted
        keys = [] if told is None else self.table.keys_of(slots)
        if self._ages is not None:
            self._ages.forget(slots)
        self.table.free(slots)
        self.evicted += len(slots)
        for key, reason in zip(keys, reasons, strict=False):
            _tell(told, Evicted(key, reason))

    def snapshot(self) -> Any:
        """All of it, as plain values."""
        if self._ages is None:
            return [self.table.snapshot()]
        rows = self.table.capacity
        parts = [packed(array[:rows]) for array in (self._ages.ages, self._turns)]
        return [self.table.snapshot(), *parts, self._seen, self.evicted]

    def restore(self, state: Any) -> None:
        """Go on from a snapshot."""
        self.table.restore(state[0])
        if self._ages is None:
            return
        _, ages, turns, self._seen, self.evicted = state
        self._turns = unpacked(turns)
        self._ages.restore(unpacked(ages), self.table.slots())


def _tell(told: Callable[[Evicted], object] | None, evicted: Evicted) -> None:
    try:
        if told is not None:
            told(evicted)
    except Exception as error:
        error.add_note(f"raised by on_evicted of key_by, told of {evicted}")
        raise
