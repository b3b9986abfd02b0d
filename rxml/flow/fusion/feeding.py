"""Feeding: one kernel, what happens when it fails, and its state in checkpoints."""

from __future__ import annotations

import logging
from functools import partial
from operator import length_hint
from typing import TYPE_CHECKING, Any, Final

from rxml.flow.context import drop
from rxml.flow.supervision import DeadLetter, Directive, Fatal, Unusable, noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rxml.flow.checkpointing.slot import Slot
    from rxml.flow.context import Context
    from rxml.flow.kernel import Kernel
    from rxml.flow.node import Env, KernelSpec, Node
    from rxml.flow.statistics import Meter

_LOG: Final = logging.getLogger("rxml.flow")
_SHOWN: Final = 200
_LOGGED: Final = 8
"""Elements of no use that are logged one by one; of those behind them the 16th, the 32nd and so on."""


class Feeding:
    """One kernel: its state, its counters, and the supervisor that it answers to.

    Args:
        env: of the run.
        node: the stage.
        spec: of the stage.
        slot: its place in checkpoints, or None in a run without.

    Attributes:
        excused: elements of no use that have stopped nothing, and were logged.
        fed: elements that an opaque kernel has seen.
        flushed: the kernel has given what was left at its end.
        aligned: result i belongs to element i.
        measured: seconds spent in `push` and `flush` alone, for the share of this kernel where several run as one.
    """

    __slots__ = (
        "_env",
        "_node",
        "_slot",
        "aligned",
        "excused",
        "fed",
        "flushed",
        "kernel",
        "measured",
        "meter",
        "spec",
    )

    def __init__(self, env: Env, node: Node, spec: KernelSpec, slot: Slot | None = None) -> None:
        self._env = env
        self._node = node
        self._slot = slot
        self.fed: int = 0
        self.excused: int = 0
        self.flushed: bool = False
        self.measured: float = 0.0
        self.spec: KernelSpec = spec
        self.aligned: bool = spec.aligned
        self.kernel: Kernel[Any, Any] = spec.kernel()
        self.meter: Meter = env.meter(node)

    def resume(self) -> bool:
        """Go on from the last checkpoint; returns whether the kernel had ended by then."""
        if self._slot is None:
            return False
        if self._slot.was_ended:
            self.flushed = True
            return True
        kept = self._slot.state(self.kernel.version)
        if kept is not None:
            self.fed, state = kept[0]
            self._slot.named(partial(self.kernel.restore, state))
        return False

    def saw(self, count: int) -> None:
        """An opaque kernel has seen so many elements."""
        self.fed += count

    def keep(self, barrier: int, *, ended: bool) -> None:
        """A barrier has come through the row."""
        if self._slot is not None:
            state = None if ended else [self.fed, self._slot.named(self.kernel.snapshot)]
            self._slot.keep(barrier, self.kernel.version, state, ended=ended)

    def leave(self) -> None:
        """The row has ended."""
        if self._slot is not None:
            self._slot.leave()

    def took(self, seconds: float) -> None:
        """Count time that the kernel spent, by itself."""
        self.meter.busy += seconds
        self.measured += seconds
        if self.kernel.lost:
            self.meter.dropped += self.kernel.lost
            self.kernel.lost = 0
        if self.kernel.evicted:
            self.meter.evicted += self.kernel.evicted
            self.kernel.evicted = 0

    def failed(self, raised: Exception, item: Any) -> Exception | None:
        """What follows from an error that the kernel's function raised on an item; None: the item is left out."""
        return self.blame(raised, [(item, None)])

    def feed(
        self, items: Sequence[Any], contexts: list[Context] | None, out: list[Any]
    ) -> Exception | None:
        """Push until all items are taken, or one stops the stream; takes the contexts of those left out."""
        sized = items if items.__class__ is list or items.__class__ is tuple else list(items)
        rest = iter(sized)
        left = len(sized)
        while True:
            try:
                self.kernel.push(rest, out)
                if self.aligned and len(out) == len(sized):
                    return None
                if self.kernel.finished or _exhausted(rest):
                    return None
                raise StopIteration  # noqa: TRY301 - swallowed by `map` or its like; the supervisor decides
            except Fatal as raised:
                return self.blame(raised, [])
            except Exception as raised:  # noqa: BLE001 - the supervisor decides
                now = length_hint(rest)
                beside = None if contexts is None or now == left else contexts.pop(-now - 1)
                error = self.blame(raised, [(sized[-now - 1], beside)] if now < left else [])
                left = now
            if error is not None:
                return error

    def blame(
        self, raised: Exception, culprits: Sequence[tuple[Any, Context | None]]
    ) -> Exception | None:
        """Ask the supervisor; returns what stops the stream, or None once the culprits are buried."""
        self.meter.failed += len(culprits) or 1
        if isinstance(raised, Fatal):
            drop(context for _, context in culprits)
            return self.noted(raised.error)
        error = self.noted(raised)
        name = self.spec.name
        letters = [DeadLetter(item, error, name, context) for item, context in culprits]
        directive, error = self._env.supervisor.handle(error, letters)
        if directive is Directive.STOP or not culprits:
            return self.noted(error)
        if directive is Directive.RESTART:
            self._restart()
        return None

    def blame_each(self, raised: Unusable) -> Exception | None:
        """Ask the supervisor about each element that is of no use; returns what stops the stream, or None."""
        way = self._excuse if raised.harmless else self._accuse
        for item, error in raised.elements:
            if (stopped := way(item, error)) is not None:
                return stopped
        return None

    def _accuse(self, item: Any, error: Exception) -> Exception | None:
        return self.blame(error, [(item, None)])

    def _excuse(self, item: Any, error: Exception) -> Exception | None:
        """An element that may harm nobody: only what the supervisor's own functions raise stops the stream."""
        self.meter.failed += 1
        error, supervisor = self.noted(error), self._env.supervisor
        letter = DeadLetter(item, error, self.spec.name)
        directive, another = supervisor.handle(error, [letter])
        if another is not error:
            return self.noted(another)
        buried = supervisor.dead_letters is not None and not supervisor.answering
        if directive is Directive.STOP or not buried:
            self.meter.dropped += 1
            self._log(item, error)
        return None

    def _log(self, item: Any, error: Exception) -> None:
        """Of a flood not each: the log must not hold up who is answered."""
        self.excused += 1
        if self.excused > _LOGGED and self.excused & (self.excused - 1):
            return
        kind, name = type(item).__name__.lower(), self.spec.name
        text = f", the {self.excused}th" if self.excused > _LOGGED else ""
        _LOG.warning("%s: a %s is of no use%s: %s: %s", name, kind, text, _shown(item), error)

    def _restart(self) -> None:
        self.meter.dropped += self.kernel.held()
        self.kernel = self.spec.kernel()

    def noted(self, error: Exception) -> Exception:
        """The error with a note that names the stage."""
        return noted(error, self._env.where(self._node))


def _shown(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _exhausted(rest: Iterator[Any]) -> bool:
    """Whether an iterator over a list or tuple has been asked for more than it had: it then lets go of the list.

    `map` and its like end in silence when a function raises StopIteration: that is an error, not an end. An iterator
    that has given its last element and was not asked again shows that.
    """
    return len(rest.__reduce__()) == 2
