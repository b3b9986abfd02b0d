"""Fold: a kernel that makes one result of all elements, at the speed of `itertools.accumulate`."""

from __future__ import annotations

from collections import deque
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

from rxml.flow.chunk import CHUNK
from rxml.flow.empty import NoElementsError
from rxml.flow.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

A = TypeVar("A")
B = TypeVar("B")

ABSENT: Final[Any] = object()
"""No accumulation yet, and no seed. (None is an element like any other.)"""


def accumulated(
    accumulator: Callable[[Any, Any], Any], state: Any, items: Iterator[Any]
) -> Iterator[Any]:
    """The accumulations from `state` on, one for each item; without a state the first item is the first of them."""
    if state is ABSENT:
        return accumulate(items, accumulator)
    following = accumulate(chain((state,), items), accumulator)
    next(following)
    return following


class Fold(Kernel[A, B]):
    """Accumulates, and gives the accumulation when the stream ends.

    Args:
        name: of the stage, for the error of a stream without elements.
        accumulator: called with the accumulation and the element.
        seed: the accumulation before the first element, or ABSENT.
        mapper: applied to each element first, if given.
    """

    def __init__(
        self,
        name: str,
        accumulator: Callable[[Any, Any], B],
        seed: Any = ABSENT,
        mapper: Callable[[A], Any] | None = None,
    ) -> None:
        self._name = name
        self._accumulator = accumulator
        self._mapper = mapper
        self._state = seed

    @override
    def demand(self, n: int) -> int:
        return CHUNK

    @override
    def push(self, items: Iterator[A], out: list[B]) -> None:
        mapped = items if self._mapper is None else map(self._mapper, items)
        newest: deque[Any] = deque((self._state,), maxlen=1)
        try:
            newest.extend(accumulated(self._accumulator, self._state, mapped))
        finally:
            self._state = newest[0]

    @override
    def flush(self) -> Iterable[B]:
        if self._state is ABSENT:
            raise NoElementsError(self._name)
        return (self._state,)

    @override
    def snapshot(self) -> Any:
        return [] if self._state is ABSENT else [self._state]

    @override
    def restore(self, state: Any) -> None:
        self._state = state[0] if state else ABSENT
