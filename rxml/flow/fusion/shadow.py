"""Shadow: the contexts of what comes out of a kernel that moves, keeps or drops elements without looking at them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from rxml.flow.context import drop
from rxml.flow.context_joining import NOTHING, Tally, joined, settled_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rxml.flow.context import Context
    from rxml.flow.kernel import Kernel


class Shadow:
    """A second kernel, in step with the first, that is fed numbers: those that come out name the contexts.

    Results must come in the order of the elements, and the kernel must hold the newest `capacity` elements at most, as
    `take`, `skip`, `take_last` and `skip_last` do. A result may also be a list of elements, as those of `buffer` are: it
    has the contexts of all of them, joined. The context of an element that can come out no more is settled as dropped.

    Args:
        kernel: fresh, of the same kind.
        capacity: elements that it may hold.
        fed: elements that the first kernel has seen already, without contexts.
        again: an element may come out several times: it has ended when all of these have.
    """

    __slots__ = ("_again", "_capacity", "_kernel", "_next", "_pending", "_tallies")

    def __init__(
        self, kernel: Kernel[Any, Any], capacity: int, fed: int, *, again: bool = False
    ) -> None:
        self._kernel = kernel
        self._capacity = capacity
        self._next = fed
        self._again = again
        self._pending: dict[int, Context] = {}
        self._tallies: dict[int, Tally] = {}
        kernel.push(iter(range(fed)), [])

    def push(self, contexts: list[Context]) -> list[Context]:
        """The contexts of the results that elements with these contexts bring about."""
        numbers = range(self._next, self._next + len(contexts))
        self._next = numbers.stop
        if self._again:
            contexts = list(map(self._counted, numbers, contexts))
        self._pending.update(zip(numbers, contexts, strict=True))
        out: list[Any] = []
        self._kernel.push(iter(numbers), out)
        return self._taken(out, self._capacity)

    def flush(self) -> list[Context]:
        """The contexts of what is left at the end."""
        return self._taken(self._kernel.flush(), 0)

    def clear(self) -> list[Context]:
        """The contexts of all that might still have come out."""
        return self._gone(0)

    def _counted(self, number: int, context: Context) -> Context:
        """A context that is settled when nothing more comes of the element."""
        tally = self._tallies[number] = Tally(context)
        return settled_by(context, lambda _: tally.close())

    def _taken(self, results: Iterable[Any], held: int) -> list[Context]:
        one = self._copy if self._again else self._one
        taken = [
            joined(list(map(one, result))) if result.__class__ is list else one(result)
            for result in results
        ]
        drop(self._gone(held))
        return taken

    def _one(self, number: int) -> Context:
        return self._pending.pop(number, NOTHING)

    def _copy(self, number: int) -> Context:
        tally = self._tallies.get(number)
        return NOTHING if tally is None else tally.copies(1)[0]

    def _gone(self, held: int) -> list[Context]:
        """Take out all but the newest."""
        numbers = list(islice(self._pending, max(0, len(self._pending) - held)))
        for number in numbers if self._again else ():
            del self._tallies[number]
        return [self._pending.pop(number) for number in numbers]
