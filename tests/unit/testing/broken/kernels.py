"""Synchronous operators, each of which breaks one law on purpose."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.batch import Batch
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import columns, fold, select
from rxml.flow.node import Cardinality
from rxml.flow.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

AnyOperator = Operator[Any, Any]


def kernel(make: Callable[[], Kernel[Any, Any]], **options: Any) -> AnyOperator:
    return fold("broken", make, **options)


class SumsEachChunk(Kernel[int, int]):
    """L13: one result a chunk."""

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        out.append(sum(items))


class Doubles(Kernel[int, int]):
    """L22: the model says otherwise."""

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        out.extend(item * 2 for item in items)


class Adds(Kernel[int, int]):
    """Right only if what it adds is nothing."""

    def __init__(self, amount: int) -> None:
        self.amount = amount

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        out.extend(item + self.amount for item in items)


class DropsTheThird(Kernel[int, int]):
    """L22: one element in three is missing, whatever the order."""

    def __init__(self) -> None:
        self.count = 0

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            self.count += 1
            if self.count % 3:
                out.append(item)


def doubled_columns() -> AnyOperator:
    """L22: right in length only."""
    return columns("broken", lambda items: [item * 2 for item in items])


class LosesThePrefix(Kernel[int, float]):
    """L33: nothing comes out of a chunk in which one element fails."""

    @override
    def push(self, items: Iterator[int], out: list[float]) -> None:
        out += [12 / item for item in items]


class Forgets(Kernel[int, int]):
    """L58: has state and does not say so."""

    def __init__(self) -> None:
        self.total = 0

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            self.total += item
            out.append(self.total)


class SnapshotIsShared(Forgets):
    """L58: what it gives away changes as it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            self.seen.append(item)
            out.append(sum(self.seen))

    @override
    def snapshot(self) -> Any:
        return self.seen

    @override
    def restore(self, state: Any) -> None:
        self.seen = state


class SnapshotIsASet(Kernel[int, int]):
    """L59: msgpack knows no sets."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            if item not in self.seen:
                self.seen.add(item)
                out.append(item)

    @override
    def snapshot(self) -> Any:
        return set(self.seen)

    @override
    def restore(self, state: Any) -> None:
        self.seen = set(state)


class SnapshotHasTuples(SnapshotIsASet):
    """L59: a tuple comes back as a list, in which nothing is found again."""

    @override
    def snapshot(self) -> Any:
        return [(item, "seen") for item in self.seen]

    @override
    def restore(self, state: Any) -> None:
        self.seen = {pair[0] for pair in state if isinstance(pair, tuple)}


class HoldsMore(Kernel[int, int]):
    """L45: three results for each element, whatever is asked for, and no capacity declared."""

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            out += [item] * 3


class NotOneToOne(Kernel[int, int]):
    """L61: declared 1:1, and drops."""

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        out.extend(item for item in items if item)

    @override
    def flush(self) -> Iterable[int]:
        return ()


class Shared(Kernel[int, int]):
    """L6: runs know of each other."""

    total = 0

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            Shared.total += item
            out.append(Shared.total)

    @override
    def snapshot(self) -> Any:
        return None


class AsksForMore(Kernel[int, int]):
    """L2: takes one element more than it needs, and keeps it for later."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    @override
    def demand(self, n: int) -> int:
        return n + 1

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        both = [*self.kept, *items]
        out += both[:-1]
        self.kept = both[-1:]

    @override
    def flush(self) -> Iterable[int]:
        return self.kept


class DropsEachTenth(Kernel[int, int]):
    """L22: right as long as nobody sends it more than nine."""

    count = 0

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            self.count += 1
            if self.count % 10:
                out.append(item)


class TakesTenAtMost(Kernel[int, int]):
    """L13: of a chunk of more than ten the rest is lost."""

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        out.extend(list(items)[:10])


class TakesThousandAtMost(Kernel[int, int]):
    """L10: right in every test that is not long."""

    count = 0

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        for item in items:
            self.count += 1
            if self.count <= 2600:
                out.append(item)


class HoldsTheLoop(Kernel[int, int]):
    """L11: works for long while others wait."""

    @override
    def push(self, items: Iterator[int], out: list[int]) -> None:
        until = time.thread_time() + 0.015
        while time.thread_time() < until:
            pass
        out.extend(items)


def knows_batches() -> AnyOperator:
    """L16: rows in a batch make something else."""

    def double(rows: Any) -> Any:
        if isinstance(rows, Batch):
            return rows.with_columns(x=rows["x"] * 2)
        return [{"x": row["x"] + row["x"] % 2} for row in rows]

    return columns("broken", double)


def drops_falsy() -> AnyOperator:
    """L12: takes None and empty values for nothing."""
    return select("broken", bool)


def not_one_to_one() -> AnyOperator:
    return kernel(NotOneToOne, cardinality=Cardinality.ONE)
