"""A forecasting service in one pipeline: numbers of any sensor, five seconds ahead, with an interval that adapts.

    readings ─▶ features ─▶ forecast ─▶ interval ─▶ coverage ─▶ clients

The machine it runs on is the first sensor; whatever is posted to /events joins in. Run it as `rxml demo`. All state is
per sensor and bounded.
"""

from __future__ import annotations

import time
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from math import ceil, inf
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeVar

import msgspec
import numpy as np
import psutil
from typing_extensions import override

import rxml
import rxml.http
from rxml import operators as ops
from rxml.flow.kernel import Step
from rxml.flow.kinds import fold
from rxml.flow.node import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.flow.flowable import Flowable

AHEAD: Final = 5.0
"""Seconds that a forecast looks ahead."""

LEVEL: Final = 0.9
"""Share of outcomes that the interval promises to hold."""

SENSORS: Final = 1000
"""Sensors that are remembered; beyond that the one that was silent longest is forgotten."""


Number = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]


class Event(msgspec.Struct, frozen=True):
    """A number that somebody posts; `at` is Unix time in seconds, now if left out."""

    sensor: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    value: Number
    at: Number | None = None


class Reading(msgspec.Struct, frozen=True):
    """A number that a sensor has measured, the bounds of what it can show, and what may explain it beside."""

    sensor: str
    value: float
    at: float | None = None
    least: float = -inf
    most: float = inf
    beside: tuple[float, ...] = ()


class Forecast(msgspec.Struct, frozen=True):
    """What is known of a sensor now, and of its value at `for_at`. Bounds are None until ten outcomes are in."""

    sensor: str
    at: float
    value: float
    for_at: float
    mean: float
    lower: float | None = None
    upper: float | None = None
    level: float = LEVEL
    held: tuple[bool, ...] = ()
    outcomes: int = 0
    coverage: float | None = None


class Example(msgspec.Struct, frozen=True):
    """A reading and its features; then also the forecast, and the outcomes that came due with this reading."""

    reading: Reading
    at: float
    x: Any
    mean: float = 0.0
    due: tuple[tuple[float, float], ...] = ()


def machine(period: float) -> Flowable[Reading]:
    """CPU load in percent, every `period` seconds, with what may explain it beside."""
    return rxml.interval(period).pipe(ops.scan(_measure, None), ops.map(_reading))


def _measure(before: Any, _: int) -> Any:
    counted = [
        psutil.cpu_stats().ctx_switches,
        _total(psutil.net_io_counters(), "bytes_recv", "bytes_sent"),
        _total(psutil.disk_io_counters(), "read_bytes", "write_bytes"),
    ]
    totals = np.array(counted, dtype=np.float64)
    rates = np.zeros(3) if before is None else totals - before[1]
    beside = (psutil.virtual_memory().percent, *np.log1p(np.maximum(rates, 0)).tolist())
    return psutil.cpu_percent(), totals, beside


def _total(counters: Any, *names: str) -> int:
    return sum(getattr(counters, name, 0) for name in names)  # 0 without such a device


def _reading(measured: Any) -> Reading:
    value, _, beside = measured
    return Reading("cpu", value, least=0.0, most=100.0, beside=beside)


A = TypeVar("A")
B = TypeVar("B")
S = TypeVar("S")


class PerSensor(Step[A, B], Generic[A, B, S]):
    """State for each sensor, the silent ones forgotten beyond `SENSORS`."""

    def __init__(self, make: Callable[[], S]) -> None:
        self._make = make
        self._states: OrderedDict[str, S] = OrderedDict()

    def of(self, sensor: str) -> S:
        """The sensor's state, made at its first reading."""
        state = self._states[sensor] = self._states.pop(sensor, None) or self._make()
        if len(self._states) > SENSORS:
            self._states.popitem(last=False)
        return state


LAGS: Final = (0, 1, 2, 4, 9)
ROLLING: Final = (5, 20)


class Features(PerSensor[Reading, Example, "deque[float]"]):
    """Lags, and mean, deviation and extremes of the last readings."""

    def __init__(self) -> None:
        super().__init__(lambda: deque(maxlen=max(ROLLING)))

    @override
    def step(self, item: Reading, emit: Callable[[Example], None]) -> None:
        window = self.of(item.sensor)
        window.appendleft(item.value)
        recent = np.array(window)
        lags = recent[np.minimum(LAGS, len(recent) - 1)]
        rolling = [f(recent[:n]) for n in ROLLING for f in (np.mean, np.std, np.min, np.max)]
        at = time.time() if item.at is None else item.at  # noqa: TID251 - readings carry Unix time
        emit(Example(item, at, np.array([1.0, *lags, *rolling, *item.beside])))


