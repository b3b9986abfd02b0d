"""Cell: one kernel in its place, with the contexts of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from rxml.flow.context import Context, drop
from rxml.flow.context_joining import NOTHING, settled_by, split
from rxml.flow.context_joining import joined as joint
from rxml.flow.fusion.feeding import Feeding
from rxml.flow.fusion.gathered import Gathered
from rxml.flow.fusion.shadow import Shadow
from rxml.flow.kernel import Chunkwise, Columns, Elementwise, Select, joined
from rxml.flow.node import Cardinality
from rxml.flow.supervision import Unusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.checkpointing.slot import Slot
    from rxml.flow.node import Env, KernelSpec, Node


Pushed: TypeAlias = "tuple[Sequence[Any], list[Context] | None, Exception | None]"
"""What came of a push: results in order, their contexts, and the error that stops the stream after them."""


STEADY: Final = frozenset({Elementwise, Select, Columns})
"""Kernels without state: n elements are asked of upstream for n, and they never finish."""


_FOLDING: Final = frozenset({Cardinality.FEWER, Cardinality.MANY})


class Cell(Feeding):
    """One kernel in its place in a row, with the contexts of what goes through it.

    Attributes:
        steady: the kernel has no state; it asks for n to give n, and is never finished.
    """

    __slots__ = ("_folds", "_gathered", "_last", "_shadow", "steady")

    def __init__(self, env: Env, node: Node, spec: KernelSpec, slot: Slot | None = None) -> None:
        super().__init__(env, node, spec, slot)
        self._last: Context | None = None
        self._gathered: Gathered | None = None
        self._shadow: Shadow | None = None
        self.steady: bool = type(self.kernel) in STEADY
        self._folds = not self.steady and spec.cardinality in _FOLDING

    def push(self, items: Sequence[Any], contexts: list[Context] | None) -> Pushed:
        """Feed the kernel."""
        if isinstance(self.kernel, Chunkwise):
            if contexts is None and self._gathered is not None:
                contexts = [NOTHING] * len(items)
            return self._columns(self.kernel, items, contexts)
        out: list[Any] = []
        if self.spec.opaque:
            return self._opaque(items, contexts, out)
        if contexts is None:
            if self._gathered is None:
                return out, None, self.feed(items, None, out)
            contexts = [NOTHING] * len(items)
        self._last = contexts[-1]
        if self.aligned:
            return self._in_line(items, contexts, out)
        if self.spec.cardinality is Cardinality.AT_MOST_ONE:
            return self._one_by_one(items, contexts, out)
        return self._gather(items, contexts, out)

    def flush(self) -> Pushed:
        """What is left at the end, with the contexts of the elements that it is made of, as far as is known."""
        out: Any = []
        error = None
        self.flushed = True
        try:
            if isinstance(self.kernel, Chunkwise):
                out = self.kernel.flush()
            else:
                out.extend(self.kernel.flush())
        except Exception as raised:  # noqa: BLE001 - passed on after what came before it
            error = self.noted(raised)
        return out, self._contexts_left(len(out), error), error

    def advance(self, watermark: int) -> Pushed:
        """What a watermark brings about."""
        try:
            out = self.kernel.advance(watermark)
        except Exception as raised:  # noqa: BLE001 - passed on: no element is to blame
            self.meter.failed += 1
            return (), None, self.noted(raised)
        if self._gathered is None or not len(out):
            return out, None, None
        return out, self._gathered.results(len(out), self.kernel.held()), None

    def _contexts_left(self, made: int, error: Exception | None) -> list[Context] | None:
        """The contexts of results at the end; what comes to no result is dropped then, or when the row is closed."""
        if self._shadow is not None:
            return self._shadow.flush() if error is None else [NOTHING] * made
        if self._gathered is not None:
            contexts = self._gathered.results(made, 0) if made else []
            drop(self._gathered.clear())
            return contexts
        return None if self._last is None else [settled_by(self._last, None)] * made

    def close(self) -> list[Context]:
        """The kernel is given up: what it holds counts as dropped; returns the contexts that are to be told so."""
        if not self.flushed:
            self.meter.dropped += self.kernel.held()
        parts = (self._shadow, self._gathered)
        return [context for part in parts if part is not None for context in part.clear()]

    def _opaque(
        self, items: Sequence[Any], contexts: list[Context] | None, out: list[Any]
    ) -> Pushed:
        """An opaque kernel does to numbers what it does to elements: so its results find their contexts."""
        if contexts is not None and self._shadow is None:
            again = self.spec.cardinality is Cardinality.MANY
            self._shadow = Shadow(self.spec.kernel(), self.spec.capacity, self.fed, again=again)
        self.saw(len(items))
        error = self.feed(items, None, out)
        if self._shadow is None:
            return out, None, error
        return out, self._shadow.push(contexts or [NOTHING] * len(items)), error

    def _in_line(self, items: Sequence[Any], contexts: list[Context], out: list[Any]) -> Pushed:
        """Result i takes the context of element i; those behind an error, or the end of the kernel, are dropped."""
        kept = list(contexts)
        error = self.feed(items, kept, out)
        drop(kept[len(out) :])
        return out, kept[: len(out)], error

    def _one_by_one(self, items: Sequence[Any], contexts: list[Context], out: list[Any]) -> Pushed:
        """The result that an element brings about takes its context; where there is none, it is dropped."""
        kept: list[Context] = []
        for index, (item, context) in enumerate(zip(items, contexts, strict=True)):
            alive = [context]
            error = self.feed((item,), alive, out)
            made = len(out) - len(kept)
            kept += split(context, made) if alive else [settled_by(context, None)] * made
            if error is not None or self.kernel.finished:
                drop(contexts[index + 1 :])
                return out, kept, error
        return out, kept, None

    def _gather(self, items: Sequence[Any], contexts: list[Context], out: list[Any]) -> Pushed:
        """A result takes the contexts of the elements that have come to it."""
        gathered = self._gathered = self._gathered or Gathered()
        kept: list[Context] = []
        for index, (item, context) in enumerate(zip(items, contexts, strict=True)):
            alive, kernel = [context], self.kernel
            error = self.feed((item,), alive, out)
            held, made = kernel.held(), len(out) - len(kept)
            if alive:
                gathered.add(context, held)
            kept += gathered.results(made, held) if made else ()
            if self.kernel is not kernel:
                drop(gathered.clear())
            if error is not None or self.kernel.finished:
                drop(contexts[index + 1 :])
                return out, kept, error
        return out, kept, None

    def _columns(
        self, kernel: Chunkwise[Any, Any], items: Sequence[Any], contexts: list[Context] | None
    ) -> Pushed:
        """The chunk as a whole; in halves if it fails and may be tried again; row by row where contexts tell rows apart."""
        failure: Exception | None = None
        runs = kernel.runs(items)
        if contexts is None and len(runs) == 1:
            try:
                return self._made(kernel, items)
            except Exception as raised:  # noqa: BLE001 - looked into below
                failure = raised
        beside = [None] * len(items) if contexts is None else contexts
        singly = contexts is not None and self.spec.cardinality is Cardinality.AT_MOST_ONE
        ranges = [slice(at, at + 1) for at in range(len(items))] if singly else list(runs)
        ranges.reverse()
        parts: list[Sequence[Any]] = []
        kept: list[Context] = []
        error = None
        while ranges and error is None:
            where = ranges.pop()
            try:
                if failure is not None:
                    raise failure  # noqa: TRY301 - the whole chunk has been tried already
                whole = where.stop - where.start == len(items)
                made, _, error = self._made(kernel, items if whole else items[where])
            except Exception as raised:  # noqa: BLE001 - the supervisor decides
                failure = None
                if kernel.again and where.stop - where.start > 1:
                    half = (where.start + where.stop) // 2
                    ranges += [slice(half, where.stop), slice(where.start, half)]
                    continue
                culprits = zip(items[where], beside[where], strict=True)
                error = self.blame(raised, list(culprits))
            else:
                parts.append(made)
                kept += self._beside(contexts, where, len(made), kernel.left_out)
            kernel = self._going_on(kernel)
        drop(context for where in ranges for context in beside[where])
        return joined(parts), None if contexts is None else kept, error

    def _made(self, kernel: Chunkwise[Any, Any], items: Sequence[Any]) -> Pushed:
        """What a part of a chunk comes to, and what stops the stream behind that if elements were of no use."""
        try:
            return kernel.push_all(items), None, None
        except Unusable as raised:
            return raised.made, None, self.blame_each(raised)

    def _going_on(self, kernel: Chunkwise[Any, Any]) -> Chunkwise[Any, Any]:
        """The kernel that takes what follows: after a restart a new one, and what came to the one before is dropped."""
        if self.kernel is not kernel and self._gathered is not None:
            drop(self._gathered.clear())
        return cast("Chunkwise[Any, Any]", self.kernel)

    def _beside(
        self, contexts: list[Context] | None, where: slice, made: int, left_out: Sequence[int]
    ) -> list[Context]:
        """The contexts of the results for some rows; if it is not known whose they are, each answers for all rows."""
        given = [] if contexts is None else contexts[where]
        if given and left_out:
            drop(given[place] for place in left_out)
            gone = frozenset(left_out)
            given = [each for place, each in enumerate(given) if place not in gone]
        if given and self._folds:
            return self._gather_all(given, made)
        if not given or (len(given) == made and self.spec.cardinality is not Cardinality.FEWER):
            return given
        return split(joint(given), made)

    def _gather_all(self, contexts: list[Context], made: int) -> list[Context]:
        """The contexts of results that a chunk has brought about; a result takes all that came since the one before."""
        gathered, held = self._gathered or Gathered(), self.kernel.held()
        self._gathered = gathered
        for context in contexts:
            gathered.add(context, held)
        return gathered.results(made, held) if made else []
