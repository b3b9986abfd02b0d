"""The two sides of a comparison: what rxml makes of an input, and what reactivex makes of the same."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reactivex.notification import Notification
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.errors import StreamTimeoutError
from rxml.rx import buffer, from_rx
from tests.lift.bare import VirtualScheduler, observable
from tests.lift.untyped import R, rx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


FOR_EVER = 1000.0
NEVER = "never"
"""How an observable ends that forgets to."""


class Boom(Exception):  # noqa: N818 - what it does
    """What a function raises on purpose."""


@dataclass(frozen=True, slots=True)
class Input:
    """A finite stream: its elements, then the end or the error.

    Attributes:
        spacing: seconds before each of its signals; 0: all at once.
    """

    elements: tuple[Any, ...]
    error: Exception | None = None
    spacing: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out, in a form in which NaN equals itself and True is not 1."""

    signals: tuple[tuple[float, str], ...]
    end: str
    at: float

    def sorted(self) -> Outcome:
        """With no order among the signals of one moment."""
        return Outcome(tuple(sorted(self.signals)), self.end, self.at)


def shown(value: Any) -> str:
    if isinstance(value, Notification):
        return f"{value}"
    return f"{type(value).__name__}:{value!r}"


def ended(error: BaseException | None) -> str:
    """How it ended: where one of rxml's errors is one of reactivex's as well, by reactivex's name.

    What reactivex has no name for and raises as a plain `Exception` (a timeout) has one in rxml.
    """
    if error is None:
        return "end"
    kinds = [kind for kind in type(error).__mro__ if not kind.__module__.startswith("rxml.")]
    foreign = [kind for kind in kinds if kind.__module__.startswith("reactivex.")]
    if isinstance(error, StreamTimeoutError):
        return "Exception"
    return (foreign or kinds)[0].__name__


class Side(ABC):
    """Makes what an operator is given, in the terms of one of the libraries."""

    operators: Any

    @abstractmethod
    def stream(self, given: Input) -> Any:
        """A stream of this input."""

    @abstractmethod
    def joined(self, stream: Any, function: Callable[[Any], Any]) -> Any:
        """All that is in the streams that are elements, `function(list)` for each."""

    def function(self, body: Callable[..., Any], poison: Any) -> Callable[..., Any]:
        """A fresh function that raises for the element that is the poison."""

        def function(*arguments: Any) -> Any:
            if any(argument is poison for argument in arguments):
                raise Boom
            return body(*arguments)

        return function


class Ours(Side):
    """Flows. What is pushed in time comes through a bounded inbox."""

    operators = ops

    @override
    def stream(self, given: Input) -> Any:
        if given.spacing:
            return from_rx(
                observable(given.elements, given.spacing, given.error), overflow=buffer(1000)
            )

        def make() -> Any:
            yield from given.elements
            if given.error is not None:
                raise given.error

        return rxml.from_iterable(make)

    @override
    def joined(self, stream: Any, function: Callable[[Any], Any]) -> Any:
        return stream.pipe(ops.flat_map(self._listed(function)))

    @staticmethod
    def _listed(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda inner: inner.pipe(ops.to_list(), ops.map(function))

    @staticmethod
    async def run(flow: Any, n: int) -> Outcome:
        """Read with a demand of n."""
        loop = asyncio.get_running_loop()
        signals: list[tuple[float, str]] = []
        error: BaseException | None = None
        async with flow.open() as reader:
            try:
                while not (chunk := await reader.request(n)).end:
                    signals += [(loop.time(), shown(element)) for element in chunk.elements]
            except Exception as raised:  # noqa: BLE001 - compared
                error = raised
            at = loop.time()
        return outcome(signals, error, at)


class Theirs(Side):
    """Observables; on the virtual loop where time matters, and else at once."""

    operators = R

    @override
    def stream(self, given: Input) -> Any:
        if given.spacing:
            return observable(given.elements, given.spacing, given.error)

        def subscribe(observer: Any, _: Any) -> None:
            for element in given.elements:
                observer.on_next(element)
            if given.error is None:
                observer.on_completed()
            else:
                observer.on_error(given.error)

        return rx.Observable(subscribe)

    @override
    def joined(self, stream: Any, function: Callable[[Any], Any]) -> Any:
        return stream.pipe(R.flat_map(lambda inner: inner.pipe(R.to_list(), R.map(function))))

    @staticmethod
    def now(built: Any) -> Outcome:
        """Subscribe without a loop: all happens at once."""
        signals: list[tuple[float, str]] = []
        ends: list[BaseException | None] = []
        built.subscribe(
            lambda value: signals.append((0.0, shown(value))),
            ends.append,
            lambda: ends.append(None),
        )
        if not ends:
            return Outcome(outcome(signals, None, 0.0).signals, NEVER, 0.0)
        return outcome(signals, ends[0], 0.0)

    @staticmethod
    async def run(built: Any) -> Outcome:
        """Subscribe and wait."""
        loop = asyncio.get_running_loop()
        scheduler = VirtualScheduler(loop)
        signals: list[tuple[float, str]] = []
        over = loop.create_future()
        subscription = built.subscribe(
            lambda value: signals.append((loop.time(), shown(value))),
            over.set_result,
            lambda: over.set_result(None),
            scheduler=scheduler,
        )
        done, _ = await asyncio.wait([over], timeout=FOR_EVER)
        at = loop.time()
        subscription.dispose()
        if not done:
            return Outcome(outcome(signals, None, at).signals, NEVER, at)
        return outcome(signals, over.result(), at)


def outcome(
    signals: Sequence[tuple[float, str]], error: BaseException | None, at: float
) -> Outcome:
    rounded = tuple((round(time, 6), text) for time, text in signals)
    return Outcome(rounded, ended(error), round(at, 6))