class Linear:
    """Recursive least squares on standardised features (Haykin, Adaptive Filter Theory), learning the change ahead."""

    def __init__(self, forget: float = 0.998, ridge: float = 10.0) -> None:
        self._forget = forget
        self._ridge = ridge
        self._w = np.zeros(0)
        self.pending: deque[tuple[float, float, NDArray[Any], float]] = deque(maxlen=2000)

    def predict(self, x: NDArray[Any], value: float) -> float:
        """The value `AHEAD`, given the features and the value now."""
        if len(self._w) != len(x):
            self._w = np.zeros(len(x))
            self._p = np.eye(len(x)) / self._ridge
            self._mean, self._scale = np.zeros(len(x)), np.ones(len(x))
        self._mean += 0.02 * (x - self._mean)
        self._scale += 0.02 * (np.abs(x - self._mean) - self._scale)
        return value + float(self._standard(x) @ self._w)

    def learn(self, x: NDArray[Any], change: float) -> None:
        """One step on features seen `AHEAD` ago and the change that followed."""
        z = self._standard(x)
        gain = self._p @ z
        gain /= self._forget + z @ gain
        self._w = self._w + gain * (change - z @ self._w)
        p = (self._p - np.outer(gain, z @ self._p)) / self._forget
        self._p = np.clip((p + p.T) / 2, -1e4, 1e4)

    def _standard(self, x: NDArray[Any]) -> NDArray[Any]:
        z = (x - self._mean) / (self._scale + 1e-6)
        z[0] = 1.0
        return np.clip(z, -5, 5)


class Score(PerSensor[Example, Example, Linear]):
    """Predicts, and learns from each forecast as soon as its outcome is in."""

    def __init__(self) -> None:
        super().__init__(Linear)

    @override
    def step(self, item: Example, emit: Callable[[Example], None]) -> None:
        model, value = self.of(item.reading.sensor), item.reading.value
        due: list[tuple[float, float]] = []
        while model.pending and model.pending[0][0] <= item.at:
            _, before, x, mean = model.pending.popleft()
            if len(x) == len(item.x):
                model.learn(x, value - before)
            due.append((mean, value))
        mean = model.predict(item.x, value)
        mean = min(max(mean, item.reading.least), item.reading.most)
        model.pending.append((item.at + AHEAD, value, item.x, mean))
        emit(msgspec.structs.replace(item, mean=mean, due=tuple(due)))


class Adaptive:
    """Adaptive conformal inference on absolute errors (Gibbs and Candès 2021), over the last `memory` outcomes."""

    def __init__(self, gamma: float = 0.02, memory: int = 500) -> None:
        self._gamma = gamma
        self._alpha = 1 - LEVEL
        self._errors: deque[float] = deque()
        self._sorted: list[float] = []
        self._memory = memory
        self.issued: deque[float | None] = deque(maxlen=2000)
        self.hits = self.outcomes = 0

    def radius(self) -> float | None:
        """Half the width of the interval now; None while the outcomes are too few for the level."""
        n = len(self._sorted)
        rank = ceil((n + 1) * (1 - self._alpha))
        if n < ceil(1 / (1 - LEVEL)) - 1:
            return None
        return self._sorted[min(max(rank, 1), n) - 1]

    def settle(self, error: float) -> bool | None:
        """Take the error of the oldest open forecast; whether its interval held it."""
        radius = self.issued.popleft() if self.issued else None
        held = None if radius is None else error <= radius
        if held is not None:
            self._alpha += self._gamma * ((1 - LEVEL) - (not held))
            self.outcomes += 1
            self.hits += held
        self._remember(error)
        return held

    def _remember(self, error: float) -> None:
        insort(self._sorted, error)
        self._errors.append(error)
        if len(self._errors) > self._memory:
            oldest = self._errors.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]


class Interval(PerSensor[Example, Forecast, Adaptive]):
    """Puts an interval around each forecast, and counts how many held."""

    def __init__(self) -> None:
        super().__init__(Adaptive)

    @override
    def step(self, item: Example, emit: Callable[[Forecast], None]) -> None:
        state, mean = self.of(item.reading.sensor), item.mean
        settled = [state.settle(abs(mean_then - outcome)) for mean_then, outcome in item.due]
        radius = state.radius()
        state.issued.append(radius)
        emit(
            Forecast(
                item.reading.sensor,
                item.at,
                item.reading.value,
                item.at + AHEAD,
                mean,
                None if radius is None else max(item.reading.least, mean - radius),
                None if radius is None else min(item.reading.most, mean + radius),
                held=tuple(held for held in settled if held is not None),
                outcomes=state.outcomes,
                coverage=state.hits / state.outcomes if state.outcomes else None,
            )
        )


def forecasts(readings: Flowable[Reading]) -> Flowable[Forecast]:
    """The same pipeline for a live stream, a file or a list of readings."""
    one = Cardinality.ONE
    return readings.pipe(
        fold("features", Features, cardinality=one),
        fold("score", Score, cardinality=one),
        fold("interval", Interval, cardinality=one),
    )


def build(app: rxml.http.App, period: float = 0.5) -> Flowable[Forecast]:
    """The service: posted readings and those of this machine, forecast once for all clients."""
    events = app.ingest("/events", schema=Event)
    posted = events.through(ops.map(lambda e: Reading(e.sensor, e.value, e.at)))
    live = forecasts(rxml.merge(machine(period), posted)).pipe(ops.share())
    app.stream("/predictions", live, key=lambda forecast: forecast.sensor)
    return live
