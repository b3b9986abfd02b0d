"""A forecasting service in one pipeline: numbers of any sensor, five seconds ahead, with an interval that adapts.

    readings ─▶ features ─▶ forecast ─▶ interval ─▶ coverage ─▶ clients

The machine it runs on is the first sensor; what is posted to /events joins in (`rxml demo`). All state is bounded.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict, deque
from math import ceil, inf
from operator import itemgetter
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

AHEAD: Final = 5.0  # seconds that a forecast looks ahead
LEVEL: Final = 0.9  # share of outcomes that the interval promises to hold
MACHINE: Final = "cpu"  # the sensor that is this machine; nobody may post as it
SENSORS: Final = 1000  # that are remembered; beyond that the one that was silent longest goes
OPEN: Final = 50  # forecasts of a sensor that wait for their outcome at a time
EARLY: Final = 60.0  # seconds that the clock of who posts may be ahead

Number = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]


class Event(msgspec.Struct, frozen=True):
    """A number that somebody posts; `at` is Unix time in seconds, now if left out."""

    sensor: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    value: Number
    at: float | None = None

    def __post_init__(self) -> None:
        if self.sensor == MACHINE:
            raise ValueError(f"sensor: {MACHINE!r} is this machine; choose another name")
        if self.at is not None and not 0 <= self.at <= _now() + EARLY:
            raise ValueError(f"at: Unix time in seconds, up to now; got {self.at:.15g}")


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
    """A reading and its features; then also the forecast."""

    reading: Reading
    at: float
    x: Any
    mean: float = 0.0


def _now() -> float:
    return time.time()  # noqa: TID251 - readings carry Unix time


def machine(period: float) -> Flowable[Reading]:
    """CPU load in percent, every `period` seconds, with what may explain it beside."""
    return rxml.interval(period).pipe(ops.scan(_measure, None), ops.map(itemgetter(1)))


def _measure(before: Any, _: int) -> Any:
    net, disk = psutil.net_io_counters(), psutil.disk_io_counters()
    traffic = _total(net, "bytes_recv", "bytes_sent"), _total(disk, "read_bytes", "write_bytes")
    totals = np.array([psutil.cpu_stats().ctx_switches, *traffic], dtype=np.float64)
    rates = np.zeros(3) if before is None else totals - before[0]
    beside = (psutil.virtual_memory().percent, *np.log1p(np.maximum(rates, 0)).tolist())
    return totals, Reading(MACHINE, psutil.cpu_percent(), least=0.0, most=100.0, beside=beside)


def _total(counters: Any, *names: str) -> int:
    return sum(getattr(counters, name, 0) for name in names)  # 0 without such a device


A = TypeVar("A")
B = TypeVar("B")
S = TypeVar("S")


class PerSensor(Step[A, B], Generic[A, B, S]):
    """State for each sensor; beyond `SENSORS` the silent ones are forgotten, this machine never."""

    def __init__(self, make: Callable[[], S]) -> None:
        self._make = make
        self._states: OrderedDict[str, S] = OrderedDict()

    def of(self, sensor: str) -> S:
        """The sensor's state, made at its first reading."""
        state = self._states[sensor] = self._states.pop(sensor, None) or self._make()
        if len(self._states) > SENSORS:
            del self._states[next(name for name in self._states if name != MACHINE)]
        return state


