"""Arm: one of several that can answer."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import PipelineError, UnacceptedError
from rxml.flow.check import PLAIN, permit_function, require_callable
from rxml.flow.context import BESIDE, Context
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.service import Service
from rxml.models.model import Model, Release
from rxml.models.scoring.places import auto
from rxml.models.scoring.settings import Settings
from rxml.models.scoring.stage import ScoreStage
from rxml.resilience.numbers import require_range
from rxml.resilience.quantile import RecentQuantile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.models.scoring.place import Place
    from rxml.models.signature import Signature

_KNOWN: Final = 20
"""Durations that must be known before an arm has a p95."""

_BYTES: Final = 64 * 2**20


class Arm:
    """One that can answer: a model, an operator, a service or a coroutine function.

    Args:
        what: a model or a flow of editions, which is scored in a service of its own; an operator that gives one result for
            each element, the same; a `Service`, which somebody else starts; or a coroutine function of an element.
        on: where a model runs; see `ops.score`.
        accept: whether what it gives is an answer; what is none counts as a failure.
        inflation: by how much its answers are less certain than those of the others, >= 1.

    Raises:
        PipelineError: none of these.
        ValueError: a number out of its range.
    """

    __slots__ = ("accept", "inflation", "on", "what")

    def __init__(
        self,
        what: Any,
        *,
        on: Place | None = None,
        accept: Callable[[Any], object] | None = None,
        inflation: float = 1.0,
    ) -> None:
        if not isinstance(what, Model | Flowable | Service):
            require_callable("Arm", what, "answers an element, or a model, an operator or a service")  # fmt: skip
        permit_function("Arm(accept=)", accept, "says whether something is an answer", PLAIN)
        self.what: Any = what
        self.on: Place | None = on
        self.accept: Callable[[Any], object] | None = accept
        self.inflation: float = require_range("Arm(inflation)", inflation, 1)


@dataclass(frozen=True, slots=True)
class ArmStatistics:
    """What is known of an arm.

    Attributes:
        standing: `in`, `out` or `probing`.
        share: of the latest first choices, 0 to 1.
        asked: calls that were made to it.
        answered: calls that it answered.
        p95: seconds within which it answers as a rule, or None while that is unknown.
    """

    standing: str
    share: float
    asked: int
    answered: int
    p95: float | None


class Seat:
    """An arm at work, with what is known of how long it takes.

    Args:
        name: of the arm.
        arm: what answers.

    Attributes:
        name: as given.
        arm: as given.
        service: that the supervisor starts and ends for it, or None.
        signature: of its model, if it has one.
        asked: first choices for an element, and further ones.
        answered: answers that it gave.
    """

    def __init__(self, name: str, arm: Arm) -> None:
        self.name: str = name
        self.arm: Arm = arm
        self.asked: int = 0
        self.answered: int = 0
        self._times = RecentQuantile(128)
        self.signature: Signature | None = getattr(arm.what, "signature", None)
        self.service: Service[Any, Any] | None = _service(name, arm)
        self._ask = _asker(arm, self.service)

    def ask(self, item: Any, limit: float) -> Awaitable[Any]:
        """What it says of an element, to be there by a moment of the loop's clock."""
        return self._ask(item, limit)

    def require(self, value: Any) -> None:
        """Refuse what is no answer.

        Raises:
            UnacceptedError: it is none.
        """
        accept = self.arm.accept
        if accept is not None and not accept(value):
            raise UnacceptedError(f"{self.name} gave what is not accepted as an answer")

    def took(self, seconds: float) -> None:
        """It has answered within so many seconds."""
        self._times.add(seconds)

    @property
    def ready(self) -> bool:
        """Whether it could answer now; not while a model is loaded, or what it runs in is started anew."""
        given: Any = self.service or self.arm.what
        return given.ready if isinstance(given, Service) else True

    @property
    def p95(self) -> float | None:
        """Seconds within which it answers as a rule; None while that is unknown."""
        return self._times.quantile(0.95) if len(self._times) >= _KNOWN else None


def _service(name: str, arm: Arm) -> Service[Any, Any] | None:
    what: Any = arm.what
    if isinstance(what, Flowable | Model):
        return Service(_scoring(name, arm))
    if isinstance(what, Service) or _is_coroutine_function(what):
        return None
    return Service(what)


def _is_coroutine_function(what: Any) -> bool:
    called = getattr(what, "__call__", None)  # noqa: B004 - objects with an async __call__
    return inspect.iscoroutinefunction(what) or inspect.iscoroutinefunction(called)


def _asker(arm: Arm, service: Service[Any, Any] | None) -> Callable[[Any, float], Awaitable[Any]]:
    asked: Any = arm.what
    if service is None and not isinstance(arm.what, Service):
        return lambda item, limit: _called(asked, item, limit)
    given: Any = service or asked
    return lambda item, limit: _served(given, item, limit)


def _served(service: Service[Any, Any], item: Any, limit: float) -> asyncio.Future[Any]:
    context = BESIDE.get() or Context()
    left = limit - asyncio.get_running_loop().time()
    within = None if limit == inf else max(0.0, left)
    return service.ask(item, within=within, priority=context.priority, trace=context.trace)


async def _called(function: Callable[[Any], Awaitable[Any]], item: Any, limit: float) -> Any:
    """A function sees the time that it has as the deadline of its element."""
    context = BESIDE.get() or Context()
    token = BESIDE.set(replace(context, deadline=limit))
    try:
        return await function(item)
    finally:
        BESIDE.reset(token)


def _scoring(name: str, arm: Arm) -> Operator[Any, Any]:
    """As `ops.score`, with its defaults; a model that has a name of its own keeps it."""
    model: Any = arm.what
    named = getattr(model, "release", None) is not None or isinstance(arm.what, Flowable)
    settings = Settings(
        model=model,
        release=None if named else Release(name, "", model.digest),
        place=arm.on or auto(),
        ordered=False,
        budget=0.02,
        most=1024,
        capacity=4096,
        max_bytes=_BYTES,
        patience=0.1,
        overlap=True,
        on_swap=None,
    )

    def open_(env: Env, node: Node) -> ScoreStage:
        return ScoreStage(env, node, settings)

    return stage(
        label("score", name),
        open_,
        cardinality=Cardinality.ONE,
        capacity=settings.capacity,
        max_bytes=_BYTES,
        checkpointing=Checkpointing.PASSES,
    )


def seats_of(arms: Any) -> dict[str, Seat]:
    """A seat for each arm.

    Raises:
        PipelineError: there are none, or they have no names.
    """
    if not hasattr(arms, "items") or not arms:
        raise PipelineError(
            f"ModelSupervisor wants a mapping from names to arms, at least one, got {arms!r}"
        )
    return {
        str(name): Seat(str(name), each if isinstance(each, Arm) else Arm(each))
        for name, each in arms.items()
    }
