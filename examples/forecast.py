"""A forecasting service in one pipeline: numbers of any sensor, five seconds ahead, with an interval that adapts.

    readings ─▶ features ─▶ learn ─▶ calibrate ─▶ held ─▶ clients

The machine it runs on is the first sensor; what is posted to /events joins in (`rxml demo`). All state is bounded.
"""

from __future__ import annotations

import time
from bisect import bisect_right, insort
from collections import OrderedDict, deque
from math import ceil, inf
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
import psutil
from typing_extensions import override

import rxml
import rxml.http
from rxml import features as scaling
from rxml import operators as ops
from rxml.batch import Field, Schema
from rxml.flow.kernel import Step
from rxml.flow.kinds import fold
from rxml.flow.node import Cardinality
from rxml.learning import Label, RecursiveLeastSquares
from rxml.uncertain.calibration import ACI

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.uncertain import Interval

AHEAD: Final = 5.0  # seconds that a forecast looks ahead
LEVEL: Final = 0.9  # share of outcomes that the interval promises to hold
MACHINE: Final = "cpu"  # the sensor that is this machine; nobody may post as it
SENSORS: Final = 1000  # that are remembered; beyond that the one that was silent longest goes
OPEN: Final = 50  # forecasts of a sensor that wait for their outcome at a time
ENOUGH: Final = (
    ceil(1 / (1 - LEVEL)) - 1
)  # outcomes before which no interval of this level can be had
RECENT: Final = 100  # outcomes that "lately" is of
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
    """What is known of a sensor now, and of its value at `for_at`. Bounds are None until outcomes bound them."""

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
    lately: float | None = None


class Example(NamedTuple):
    """A reading and its features: how past values, and means, deviations and extremes of them, differ from it."""

    reading: Reading
    at: float
    x: Any


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
    """State for each sensor; beyond `SENSORS` those that were silent longest are forgotten."""

    def __init__(self, make: Callable[[], S]) -> None:
        self._make = make
        self._states: OrderedDict[str, S] = OrderedDict()

    def of(self, sensor: str) -> S:
        """The sensor's state, made at its first reading."""
        state = self._states[sensor] = self._states.pop(sensor, None) or self._make()
        if len(self._states) > SENSORS:
            self._states.popitem(last=False)
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
        since = np.array([*lags[1:], *rolling]) - item.value
        emit(Example(item, at, np.array([*since, *item.beside])))


class Outcomes(PerSensor[Example, Any, "Open[tuple[int, float]]"]):
    """A row for each forecast that is to be made, and before it the labels of those whose outcome it is: the change since."""

    def __init__(self, make: Callable[[], Open[tuple[int, float]]]) -> None:
        super().__init__(make)
        self._count = 0

    @override
    def step(self, item: Example, emit: Callable[[Any], None]) -> None:
        waiting, reading = self.of(item.reading.sensor), item.reading
        for number, before in waiting.until(item.at):
            emit(Label(number, reading.value - before))
        self._count += 1
        waiting.add(item.at + AHEAD, (self._count, reading.value))
        emit({"id": self._count, "sensor": reading.sensor, "x": item.x, "example": item})


class Record:
    """How often the intervals of a sensor have held what came; the first ones, which know too little, do not count."""

    def __init__(self) -> None:
        self.open: Open[tuple[float, float] | None] = Open()
        self.seen: int = 0
        self.hits: int = 0
        self.outcomes: int = 0
        self.recent: deque[bool] = deque(maxlen=RECENT)

    def settle(self, bounds: tuple[float, float] | None, value: float) -> bool | None:
        """Take an outcome; whether the interval that waited for it held it, if there was one."""
        self.seen += 1
        if bounds is None:
            return None
        held = bounds[0] <= value <= bounds[1]
        self.outcomes += 1
        self.hits += held
        self.recent.append(held)
        return held

    def told(self) -> dict[str, Any]:
        """How many outcomes there were, and the share of all and of the latest that was held."""
        if not self.outcomes:
            return {}
        coverage, lately = self.hits / self.outcomes, sum(self.recent) / len(self.recent)
        return {"outcomes": self.outcomes, "coverage": coverage, "lately": lately}


class Held(PerSensor[Any, Forecast, Record]):
    """Says of each forecast what its interval is, and how often those before it held."""

    @override
    def step(self, item: Any, emit: Callable[[Forecast], None]) -> None:
        reading, at, _ = item["example"]
        record = self.of(reading.sensor)
        settled = [record.settle(bounds, reading.value) for bounds in record.open.until(at)]
        held = tuple(each for each in settled if each is not None)
        known = record.seen >= ENOUGH
        lower, mean, upper = (_within(reading, each) for each in _changes(item))
        record.open.add(at + AHEAD, (lower, upper) if known else None)
        told: dict[str, Any] = record.told() | ({"lower": lower, "upper": upper} if known else {})
        now = (reading.sensor, at, reading.value, at + AHEAD, mean)
        emit(Forecast(*now, held=held, **told))


def _changes(row: Any) -> tuple[float, float, float]:
    interval: Interval = row["interval"]
    return float(interval.lo), float(row["change"].mean()), float(interval.hi)


def _within(reading: Reading, change: float) -> float:
    """The value after a change, within what the sensor can show."""
    return min(max(reading.value + change, reading.least), reading.most)


def adaptive(level: float) -> ACI:
    """Intervals that follow the errors of the last 500 forecasts (Gibbs and Candès 2021)."""
    return ACI(level, gamma=0.02, window=500, on_unbounded="max")


def forecasts(readings: Flowable[Reading], beside: int = 0) -> Flowable[Forecast]:
    """The same pipeline for a live stream, a file or a list of readings, of `beside` numbers beside the value each."""
    width = len(LAGS) - 1 + 4 * len(ROLLING) + beside
    inputs = Schema([Field("z", np.float64, (width,))])
    linear = RecursiveLeastSquares(inputs, forgetting=0.998, ridge=10.0)
    by_sensor = ops.key_by(itemgetter("sensor"), max_keys=SENSORS)
    room = OPEN * SENSORS

    def window() -> deque[float]:
        return deque(maxlen=max(ROLLING))

    return readings.pipe(
        fold("features", lambda: Features(window), cardinality=Cardinality.ONE),
        fold("outcomes", lambda: Outcomes(Open)),
        by_sensor,
        ops.features(scaling.Features(z=scaling.StandardScaler("x", width=width))),
        by_sensor,
        ops.learn(linear, into="change", capacity=room, pass_labels=True),
        by_sensor,
        ops.calibrate(LEVEL, prediction="change", method=adaptive, capacity=room),
        fold("held", lambda: Held(Record), cardinality=Cardinality.ONE),
    )


def build(app: rxml.http.App, period: float = 0.5) -> Flowable[Forecast]:
    """The service: posted readings and those of this machine, forecast once for all clients."""
    events = app.ingest("/events", schema=Event)
    posted = events.through(ops.map(lambda e: Reading(e.sensor, e.value, e.at)))
    # A client that stalls misses forecasts; under "slowest", the default, it would stop everybody's.
    once = ops.share(lag=100, policy="drop_oldest")
    # Apart, so that however many post, this machine is not forgotten.
    live = rxml.merge(forecasts(machine(period), beside=4), forecasts(posted)).pipe(once)
    app.stream("/predictions", live, key=lambda forecast: forecast.sensor)
    return live
