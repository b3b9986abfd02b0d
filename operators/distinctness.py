"""The operator that leaves out what came before: bounded in what it remembers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from rxml.flow.check import permit_function, require_count
from rxml.flow.kernel import Kernel
from rxml.flow.kinds import fold, label
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.flow.shapes import Same

A = TypeVar("A")
K = TypeVar("K")


class _Seen(Kernel[A, A]):
    """Remembers the newest keys, in the order in which they came."""

    def __init__(self, mapper: Callable[[A], Any] | None, max_keys: int) -> None:
        self._mapper = mapper
        self._most = max_keys
        self._keys: deque[Any] = deque()

    def new(self, key: Any) -> bool:
        """Whether no key that is remembered is the same; this one is remembered then."""
        raise NotImplementedError

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        mapper, new, append = self._mapper, self.new, out.append
        for item in items:
            if new(item if mapper is None else mapper(item)):
                append(item)

    @override
    def snapshot(self) -> Any:
        return list(self._keys)

    @override
    def restore(self, state: Any) -> None:
        for key in state:
            self.new(key)


class _Compared(_Seen[A]):
    """Compares each key with all that are remembered, by a function of the user's."""

    def __init__(
        self,
        mapper: Callable[[A], Any] | None,
        max_keys: int,
        comparer: Callable[[Any, Any], object],
    ) -> None:
        super().__init__(mapper, max_keys)
        self._comparer = comparer

    @override
    def new(self, key: Any) -> bool:
        comparer = self._comparer
        if any(comparer(known, key) for known in self._keys):
            return False
        if len(self._keys) == self._most:
            self._keys.popleft()
        self._keys.append(key)
        return True


class _Hashed(_Seen[A]):
    """Looks hashable keys up, and compares others one by one: the same as comparing all, only faster.

    A key that differs from itself, such as NaN, is always new and is not remembered.
    """

    def __init__(self, mapper: Callable[[A], Any] | None, max_keys: int) -> None:
        super().__init__(mapper, max_keys)
        self._table: dict[Any, None] = {}  # a set would find an unhashable set among frozensets
        self._loose: deque[Any] = deque()

    @override
    def push(self, items: Iterator[A], out: list[A]) -> None:
        mapper, table, new, append = self._mapper, self._table, self.new, out.append
        for item in items:
            key = item if mapper is None else mapper(item)
            try:
                known = key in table and key == key  # noqa: PLR0124 - NaN
            except TypeError:
                known = False
            if not known and new(key):
                append(item)

    @override
    def new(self, key: Any) -> bool:
        try:
            if key in self._table:
                return bool(key != key)  # noqa: PLR0124 - NaN
            hashable, others = True, self._loose
        except TypeError:
            hashable, others = False, self._keys
        if key != key:  # noqa: PLR0124 - NaN
            return True
        if others and any(known == key for known in others):
            return False
        if len(self._keys) == self._most:
            self._forget(self._keys.popleft())
        self._keys.append(key)
        if hashable:
            self._table[key] = None
        else:
            self._loose.append(key)
        return True

    def _forget(self, key: Any) -> None:
        if self._loose and self._loose[0] is key:
            self._loose.popleft()
        else:
            self._table.pop(key, None)


def distinct(
    key_mapper: Callable[[A], K] | None = None,
    comparer: Callable[[K, K], object] | None = None,
    *,
    max_keys: int = 100_000,
) -> Same:
    """Leave out elements that came before, as far back as is remembered.

    Marble:
        --1--2--1--3--2--|
        distinct()
        --1--2-----3-----|

    Demand: n elements for n; asks again while all are left out.
    Buffers: `max_keys` keys. When one more is new, the oldest is forgotten, and would be new if it came again.
    Emits: each element whose key is not remembered.
    Completes: with upstream.
    Fails: with upstream, or when a function or a comparison raises, after the elements before.
    Cancels: upstream, at once.
    Cost: one look-up an element; O(keys) an element with a comparer, or where keys are not hashable.

    Args:
        key_mapper: what is compared; None: the element. NaN equals nothing, so each one comes out.
        comparer: called with a remembered key and the new one, true if they are the same; None is `==`.
        max_keys: keys to remember, >= 1.

    Raises:
        TypeError: an argument is not a function, or a coroutine function.
        CountError: max_keys is below 1 (a ValueError).

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> asyncio.run(rxml.of(1, 2, 1, 3, 2).pipe(ops.distinct()).to_list())
        [1, 2, 3]
    """
    permit_function("distinct", key_mapper, "makes the key of an element")
    permit_function("distinct", comparer, "says whether two keys are the same")
    bound = require_count("distinct(max_keys)", max_keys, least=1)

    def kernel() -> Kernel[Any, Any]:
        if comparer is None:
            return _Hashed(key_mapper, bound)
        return _Compared(key_mapper, bound, comparer)

    return fold(
        "distinct" if key_mapper is None else label("distinct", key_mapper),
        kernel,
        cardinality=Cardinality.AT_MOST_ONE,
        capacity=bound,
        passes=True,
    )
