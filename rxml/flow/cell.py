"""Cell: one kernel in its place, with what happens when it fails.

`push` is called for each chunk and each kernel, hence its flat form: the error comes out by the attribute, not in a record.
"""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any

from rxml.flow.context import Context, Outcome
from rxml.flow.kernel import Columns
from rxml.flow.node import Cardinality
from rxml.flow.supervision import DeadLetter, Directive, annotate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rxml.flow.node import Env, KernelSpec, Node


class Cell:
    """One kernel: its state, its counters, and the supervisor that it answers to.

    Attributes:
        error: what stops the stream after the results of the last push or flush.
    """

    __slots__ = ("_env", "_last", "_node", "error", "kernel", "meter", "spec")

    def __init__(self, env: Env, node: Node, spec: KernelSpec) -> None:
        self._env = env
        self._node = node
        self._last: Context | None = None
        self.error: Exception | None = None
        self.spec = spec
        self.kernel = spec.kernel()
        self.meter = env.meter(node)

    def push(self, items: Sequence[Any]) -> Sequence[Any]:
        """Feed the kernel with elements that have no contexts; returns the results."""
        kernel = self.kernel
        if isinstance(kernel, Columns):
            return self._columns(kernel, items, None)[0]
        out: list[Any] = []
        sized = items if items.__class__ is list else list(items)
        rest = iter(sized)
        try:
            kernel.push(rest, out)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._recover(sized, rest, None, out, error)
        else:
            if length_hint(rest) and not kernel.finished:
                self._unfinished()
        return out

    def push_with(
        self, items: Sequence[Any], contexts: list[Context]
    ) -> tuple[Sequence[Any], list[Context]]:
        """Feed the kernel; returns the results and their contexts."""
        self._last = contexts[-1]
        if isinstance(self.kernel, Columns):
            out, kept = self._columns(self.kernel, items, contexts)
            return out, kept or []
        if not self.spec.aligned:
            return self._one_by_one(items, contexts)
        results: list[Any] = []
        left = list(contexts)
        self._feed(list(items), left, results)
        return results, left[: len(results)]

    def flush(self) -> list[Any]:
        """What is left at the end."""
        out: list[Any] = []
        try:
            out.extend(self.kernel.flush())
        except Exception as raised:  # noqa: BLE001 - passed on after what came before it
            self.error = self._noted(raised)
        return out

    def flushed_contexts(self, count: int) -> list[Context] | None:
        """Contexts of what was flushed: that of the last element, if elements have contexts here."""
        return None if self._last is None else [self._last] * count

    def _one_by_one(
        self, items: Sequence[Any], contexts: list[Context]
    ) -> tuple[Sequence[Any], list[Context]]:
        """The results that an element brings about take its context."""
        out: list[Any] = []
        kept: list[Context] = []
        for item, context in zip(items, contexts, strict=True):
            self._feed([item], [context], out)
            made = len(out) - len(kept)
            kept.extend([context] * made)
            if made == 0 and self.spec.cardinality is Cardinality.AT_MOST_ONE and not self.error:
                context.settled(Outcome.DROPPED)
            if self.error is not None or self.kernel.finished:
                break
        return out, kept

    def _columns(
        self, kernel: Columns[Any, Any], items: Sequence[Any], contexts: list[Context] | None
    ) -> tuple[Sequence[Any], list[Context] | None]:
        try:
            out = kernel.push_all(items)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            if self._directive(error) is Directive.STOP:
                self.error = error
            else:
                for item, context in zip(items, contexts or [None] * len(items), strict=True):
                    self._bury(item, error, context)
            return (), contexts and []
        if contexts is not None and len(out) != len(items):
            contexts = [contexts[-1]] * len(out)
        return out, contexts

    def _feed(self, items: list[Any], contexts: list[Context] | None, out: list[Any]) -> None:
        rest = iter(items)
        try:
            self.kernel.push(rest, out)
        except Exception as error:  # noqa: BLE001 - the supervisor decides
            self._recover(items, rest, contexts, out, error)
        else:
            if length_hint(rest) and not self.kernel.finished:
                self._unfinished()

    def _recover(
        self,
        items: list[Any],
        rest: Iterator[Any],
        contexts: list[Context] | None,
        out: list[Any],
        error: Exception,
    ) -> None:
        """Ask the supervisor, leave the culprit out, and go on with the rest, until an error stops the stream."""
        while True:
            if self._directive(error) is Directive.STOP:
                self.error = error
                return
            self._leave_out(items, rest, contexts, error)
            try:
                self.kernel.push(rest, out)
            except Exception as following:  # noqa: BLE001 - the supervisor decides
                error = following
            else:
                if length_hint(rest) and not self.kernel.finished:
                    self._unfinished()
                return

    def _unfinished(self) -> None:
        """A StopIteration of the user's function ends `map` in silence: that is an error, not an end."""
        message = f"{self.spec.name}: the function raised StopIteration"
        self.error = self._noted(RuntimeError(message))

    def _directive(self, error: Exception) -> Directive:
        self.meter.failed += 1
        directive = self._env.supervisor.decide(self._noted(error))
        if directive is Directive.RESTART:
            self.kernel = self.spec.kernel()
        return directive

    def _leave_out(
        self,
        items: list[Any],
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
