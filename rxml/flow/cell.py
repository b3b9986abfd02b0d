"""Cell: one kernel in its place, with what happens when it fails."""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any, NamedTuple

from rxml.flow.context import Context, Outcome
from rxml.flow.kernel import Columns
from rxml.flow.node import Cardinality
from rxml.flow.supervision import DeadLetter, Directive, annotate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rxml.flow.node import Env, KernelSpec, Node


class Pushed(NamedTuple):
    """What came of a push: results in order, their contexts, and the error that stops the stream after them."""

    out: Sequence[Any]
    contexts: list[Context] | None
    error: Exception | None


class Cell:
    """One kernel: its state, its counters, and the supervisor that it answers to."""

    __slots__ = ("_env", "_last", "_node", "kernel", "meter", "spec")

    def __init__(self, env: Env, node: Node, spec: KernelSpec) -> None:
        self._env = env
        self._node = node
        self._last: Context | None = None
        self.spec = spec
        self.kernel = spec.kernel()
        self.meter = env.meter(node)

    def push(self, items: Sequence[Any], contexts: list[Context] | None) -> Pushed:
        """Feed the kernel."""
        if contexts:
            self._last = contexts[-1]
        if isinstance(self.kernel, Columns):
            return self._columns(self.kernel, items, contexts)
        out: list[Any] = []
        if contexts is None:
            return Pushed(out, None, self._feed(items, None, out))
        if self.spec.aligned:
            kept = list(contexts)
            error = self._feed(items, kept, out)
            return Pushed(out, kept[: len(out)], error)
        return self._one_by_one(items, contexts)

    def flush(self) -> Pushed:
        """What is left at the end; it takes the context of the last element."""
        out: list[Any] = []
        error = None
        try:
            out.extend(self.kernel.flush())
        except Exception as raised:  # noqa: BLE001 - passed on after what came before it
            error = self._noted(raised)
        return Pushed(out, None if self._last is None else [self._last] * len(out), error)

    def _one_by_one(self, items: Sequence[Any], contexts: list[Context]) -> Pushed:
        """The results that an element brings about take its context."""
        out: list[Any] = []
        kept: list[Context] = []
        for item, context in zip(items, contexts, strict=True):
            error = self._feed((item,), [context], out)
            made = len(out) - len(kept)
            kept.extend([context] * made)
            if made == 0 and error is None and self.spec.cardinality is Cardinality.AT_MOST_ONE:
                context.settled(Outcome.DROPPED)
            if error is not None or self.kernel.finished:
                return Pushed(out, kept, error)
        return Pushed(out, kept, None)

    def _columns(
        self, kernel: Columns[Any, Any], items: Sequence[Any], contexts: list[Context] | None
    ) -> Pushed:
        try:
            out = kernel.push_all(items)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            if self._directive(error) is Directive.STOP:
                return Pushed((), contexts and [], error)
            for item, context in zip(items, contexts or [None] * len(items), strict=True):
                self._bury(item, error, context)
            return Pushed((), contexts and [], None)
        if contexts is not None and len(out) != len(items):
            contexts = [contexts[-1]] * len(out)
        return Pushed(out, contexts, None)

    def _feed(
        self, items: Sequence[Any], contexts: list[Context] | None, out: list[Any]
    ) -> Exception | None:
        sized = items if isinstance(items, list | tuple) else list(items)
        rest = iter(sized)
        while True:
            try:
                self.kernel.push(rest, out)
            except Exception as error:  # noqa: BLE001 - the supervisor decides
                if self._directive(error) is Directive.STOP:
                    return error
                self._leave_out(sized, rest, contexts, error)
            else:
                return self._unfinished(rest)

    def _unfinished(self, rest: Iterator[Any]) -> Exception | None:
        """A StopIteration of the user's function ends `map` in silence: that is an error, not an end."""
        if length_hint(rest) == 0 or self.kernel.finished:
            return None
        return self._noted(RuntimeError(f"{self.spec.name}: the function raised StopIteration"))

    def _directive(self, error: Exception) -> Directive:
        self.meter.failed += 1
        directive = self._env.supervisor.decide(self._noted(error))
        if directive is Directive.RESTART:
            self.kernel = self.spec.kernel()
        return directive

    def _leave_out(
        self,
        items: Sequence[Any],
        rest: Iterator[Any],
        contexts: list[Context] | None,
        error: Exception,
    ) -> None:
        culprit = len(items) - length_hint(rest) - 1
        context = None
        if contexts is not None:
            gone = len(items) - len(contexts)
            context = contexts.pop(culprit - gone)
        self._bury(items[culprit], error, context)

    def _bury(self, item: Any, error: Exception, context: Context | None) -> None:
        self._env.supervisor.bury(DeadLetter(item, error, self.spec.name, context))

    def _noted(self, error: Exception) -> Exception:
        annotate(error, self._env.where(self._node))
        return error
