"""View: a question about facts, asked in words that are put in a row; nothing is read before an answer is wanted.

    view = View(log)
    view.key("lion-7").last(10).facts()                      # newest first
    view.between(monday, tuesday).where(kind="sighting").batches()
    view.as_of(noon, known_at=one_o_clock).facts()           # the newest of each key, as it was known then

Newer is what has the greater (event time, id), so that what a view says does not depend on the order in which facts arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from rxml.errors import FactError
from rxml.facts.fact import nanoseconds_of
from rxml.facts.picking import (
    are_in,
    have,
    inside,
    joined,
    limited,
    masked,
    newest,
    newest_of_each_key,
    skipped,
)
from rxml.facts.plain import frozen_payload
from rxml.facts.recent import Recent
from rxml.facts.table import facts_batch, facts_of
from rxml.facts.threaded import threaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from rxml.batch import Batch, Row
    from rxml.facts.fact import Fact
    from rxml.facts.picking import Mask, Step
    from rxml.flow.flowable import Flowable

_LATEST: Final = 2**63 - 1
_NOTHING: Final = facts_batch([]).with_columns(offset=np.empty(0, np.int64))


class Scannable(Protocol):
    """What holds facts and gives them in the order of their offsets, such as a `FactLog`."""

    def scan(
        self,
        from_offset: int = 0,
        to_offset: int | None = None,
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> Iterator[Batch]:
        """Batches of facts with a column `offset`; facts with other event times may be left out, and need not be."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """Some facts of a log: its methods give narrower views, until one asks for the answer.

    Filters (`key`, `between`, `arrived`, `known_at`, `where`, `filter`, `rows`) hold a batch of the log at a time;
    `last(n)` and `nth(n)` hold n facts and a batch; `latest` and `as_of` up to three facts a key, at least 8,192, and a
    batch. Steps apply in the order in which they are written: `.last(10).where(kind="x")` looks among ten.

    Attributes:
        log: where the facts are. An answer is of what is there while it is read.
        steps: what is done to the batches of the log, in order.
        least: event times before it are of no interest, int64 ns UTC; None: all are.
        bound: event times from it on are of no interest; None: all are.
        bare: whether there are filters only, so that a bound on time can be left to the log.
    """

    log: Scannable
    steps: tuple[Step, ...] = ()
    least: int | None = None
    bound: int | None = None
    bare: bool = True

    def key(self, *keys: str) -> View:
        """Facts with one of these keys.

        Raises:
            FactError: a key is no text.
        """
        wanted = frozenset(map(_text, keys))
        return self.rows(lambda batch: are_in(batch["key"], wanted))

    def between(
        self, from_: int | datetime | None = None, until: int | datetime | None = None
    ) -> View:
        """Facts with an event time from the one, inclusive, until the other, exclusive.

        Args:
            from_: nanoseconds since 1970 UTC, or an aware datetime; None for no bound.
            until: the same.

        Raises:
            FactError: a time is neither.
        """
        least, bound = _moment("between(from_)", from_), _moment("between(until)", until)
        view = self.rows(inside("event_time", least, bound))
        return view.left_to_log(least, bound)

    def arrived(
        self, from_: int | datetime | None = None, until: int | datetime | None = None
    ) -> View:
        """Facts that arrived from the one time, inclusive, until the other, exclusive; as in `between`."""
        bounds = _moment("arrived(from_)", from_), _moment("arrived(until)", until)
        return self.rows(inside("arrival_time", *bounds))

    def known_at(self, time: int | datetime) -> View:
        """Facts that had arrived by then, that moment included."""
        moment = nanoseconds_of(time, "known_at")
        return self.rows(lambda batch: batch.array("arrival_time") <= moment)

    def where(self, /, **fields: Any) -> View:
        """Facts whose payload has these values under these names.

        Raises:
            FactError: a value is none that a payload can hold.
        """
        view = self
        for name, value in frozen_payload(fields).items():
            view = view.rows(partial(have, name=name, value=value))
        return view

    def filter(self, predicate: Callable[[Fact], object]) -> View:
        """Facts for which the predicate is true, one after the other; `rows` decides on many at once."""
        return self.rows(
            lambda batch: np.fromiter(
                (bool(predicate(fact)) for fact in facts_of(batch)), np.bool_, len(batch)
            )
        )

    def rows(self, mask: Mask) -> View:
        """Facts under a mask: a function from a batch of n facts to n booleans."""
        return replace(self, steps=(*self.steps, masked(mask)))

    def latest(self, *keys: str) -> View:
        """The newest fact of each of these keys, or of every key, in order of the keys."""
        view = self.key(*keys) if keys else self
        return view.then(newest_of_each_key)

    def as_of(self, event_time: int | datetime, known_at: int | datetime | None = None) -> View:
        """The newest fact of each key that had happened by a time, as far as it was known at another.

        This is the bitemporal question: event time <= `event_time` and arrival time <= `known_at`; of those the last
        by (event time, id), in order of the keys.

        Args:
            event_time: nanoseconds since 1970 UTC, or an aware datetime.
            known_at: the same; None for what is known by now.
        """
        moment = nanoseconds_of(event_time, "as_of(event_time)")
        view = self.rows(lambda batch: batch.array("event_time") <= moment)
        view = view.left_to_log(None, moment + 1 if moment < _LATEST else None)
        return (view if known_at is None else view.known_at(known_at)).latest()

    def last(self, n: int) -> View:
        """The n newest facts, newest first; fewer if there are not so many.

        Right behind filters, large logs are read from the end, in stretches of event time; a filter may then be asked
        about a fact more than once.
        """
        _count("last", n, 1)
        if not self.bare:
            return self.then(newest(n))
        recent = Recent(self.log, self._from, self.bound, n)
        return View(recent, bare=False)

    def _from(self, least: int | None) -> Iterator[Batch]:
        return self.left_to_log(least, None).batches()

    def nth(self, n: int) -> View:
        """The n-th newest fact alone: `nth(1)` is the newest. No fact if there are not so many."""
        return self.last(_count("nth", n, 1)).skip(n - 1)

    def skip(self, n: int) -> View:
        """All but the first n facts."""
        return self.then(skipped(_count("skip", n, 0)))

    def limit(self, n: int) -> View:
        """The first n facts at most; reading ends there."""
        return self.then(limited(_count("limit", n, 0)))

    def then(self, step: Step) -> View:
        """This view with a step more that is no filter: from an iterator of batches to another."""
        return replace(self, steps=(*self.steps, step), bare=False)

    def left_to_log(self, least: int | None, bound: int | None) -> View:
        """This view with bounds on event time for the log to go by, if that changes nothing but what is read."""
        if not self.bare:
            return self
        both = [each for each in (least, self.least) if each is not None]
        ends = [each for each in (bound, self.bound) if each is not None]
        return replace(self, least=max(both, default=None), bound=min(ends, default=None))

    def batches(self) -> Iterator[Batch]:
        """The answer, a batch after the other, read as it is asked for; none is empty. Blocks: on a loop use `flow`."""
        found = self.log.scan(from_time=self.least, to_time=self.bound)
        for step in self.steps:
            found = step(found)
        return (batch for batch in found if len(batch))

    def batch(self) -> Batch:
        """The whole answer as one batch, which must fit into memory. Blocks."""
        return joined(list(self.batches()) or [_NOTHING])

    def facts(self) -> list[Fact]:
        """The whole answer as facts, which must fit into memory. Blocks."""
        return [fact for batch in self.batches() for fact in facts_of(batch)]

    def fact(self) -> Fact | None:
        """The first fact of the answer, or None. Blocks."""
        return next(iter(self.limit(1).facts()), None)

    def count(self) -> int:
        """How many facts the answer has. Blocks."""
        return sum(map(len, self.batches()))

    def flow(self) -> Flowable[Row]:
        """The answer as a flow of rows by demand, in chunks that are batches; each run reads it anew, in a thread."""
        return threaded("view", self.batches)


def _text(key: object) -> str:
    if not isinstance(key, str):
        raise FactError(f"key({key!r}) wants texts: the keys of facts are str")
    return key


def _moment(name: str, time: int | datetime | None) -> int | None:
    return None if time is None else nanoseconds_of(time, name)


def _count(name: str, n: int, least: int) -> int:
    if n.__class__ is not int or n < least:
        raise ValueError(f"{name}(n) wants a whole number >= {least}, got {n!r}")
    return n