class Open(Generic[S]):
    """Forecasts that wait for their outcome, by due time: one reading with a wrong clock stands in nobody's way.

    Beyond `OPEN` the one due last is given up, so that a part of what comes very fast is scored, and not none.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, S]] = []

    def add(self, due: float, forecast: S) -> None:
        """Let a forecast wait."""
        insort(self._waiting, (due, forecast), key=itemgetter(0))
        del self._waiting[OPEN:]

    def until(self, at: float) -> list[S]:
        """Take out those whose outcome is in by then."""
        n = bisect_right(self._waiting, at, key=itemgetter(0))
        due, self._waiting = self._waiting[:n], self._waiting[n:]
        return [forecast for _, forecast in due]


LAGS: Final = (0, 1, 2, 4, 9)
ROLLING: Final = (5, 20)


class Features(PerSensor[Reading, Example, "deque[float]"]):
    """Lags, and mean, deviation and extremes of the last readings."""

    @override
    def step(self, item: Reading, emit: Callable[[Example], None]) -> None:
        window = self.of(item.sensor)
        window.appendleft(item.value)
        recent = np.array(window)
        lags = recent[np.minimum(LAGS, len(recent) - 1)]
        rolling = [f(recent[:n]) for n in ROLLING for f in (np.mean, np.std, np.min, np.max)]
        at = _now() if item.at is None else item.at
        emit(Example(item, at, np.array([1.0, *lags, *rolling, *item.beside])))


class Linear:
    """Recursive least squares on standardised features (Haykin, Adaptive Filter Theory), learning the change ahead."""

    def __init__(self, forget: float = 0.998, ridge: float = 10.0) -> None:
        self._forget, self._ridge = forget, ridge
        self._w = np.zeros(0)
        self.open: Open[tuple[NDArray[Any], float]] = Open()

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

    @override
    def step(self, item: Example, emit: Callable[[Example], None]) -> None:
        model, value = self.of(item.reading.sensor), item.reading.value
        for x, before in model.open.until(item.at):
            if len(x) == len(item.x):
                model.learn(x, value - before)
        mean = min(max(model.predict(item.x, value), item.reading.least), item.reading.most)
        model.open.add(item.at + AHEAD, (item.x, value))
        emit(msgspec.structs.replace(item, mean=mean))


class Adaptive:
    """Adaptive conformal inference on absolute errors (Gibbs and Candès 2021), over the last `memory` outcomes."""

    def __init__(self, gamma: float = 0.02, memory: int = 500) -> None:
        self._gamma, self._memory, self._alpha = gamma, memory, 1 - LEVEL
        self._errors: deque[float] = deque()
        self._sorted: list[float] = []
        self.open: Open[tuple[float, float | None]] = Open()
        self.hits: int = 0
        self.outcomes: int = 0

    def radius(self) -> float | None:
        """Half the width of the interval now; None while the outcomes are too few for the level."""
        n = len(self._sorted)
        rank = min(max(ceil((n + 1) * (1 - self._alpha)), 1), n)
        return None if n < ceil(1 / (1 - LEVEL)) - 1 else self._sorted[rank - 1]

    def settle(self, error: float, radius: float | None) -> bool | None:
        """Take the error of a forecast, and the radius it was given; whether that held it."""
        held = None if radius is None else error <= radius
        if held is not None:
            self._alpha += self._gamma * ((1 - LEVEL) - (not held))
            self.outcomes += 1
            self.hits += held
        insort(self._sorted, error)
        self._errors.append(error)
        if len(self._errors) > self._memory:
            del self._sorted[bisect_left(self._sorted, self._errors.popleft())]
        return held

    def coverage(self) -> float | None:
        """Share of the outcomes that were held."""
        return self.hits / self.outcomes if self.outcomes else None


class Interval(PerSensor[Example, Forecast, Adaptive]):
    """Puts an interval around each forecast, and counts how many held."""

    @override
    def step(self, item: Example, emit: Callable[[Forecast], None]) -> None:
        state = self.of(item.reading.sensor)
        reading, due = item.reading, state.open.until(item.at)
        settled = [state.settle(abs(then - reading.value), radius) for then, radius in due]
        held = tuple(each for each in settled if each is not None)
        radius = state.radius()
        state.open.add(item.at + AHEAD, (item.mean, radius))
        now = (reading.sensor, item.at, reading.value, item.at + AHEAD, item.mean)
        emit(Forecast(*now, *_bounds(item, radius), LEVEL, held, state.outcomes, state.coverage()))


def _bounds(item: Example, radius: float | None) -> tuple[float | None, float | None]:
    if radius is None:
        return None, None
    reading = item.reading
    return max(reading.least, item.mean - radius), min(reading.most, item.mean + radius)


def forecasts(readings: Flowable[Reading]) -> Flowable[Forecast]:
    """The same pipeline for a live stream, a file or a list of readings."""
    one = Cardinality.ONE
    return readings.pipe(
        fold("features", lambda: Features(lambda: deque(maxlen=max(ROLLING))), cardinality=one),
        fold("score", lambda: Score(Linear), cardinality=one),
        fold("interval", lambda: Interval(Adaptive), cardinality=one),
    )


def build(app: rxml.http.App, period: float = 0.5) -> Flowable[Forecast]:
    """The service: posted readings and those of this machine, forecast once for all clients."""
    events = app.ingest("/events", schema=Event)
    posted = events.through(ops.map(lambda e: Reading(e.sensor, e.value, e.at)))
    # A client that stalls misses forecasts; under "slowest", the default, it would stop everybody's.
    once = ops.share(lag=100, policy="drop_oldest")
    live = forecasts(rxml.merge(machine(period), posted)).pipe(once)
    app.stream("/predictions", live, key=lambda forecast: forecast.sensor)
    return live
