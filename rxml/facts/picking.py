"""The steps of a view: each takes batches of facts, in whatever pieces, and gives those that it picks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from rxml.batch import Batch
from rxml.errors import SchemaError
from rxml.facts.distributions import alike
from rxml.facts.plain import is_listed, is_mapping
from rxml.facts.table import PREFIX, packed, payloads_of, values_of_column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from numpy.typing import NDArray

    Step: TypeAlias = Callable[[Iterator[Batch]], Iterator[Batch]]
    Mask: TypeAlias = Callable[[Batch], NDArray[np.bool_]]

_ROOM: Final = 8192
"""Rows that `newest_of_each_key` gathers at least before it looks which of them are outdone."""


def are_in(column: Any, wanted: Collection[str]) -> NDArray[np.bool_]:
    """Which texts of a column are among those."""
    texts: list[str] = column.tolist()
    if len(wanted) == 1:
        (only,) = wanted
        return np.fromiter((text == only for text in texts), np.bool_, len(texts))
    return np.fromiter((text in wanted for text in texts), np.bool_, len(texts))


def have(batch: Batch, name: str, value: object) -> NDArray[np.bool_]:
    """Which rows have a value under a name of their payload."""
    n = len(batch)
    if "payload" in batch.columns:
        payloads = payloads_of(batch)
        return np.fromiter(
            (name in each and _same(each[name], value) for each in payloads), np.bool_, n
        )
    if PREFIX + name not in batch.columns:
        return np.zeros(n, np.bool_)
    values = values_of_column(batch[PREFIX + name])
    return np.fromiter((_same(each, value) for each in values), np.bool_, n)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of payloads are equal: lists and tuples alike, True and 1 not; 1 and 1.0 are."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if is_listed(one) and is_listed(other):
        return len(one) == len(other) and all(map(_same, one, other))
    if is_mapping(one) and is_mapping(other):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return alike(one, other)


def inside(column: str, least: int | None, bound: int | None) -> Mask:
    """The mask of rows whose time is >= least and < bound, int64 ns UTC; None is no bound."""

    def mask(batch: Batch) -> NDArray[np.bool_]:
        times = batch.array(column)
        where = np.ones(len(times), np.bool_) if least is None else times >= least
        return where if bound is None else where & (times < bound)

    return mask


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch after the other; where their columns of payloads differ, the payloads are one column."""
    try:
        return Batch.concat(batches)
    except SchemaError:
        return Batch.concat(map(packed, batches))


def masked(mask: Mask) -> Step:
    """The rows under a mask, in the order in which they come."""

    def step(batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            where = mask(batch)
            if where.all():
                yield batch
            elif where.any():
                yield batch.take(where)

    return step


def skipped(n: int) -> Step:
    """All but the first n rows."""

    def step(batches: Iterator[Batch]) -> Iterator[Batch]:
        left = n
        for batch in batches:
            if left < len(batch):
                yield batch[left:] if left else batch
            left = max(0, left - len(batch))

    return step


def limited(n: int) -> Step:
    """The first n rows; no more batches are asked for than they need."""

    def step(batches: Iterator[Batch]) -> Iterator[Batch]:
        left = n
        while left:
            batch = next(batches, None)
            if batch is None:
                return
            yield batch[:left] if left < len(batch) else batch
            left = max(0, left - len(batch))

    return step


def newest(n: int) -> Step:
    """The last n rows by (event time, id), newest first; holds as many, and a batch."""

    def step(batches: Iterator[Batch]) -> Iterator[Batch]:
        held: Batch | None = None
        for batch in batches:
            full = held is not None and len(held) == n
            least = held.array("event_time")[0] if held is not None and full else None
            later = batch if least is None else batch.take(batch.array("event_time") >= least)
            if len(later):
                held = _last(later if held is None else joined([held, later]), n)
        if held is not None:
            yield held[::-1]

    return step


def newest_of_each_key(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The last row of each key by (event time, id), in order of the keys; holds three rows a key, and a batch."""
    held: list[Batch] = []
    keys = rows = 0
    for batch in batches:
        held.append(_last_of_each_key(batch))
        rows += len(held[-1])
        if rows > max(_ROOM, 3 * keys):
            held = [_last_of_each_key(joined(held))]
            keys = rows = len(held[0])
    if held:
        found = _last_of_each_key(joined(held))
        yield found.take(np.argsort(found.array("key"), kind="stable"))


def in_order(batch: Batch) -> NDArray[np.intp]:
    """The numbers of a batch's rows, by (event time, id)."""
    times = batch.array("event_time")
    order = np.argsort(times, kind="stable")
    sorted_times = times[order]
    if bool((sorted_times[1:] == sorted_times[:-1]).any()):
        return np.lexsort((batch.array("id"), times))
    return order


def _last(batch: Batch, n: int) -> Batch:
    """The last n rows by (event time, id), in that order."""
    return batch.take(in_order(batch)[-n:])


def _last_of_each_key(batch: Batch) -> Batch:
    codes: dict[str, int] = {}
    keys: list[str] = batch.array("key").tolist()
    numbers = np.fromiter((codes.setdefault(key, len(codes)) for key in keys), np.intp, len(keys))
    winners = np.empty(len(codes), np.intp)
    order = in_order(batch)
    winners[numbers[order]] = order  # of several assignments to one place numpy keeps the last
    return batch.take(winners)
