"""Shadow: the contexts of what comes out of a kernel that moves, keeps or drops elements without looking at them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from rxml.flow.context import Context, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rxml.flow.kernel import Kernel


NOTHING: Final = Context()
"""Beside an element that came without a context, in a stream where others have one."""


class Shadow:
    """A second kernel, in step with the first, that is fed numbers: those that come out name the contexts.

    Results must come in the order of the elements, and the kernel must hold the newest `capacity` elements at most, as
    `take`, `skip`, `take_last` and `skip_last` do. A context whose element can no longer come out is settled as dropped.

    Args:
        kernel: fresh, of the same kind.
        capacity: elements that it may hold.
        fed: elements that the first kernel has seen already, without contexts.
    """

    __slots__ = ("_capacity", "_kernel", "_next", "_pending")

    def __init__(self, kernel: Kernel[Any, Any], capacity: int, fed: int) -> None:
        self._kernel = kernel
        self._capacity = capacity
        self._next = fed
        self._pending: dict[int, Context] = {}
        kernel.push(iter(range(fed)), [])

    def push(self, contexts: list[Context]) -> list[Context]:
        """The contexts of the results that elements with these contexts bring about."""
        numbers = range(self._next, self._next + len(contexts))
        self._next = numbers.stop
        self._pending.update(zip(numbers, contexts, strict=True))
        out: list[int] = []
        self._kernel.push(iter(numbers), out)
        return self._taken(out, self._capacity)

    def flush(self) -> list[Context]:
        """The contexts of what is left at the end."""
        return self._taken(self._kernel.flush(), 0)

    def _taken(self, numbers: Iterable[int], held: int) -> list[Context]:
        taken = [self._pending.pop(number, NOTHING) for number in numbers]
        for number in list(islice(self._pending, max(0, len(self._pending) - held))):
            self._pending.pop(number).settled(Outcome.DROPPED)
        return taken
