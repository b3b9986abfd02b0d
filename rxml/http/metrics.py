"""Metrics: what a server has done, counted where it happens and read only when somebody asks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from rxml.http.prometheus import Family, Histogram, Sample, require_labels, require_name

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping

    from rxml.flow.run import Run

logger: Final = logging.getLogger("rxml.http")

BOUNDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper ends of the buckets for seconds."""

UNKNOWN: Final = "unknown"
"""What all paths at which there is nothing are called together: their number is up to strangers."""

_SERIES: Final = 1000
"""Gauges that may be added."""
_TICK: Final = 0.25

_SHED: Final = {408: "slow", 429: "overload", 503: "unavailable", 504: "deadline"}


class Metrics:
    """The counters of one server. Nothing in it grows with what clients send: labels are paths of endpoints, statuses, reasons.

    Attributes:
        in_flight: requests that are being answered.
    """

    def __init__(self) -> None:
        self.in_flight: int = 0
        self._requests: dict[tuple[str, int], int] = {}
        self._seconds: dict[str, Histogram] = {}
        self._shed: dict[str, int] = {}
        self._gauges: dict[tuple[str, tuple[tuple[str, str], ...]], Callable[[], float]] = {}
        self._texts: dict[str, str] = {}
        self._lag = Histogram(BOUNDS)
        self._runs: list[tuple[str, Run[Any]]] = []

    def answered(self, path: str, status: int, seconds: float | None) -> None:
        """Count an answer.

        Args:
            path: of the endpoint, or `UNKNOWN`; never what a client has sent.
            status: of HTTP.
            seconds: that it took; None where that says nothing, as for streams.
        """
        key = (path, status)
        self._requests[key] = self._requests.get(key, 0) + 1
        if seconds is not None:
            histogram = self._seconds.get(path)
            if histogram is None:
                histogram = self._seconds[path] = Histogram(BOUNDS)
            histogram.add(seconds)

    def shed(self, status: int, reason: str | None = None) -> None:
        """Count a request that was refused for lack of room or time, if the status says so.

        Args:
            status: of HTTP.
            reason: one of a few words; None: by the status.
        """
        if reason is None:
            reason = _SHED.get(status)
        if reason is not None and (reason in self._shed or len(self._shed) < _SERIES):
            self._shed[reason] = self._shed.get(reason, 0) + 1

    def gauge(self, name: str, text: str, read: Callable[[], float], **labels: str) -> None:
        """Show a number of somebody else: it is read when `/metrics` is.

        Args:
            name: such as `rxml_queue_oldest_seconds`.
            text: one sentence about it.
            read: gives it; must be quick.
            labels: few, and never what a client has sent.

        Raises:
            ValueError: a name is none, or there are more than 1000 gauges.
        """
        require_name(name)
        require_labels(labels)
        if len(self._gauges) >= _SERIES:
            raise ValueError(f"there are {_SERIES} gauges already; {name} is one too many")
        self._texts.setdefault(name, text)
        self._gauges[name, tuple(sorted(labels.items()))] = read

    def watch(self, name: str, run: Run[Any]) -> None:
        """Show what each stage of a run has done."""
        self._runs.append((name, run))

    def tick(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Measure four times a second how late the loop is; returns what ends that."""
        due = loop.time() + _TICK

        handle: asyncio.TimerHandle

        def late() -> None:
            nonlocal due, handle
            now = loop.time()
            self._lag.add(max(0.0, now - due))
            due = now + _TICK
            handle = loop.call_at(due, late)

        def end() -> None:
            handle.cancel()

        handle = loop.call_at(due, late)
        return end

    def families(self) -> list[Family]:
        """All that is counted, as it is now."""
        return [
            Family("rxml_http_requests_total", "counter", "Requests answered.", self._answers()),
            Family(
                "rxml_http_request_seconds",
                "histogram",
                "Time from the head of a request to its answer.",
                [
                    sample
                    for path, each in self._seconds.items()
                    for sample in each.samples({"path": path})
                ],
            ),
            Family(
                "rxml_http_shed_total",
                "counter",
                "Requests refused for lack of room or time.",
                [Sample({"reason": reason}, count) for reason, count in self._shed.items()],
            ),
            _gauge("rxml_http_in_flight", "Requests being answered.", self.in_flight),
            Family(
                "rxml_loop_lag_seconds",
                "histogram",
                "How late the event loop was, four times a second.",
                list(self._lag.samples({})),
            ),
            *self._others(),
            *stages(self._runs),
        ]

    def _answers(self) -> list[Sample]:
        return [
            Sample({"path": path, "status": str(status)}, count)
            for (path, status), count in self._requests.items()
        ]

    def _others(self) -> Iterable[Family]:
        found: dict[str, Family] = {}
        for (name, labels), read in self._gauges.items():
            family = found.setdefault(name, Family(name, "gauge", self._texts[name], []))
            value = _read(name, read)
            if value is not None:
                family.samples.append(Sample(dict(labels), value))
        return found.values()


def _read(name: str, read: Callable[[], float]) -> float | None:
    """What a gauge shows; one that fails takes no other with it."""
    try:
        return float(read())
    except Exception:
        logger.exception("the gauge %s has failed", name)
        return None


def _gauge(name: str, text: str, value: float) -> Family:
    return Family(name, "gauge", text, [Sample({}, value)])


_STAGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "emitted": ("rxml_stage_emitted_total", "counter", "Elements handed downstream."),
    "dropped": ("rxml_stage_dropped_total", "counter", "Elements that a policy has dropped."),
    "failed": ("rxml_stage_failed_total", "counter", "Elements whose processing raised."),
    "busy_seconds": ("rxml_stage_busy_seconds_total", "counter", "Time spent working."),
    "buffered": ("rxml_stage_buffered", "gauge", "Elements held now."),
    "capacity": ("rxml_stage_capacity", "gauge", "Elements held at most."),
    "oldest_seconds": ("rxml_stage_oldest_seconds", "gauge", "Age of the oldest element held."),
}


def stages(runs: Iterable[tuple[str, Run[Any]]]) -> list[Family]:
    """What each stage of these runs has done and holds; stages of one name are added up."""
    totals: dict[tuple[str, str, str], float] = {}
    for flow, run in runs:
        for stage in run.statistics().stages:
            for field in _STAGES:
                value = getattr(stage, field) or 0
                key = (field, flow, stage.name)
                before = totals.get(key, 0)
                totals[key] = max(before, value) if field == "oldest_seconds" else before + value
    return [
        Family(*names, [
            Sample({"flow": flow, "stage": stage}, value)
            for (of, flow, stage), value in totals.items()
            if of == field
        ])
        for field, names in _STAGES.items()
        if totals
    ]  # fmt: skip
