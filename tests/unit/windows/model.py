"""Windows in plain Python, slow and obvious: one element after the other, the watermark after each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Row: TypeAlias = dict[str, Any]
LONG_AGO = -(10**18)
ALWAYS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Spans:
    """Windows of fixed spans."""

    size: int
    every: int
    origin: int = 0


@dataclass(frozen=True, slots=True)
class Sessions:
    """Windows of activity."""

    gap: int


@dataclass(frozen=True, slots=True)
class Always:
    """One window of all time."""


Kind: TypeAlias = Spans | Sessions | Always


@dataclass(frozen=True, slots=True)
class Rules:
    """What is decided about windows.

    Attributes:
        kind: which elements belong together.
        result: what a list of elements comes to.
        update: a pane with every so many elements, or None.
        accumulation: what a further pane holds.
        lateness: for how long elements count behind a window's end.
        delay: of the watermark behind the newest element.
    """

    kind: Kind
    result: Callable[[list[Row]], Row]
    update: int | None = None
    accumulation: str = "accumulating"
    lateness: int = 0
    delay: int = 0


@dataclass(slots=True)
class Window:
    """One window of a key."""

    key: Any
    start: int
    end: int
    items: list[Row] = field(default_factory=list[Row])
    fresh: list[Row] = field(default_factory=list[Row])
    fires: int = 0
    told: Row | None = None
    closed: bool = False


class Model:
    """What windows tell, in order, and which elements are late.

    Attributes:
        panes: with all the columns that rxml's have.
        late: elements that are in no pane.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.watermark = LONG_AGO
        self.windows: list[Window] = []
        self.panes: list[Row] = []
        self.late: list[Row] = []

    def run(self, items: list[Row]) -> Model:
        for item in items:
            self.take(item)
        self.advance(ALWAYS)
        return self

    def take(self, item: Row) -> None:
        windows = self.found(item)
        if windows is None:
            self.late.append(item)
        for window in windows or ():
            window.items.append(item)
            window.fresh.append(item)
            if window.end <= self.watermark:
                window.closed = True
                self.fire(window, "late")
            elif self.rules.update is not None and len(window.fresh) >= self.rules.update:
                self.fire(window, "early")
        self.advance(max(self.watermark, item["t"] - self.rules.delay))

    def found(self, item: Row) -> list[Window] | None:
        """The windows that an element comes to; None if it is late."""
        kind, time, key = self.rules.kind, item["t"], item.get("k")
        if isinstance(kind, Sessions):
            return self.session(key, time, kind.gap)
        if isinstance(kind, Always):
            return [self.opened(key, -ALWAYS, ALWAYS)]
        spans = spans_of(kind, time)
        alive = [span for span in spans if self.alive(span[1])]
        if spans and not alive:
            return None
        return [self.opened(key, *span) for span in alive]

    def alive(self, end: int) -> bool:
        return end + self.rules.lateness > self.watermark

    def opened(self, key: Any, start: int, end: int) -> Window:
        for window in self.windows:
            if (window.key, window.start, window.end) == (key, start, end):
                return window
        self.windows.append(Window(key, start, end))
        return self.windows[-1]

    def session(self, key: Any, time: int, gap: int) -> list[Window] | None:
        touched = [w for w in self.windows if w.key == key and w.start - gap < time < w.end]
        if not touched and not self.alive(time + gap):
            return None
        touched.sort(key=lambda w: w.start)
        one = touched[0] if touched else self.opened(key, time, time + gap)
        for other in touched[1:]:
            if self.rules.accumulation == "retracting" and other.told is not None:
                timing = "late" if other.closed else "early"
                self.panes.append(
                    {**other.told, "timing": timing, "final": False, "retracted": True}
                )
            one.items += other.items
            one.fresh += other.fresh
            one.fires = max(one.fires, other.fires)
            one.end = max(one.end, other.end)
            self.windows.remove(other)
        one.start, one.end = min(one.start, time), max(one.end, time + gap)
        one.closed = one.end <= self.watermark
        return [one]

    def advance(self, watermark: int) -> None:
        self.watermark = watermark
        ended = [w for w in self.windows if w.end <= watermark and not w.closed]
        for window in sorted(ended, key=lambda w: (w.end, w.start, w.key)):
            window.closed = True
            discarding = self.rules.accumulation == "discarding"
            if window.fresh or not window.fires or not discarding:
                self.fire(window, "on_time")
        forgotten = [w for w in self.windows if not self.alive(w.end) or watermark == ALWAYS]
        self.windows = [w for w in self.windows if w not in forgotten]

    def fire(self, window: Window, timing: str) -> None:
        rules = self.rules
        held = window.fresh if rules.accumulation == "discarding" else window.items
        final = timing == "on_time" and (not rules.lateness or self.watermark == ALWAYS)
        pane: Row = {
            "k": window.key,
            "start": window.start,
            "end": window.end,
            "time": window.end - 1 if window.end < ALWAYS else max(i["t"] for i in window.items),
            "pane": window.fires,
            "timing": timing,
            "final": final,
            "retracted": False,
            **rules.result(held),
        }
        if rules.accumulation == "retracting" and window.told is not None:
            self.panes.append({**window.told, "timing": timing, "final": False, "retracted": True})
        self.panes.append(pane)
        window.told = pane
        window.fires += 1
        window.fresh = []


def spans_of(kind: Spans, time: int) -> list[tuple[int, int]]:
    """All windows that an instant is in, earliest first."""
    first = time - kind.size - (time - kind.size - kind.origin) % kind.every
    starts = range(first, time + 1, kind.every)
    return [(start, start + kind.size) for start in starts if start <= time < start + kind.size]


def counted(items: list[Row], n: int, step: int, result: Callable[[list[Row]], Row]) -> list[Row]:
    """Windows of n elements of each key: those that are full, as they fill, then the rest by key and number."""
    of: dict[Any, list[Row]] = {}
    told: list[Row] = []
    rest: list[Row] = []
    for item in items:
        held = of.setdefault(item.get("k"), [])
        held.append(item)
        begins = len(held) - n
        if begins >= 0 and begins % step == 0:
            told.append(_counted(held[begins:], result))
    for key in sorted(of):
        held = of[key]
        rest += [
            _counted(held[begins : begins + n], result)
            for begins in range(0, len(held), step)
            if len(held) - begins < n
        ]
    return told + rest


def _counted(held: list[Row], result: Callable[[list[Row]], Row]) -> Row:
    times = [item["t"] for item in held]
    return {
        "k": held[0].get("k"),
        "start": min(times),
        "end": max(times) + 1,
        "time": max(times),
        **result(held),
    }
