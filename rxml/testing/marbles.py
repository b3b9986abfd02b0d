"""Marbles: a timeline as text, one row for each place, time from left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.flow.chunk import CHUNK
from rxml.testing.timeline import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rxml.testing.timeline import Event, Timeline

LEGEND: Final = (
    "?3 asks for 3, ?* for as much as is ready; -a-b- elements of one chunk; W5 watermark 5; B1 barrier 1; "
    "| end; # error; ! cancelled; ~ its wait was interrupted; ^ opened; $ released; x misused"
)
_MARKS: Final = {
    Kind.OPENED: "^",
    Kind.END: "|",
    Kind.INTERRUPTED: "~",
    Kind.CANCEL: "!",
    Kind.RELEASED: "$",
}
_WIDTH: Final = 108
_MOST: Final = 120


def marble(timeline: Timeline, *, width: int = _WIDTH) -> str:
    """The timeline as a text marble diagram.

    One column for each event, in order; the row of time shows the clock in seconds wherever it has moved. What each
    mark means is in `LEGEND`.

    Args:
        timeline: what to draw; of a long one the first and the last events are drawn.
        width: characters to a line, after which the diagram goes on below; >= 40.

    Raises:
        ValueError: width is below 40.
    """
    if width < 40:
        raise ValueError(f"a diagram needs a width of at least 40 characters, got {width}")
    if not timeline.events:
        return "(nothing happened)"
    lanes = timeline.lanes
    name = max(map(len, ["time", *lanes])) + 2
    columns = _columns(_shortened(timeline.events), lanes)
    lines: list[str] = []
    for part in _pages(columns, width - name):
        if lines:
            lines.append("")
        for row, lane in enumerate(["time", *lanes]):
            cells = [column[row].ljust(len(column[0])) for column in part]
            lines.append(f"{lane:<{name}}{''.join(cells)}".rstrip())
    return "\n".join(lines)


def _shortened(events: Sequence[Event]) -> list[Event | None]:
    """All of them, or the first and the last with a gap (None) between."""
    if len(events) <= _MOST:
        return list(events)
    half = _MOST // 2
    return [*events[:half], None, *events[-half:]]


def _columns(events: Iterable[Event | None], lanes: list[str]) -> list[list[str]]:
    """One column an event: the time if it moved, then a cell for each lane, padded with dots."""
    columns: list[list[str]] = []
    now: float | None = None
    for event in events:
        if event is None:
            columns.append([" ... "] * (len(lanes) + 1))
            continue
        text = mark(event)
        clock = "" if event.time == now else f"{event.time:g}"
        now = event.time
        width = max(len(text), len(clock)) + 1
        cells = [(text if lane == event.lane else "").ljust(width, ".") for lane in lanes]
        columns.append([clock.ljust(width), *cells])
    return columns


def _pages(columns: list[list[str]], width: int) -> list[list[list[str]]]:
    pages: list[list[list[str]]] = [[]]
    used = 0
    for column in columns:
        if used + len(column[0]) > width and pages[-1]:
            pages.append([])
            used = 0
        pages[-1].append(column)
        used += len(column[0])
    return pages


def mark(event: Event) -> str:
    """One event as its mark."""
    match event.kind:
        case Kind.REQUEST:
            return f"?{_demand(event.value)}"
        case Kind.CHUNK:
            return _chunk(event.value)
        case Kind.ERROR:
            return f"#{type(event.value).__name__}"
        case Kind.MISUSE:
            return f"x{type(event.value).__name__}"
        case _:
            return _MARKS[event.kind]


def _demand(n: Any) -> str:
    return "*" if isinstance(n, int) and n > CHUNK else f"{n!r}"


def _chunk(chunk: Any) -> str:
    shown = [_short(element) for element in list(chunk.elements)[:8]]
    if len(chunk) > len(shown):
        shown.append(f"({len(chunk) - len(shown)} more)")
    signals = [f"{name[0].upper()}{value}" for name, value in chunk.signals().items()]
    return f"-{'-'.join(shown + signals)}-"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 20 else text[:19] + "…"
