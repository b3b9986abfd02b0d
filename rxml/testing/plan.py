"""Plan: all that is chosen about one run of an operator; and Play: what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.chunk import CHUNK, UNBOUNDED, Chunk
from rxml.testing.script import End, Fail, Never, Step

if TYPE_CHECKING:
    from rxml.flow.context import Context
    from rxml.testing.misdeeds import Misdeed
    from rxml.testing.script import Scripted
    from rxml.testing.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Plan:
    """How one run goes.

    Attributes:
        steps: what the source plays.
        demands: what the sink asks for, over and over.
        pause: seconds that the sink waits before each request; 0 only until nothing is ready, None not at all.
        fuse: False gives each synchronous stage a loop of its own.
        seed: of the order in which ready tasks run; None is asyncio's own.
        contexts: whether each element has a context.
        patience: seconds after which the sink stops waiting, or None: the stream must end.
        release_seconds: how long the source takes to be released.
        release_error: what it raises then.
        misdeed: a rule that the source breaks; it then gives the elements of the steps, and nothing else of them.
    """

    steps: tuple[Step, ...]
    demands: tuple[int, ...] = (UNBOUNDED,)
    pause: float | None = None
    fuse: bool = True
    seed: int | None = None
    contexts: bool = False
    patience: float | None = None
    release_seconds: float = 0.0
    release_error: Exception | None = None
    misdeed: Misdeed | None = None

    def but(self, **changes: Any) -> Plan:
        """The same plan with some choices changed."""
        return replace(self, **changes)

    def demand(self, index: int) -> int:
        """What request number `index` asks for."""
        return self.demands[index % len(self.demands)]

    @property
    def elements(self) -> list[Any]:
        """What the source gives, in order."""
        return [item for step in self.steps if isinstance(step, Chunk) for item in step.elements]

    @property
    def failure(self) -> Exception | None:
        """What the source fails with, if it does."""
        last = self.steps[-1] if self.steps else None
        return last.error if isinstance(last, Fail) else None

    @override
    def __str__(self) -> str:
        lines = [f"input      {_listed(self.elements)}, {self._ending()}"]
        shown = [_shown(step) for step in self.steps[:_MOST]]
        if len(self.steps) > _MOST:
            shown.append(f"and {len(self.steps) - _MOST} steps more")
        lines.append(f"script     {', '.join(shown) or 'nothing'}")
        lines.append(f"demand     {', '.join(map(_demand, self.demands))}{self._again()}")
        if self.pause is not None:
            lines.append(f"sink       waits {self.pause:g} s before each request")
        if self.seed is not None:
            lines.append(f"order      ready tasks run in the order of seed {self.seed}")
        if not self.fuse:
            lines.append("fused      no")
        if self.misdeed is not None:
            lines.append(f"source     {self.misdeed.value}")
        if self.release_error is not None:
            lines.append(f"release    of the source raises {self.release_error!r}")
        return "\n".join(lines)

    def _ending(self) -> str:
        last = self.steps[-1] if self.steps else End()
        match last:
            case Fail():
                return f"then {last.error!r}"
            case Never():
                return "then nothing more"
            case _:
                return "then the end"

    def _again(self) -> str:
        return ", and so on again" if len(self.demands) > 1 else " each time"


_MOST: Final = 16
_ALL: Final = "as much as is ready"


def _demand(n: int) -> str:
    return _ALL if n > CHUNK else str(n)


def _listed(elements: list[Any]) -> str:
    if len(elements) <= _MOST:
        return repr(elements)
    return f"{repr(elements[:_MOST])[:-1]}, and {len(elements) - _MOST} more]"


def _shown(step: Step) -> str:
    return f"chunk of {_listed(list(step.elements))}" if isinstance(step, Chunk) else repr(step)


@dataclass(frozen=True, slots=True)
class Play:
    """What came of a plan.

    Attributes:
        plan: the plan.
        timeline: what happened at the source and at the sink.
        source: the source that was played.
        answers: each answer, with the demand that it answers.
        error: what the stream failed with.
        ended: whether it ended; without an error and an end, the sink stopped asking.
        seconds: virtual time that it took.
        emitted: elements that each stage handed on.
    """

    plan: Plan
    timeline: Timeline
    source: Scripted
    answers: tuple[tuple[int, Chunk[Any]], ...]
    error: Exception | None
    ended: bool
    seconds: float
    emitted: tuple[tuple[str, int], ...]

    @property
    def results(self) -> list[Any]:
        """All elements that came out."""
        return [item for _, chunk in self.answers for item in chunk.elements]

    @property
    def contexts(self) -> list[Context | None]:
        """What travelled beside them."""
        found: list[Context | None] = []
        for _, chunk in self.answers:
            found.extend(chunk.contexts or [None] * len(chunk))
        return found

    @property
    def terminal(self) -> str:
        """How it ended, in words."""
        if self.error is not None:
            return f"then {self.error!r}"
        return "then the end" if self.ended else "and no end"
