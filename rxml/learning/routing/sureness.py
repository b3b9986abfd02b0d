"""Routing: which elements are not sure enough, and how many of them may have more spent on them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from math import isnan
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.flow.check import require_count, require_function
from rxml.flow.chunk import CHUNK
from rxml.flow.kernel import Chunkwise
from rxml.flow.kinds import fold, label
from rxml.flow.node import Cardinality
from rxml.learning.parts import column_of
from rxml.learning.widening import require_rows
from rxml.models.scoring.routing_stage import Marked
from rxml.uncertain import Categorical, Distribution, Interval, Quantiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.operator import Operator

Floats: TypeAlias = NDArray[np.float64]
When: TypeAlias = "str | Callable[[Batch], Any]"

_SLACK: Final = 1e-9
"""Ten tenths may come to a little less than one."""


def doubts(items: Sequence[Any], when: When) -> Floats | NDArray[np.bool_]:
    """How unsure each element is, shape (n,): numbers, or booleans where that is decided. NaN counts as infinitely unsure.

    Args:
        items: a batch, or mappings.
        when: the name of a column, or a function of the batch that gives one.

    Raises:
        SchemaError: it is no such column.
    """
    if isinstance(when, str):
        found: Any = column_of(items, when)
    else:
        found = when(items if isinstance(items, Batch) else Batch.from_rows(items))
    told = _doubt(found)
    if told.shape != (len(items),):
        text = f"for {len(items)} rows it is of shape {told.shape}"
        raise SchemaError(f"how unsure rows are is a number or a boolean for each; {text}")
    return told if told.dtype == np.bool_ else np.where(np.isnan(told), np.inf, told)


def _doubt(found: Any) -> Floats | NDArray[np.bool_]:
    """Of intervals the width, of classes how likely it is another, of sets whether it is not one, else the spread."""
    match found:
        case Interval():
            return found.width
        case Quantiles():
            return np.asarray(found.values[..., -1] - found.values[..., 0])
        case Categorical():
            return np.asarray(1.0 - found.certainty())
        case Distribution():
            return found.std()
        case _:
            return _of_array(np.asarray(found))


def _of_array(array: NDArray[Any]) -> Floats | NDArray[np.bool_]:
    if array.dtype == np.bool_:
        return array if array.ndim < 2 else np.asarray(array.sum(axis=1) != 1)
    if array.dtype.kind not in "iuf":
        raise SchemaError(f"how unsure rows are is told by numbers or booleans, got {array.dtype}")
    numbers: Floats = array.astype(np.float64)
    return numbers if array.ndim < 2 else 1.0 - numbers.max(axis=1)


class Allowance:
    """A token bucket that is filled by rows: never more than `share` of them are let through, at any time.

    Args:
        share: of the rows, above 0 and at most 1.
        burst: rows that may go one behind the other, at most, after others did not; >= 1.
    """

    def __init__(self, share: float, burst: int) -> None:
        self._share = share
        self._burst = float(burst)
        self.tokens: float = 0.0

    def take(self, *, wanted: bool) -> bool:
        """A row comes: whether it goes."""
        self.tokens = min(self.tokens + self._share, self._burst)
        if not wanted or self.tokens < 1.0 - _SLACK:
            return False
        self.tokens = max(0.0, self.tokens - 1.0)
        return True


class Latest:
    """The newest numbers, in order of size.

    Args:
        most: how many, >= 1.
    """

    def __init__(self, most: int) -> None:
        self.line: deque[float] = deque()
        self._most = most
        self._sorted: list[float] = []

    def put(self, number: float) -> float:
        """Which share of the newest, this one among them, is larger."""
        if len(self.line) == self._most:
            oldest = self.line.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
        self.line.append(number)
        insort(self._sorted, number)
        return 1.0 - bisect_right(self._sorted, number) / len(self._sorted)

    def refill(self, numbers: Sequence[float]) -> None:
        """Hold these instead, the oldest first."""
        self.line = deque(numbers)
        self._sorted = sorted(numbers)


class Marking(Chunkwise[Any, Marked]):
    """Marks those that are not sure enough and may have more spent on them.

    Args:
        when: see `doubts`.
        above: how unsure is too unsure; None: as `budget` of the latest are, or more.
        budget: share of elements that may be marked.
        burst: of them, one behind the other.
        window: latest elements that are compared.
    """

    again: bool = True

    def __init__(
        self, when: When, above: float | None, budget: float, burst: int, window: int
    ) -> None:
        self._when = when
        self._above = above
        self._budget = budget
        self._allowance = Allowance(budget, burst)
        self._latest = Latest(window)

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[Marked]:
        require_rows(items)
        found = doubts(items, self._when)
        decided = found.dtype == np.bool_
        told: list[Any] = found.tolist()
        take = self._allowance.take
        return [
            Marked(item, take(wanted=doubt if decided else self._wanted(doubt)))
            for item, doubt in zip(items, told, strict=True)
        ]

    def _wanted(self, doubt: float) -> bool:
        if self._above is not None:
            return doubt > self._above
        return self._latest.put(doubt) < self._budget - _SLACK

    @override
    def snapshot(self) -> Any:
        return [self._allowance.tokens, list(self._latest.line)]

    @override
    def restore(self, state: Any) -> None:
        self._allowance.tokens, latest = state
        self._latest.refill(latest)


def marking(
    name: str,
    when: When,
    *,
    above: float | None,
    budget: float,
    burst: int,
    window: int,
    capacity: int,
) -> Operator[Any, Marked]:
    """An operator that marks elements.

    Args:
        name: of the operator that they were given to.
        when: see `doubts`.
        above: see `Marking`.
        budget: see `Marking`.
        burst: see `Marking`.
        window: see `Marking`.
        capacity: elements that what stands behind holds.

    Raises:
        ValueError: a number out of its range.
        TypeError: `when` is neither a name nor a function.
    """
    if not isinstance(when, str):
        require_function(f"{name}(when=)", when, "says of a batch how unsure each row is")
    if above is not None and isnan(above):
        raise ValueError(f"{name}(above=) wants a number, got NaN")
    if not 0 < budget <= 1:
        raise ValueError(f"{name}(budget=) wants a share above 0, at most 1; got {budget!r}")
    require_count(f"{name}(burst=)", burst, 1)
    require_count(f"{name}(window=)", window, 1)
    return fold(
        label("unsure", when),
        lambda: Marking(when, above, budget, burst, window),
        cardinality=Cardinality.ONE,
        capacity=min(capacity, CHUNK),  # made and on its way when its input ends
    )
