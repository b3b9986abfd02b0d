"""Drawing: panels of lines, dots and spans over one linear x, as SVG that looks the same on light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from xml.sax.saxutils import escape

from benchmarks.plot import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH: Final = 760
HEIGHT: Final = 230
LEFT: Final = 48
RIGHT: Final = 178
TOP: Final = 34
BOTTOM: Final = 26
FOOT: Final = 28

# A ground of its own, rather than a media query: pages do not always follow what the system prefers.
STYLE: Final = (
    "text{font:12px sans-serif;fill:#333}.g{stroke:#ddd;fill:none}.m{stroke:#888;fill:none;"
    "stroke-dasharray:4 3}.l{fill:none;stroke-width:1.8;stroke-linejoin:round}.t{font-weight:bold}"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where values stand in the picture.

    Attributes:
        across: from an x to a pixel.
        up: from a y to a pixel; what is beyond the axis stands at its end.
    """

    across: Callable[[float], float]
    up: Callable[[float], float]


class Mark(Protocol):
    """What stands in a panel under a name."""

    @property
    def name(self) -> str:
        """Stands right of the panel; empty if nothing does."""
        ...

    @property
    def colour(self) -> str:
        """Of SVG."""
        ...

    @property
    def end(self) -> float:
        """The y beside which the name stands."""
        ...

    def drawn(self, frame: Frame) -> str:
        """Its SVG."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """Points, joined by straight lines."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]

    @property
    def end(self) -> float:
        """The last y."""
        return self.points[-1][1]

    def drawn(self, frame: Frame) -> str:
        """One polyline."""
        spots = " ".join(f"{frame.across(x):.1f},{frame.up(y):.1f}" for x, y in self.points)
        return f'<polyline class="l" stroke="{self.colour}" points="{spots}"/>'


@dataclass(frozen=True, slots=True)
class Dots:
    """Points on their own."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    radius: float = 3.0

    @property
    def end(self) -> float:
        """The last y."""
        return self.points[-1][1]

    def drawn(self, frame: Frame) -> str:
        """A circle each."""
        spots = (
            f'<circle cx="{frame.across(x):.1f}" cy="{frame.up(y):.1f}" r="{self.radius:g}"/>'
            for x, y in self.points
        )
        return f'<g fill="{self.colour}">{"".join(spots)}</g>'


@dataclass(frozen=True, slots=True)
class Spans:
    """An upright bar from one y to another at each x."""

    name: str
    colour: str
    spans: Sequence[tuple[float, float, float]]
    width: float = 8.0

    @property
    def end(self) -> float:
        """The last upper end."""
        return self.spans[-1][2]

    def drawn(self, frame: Frame) -> str:
        """One path with a stroke for each."""
        strokes = "".join(
            f"M{frame.across(x):.1f} {frame.up(low):.1f}V{frame.up(high):.1f}"
            for x, low, high in self.spans
        )
        pen = f'stroke="{self.colour}" stroke-opacity=".35" stroke-width="{self.width:g}"'
        return f'<path d="{strokes}" {pen}/>'


@dataclass(frozen=True, slots=True)
class Panel:
    """Marks over the same axes.

    Attributes:
        title: what y is.
        marks: later ones stand over earlier ones.
        ticks: of y, the least and the largest being its ends.
        lines: y at which a dashed line goes through.
        at: x at which one does.
    """

    title: str
    marks: Sequence[Mark]
    ticks: Sequence[float]
    lines: Sequence[float] = ()
    at: Sequence[float] = ()


def picture(told: str, title: str, ticks: Sequence[float], panels: Sequence[Panel]) -> str:
    """One panel below the other, over one x.

    Args:
        told: what one sees, for who does not see it.
        title: what x is.
        ticks: of x, the least and the largest being its ends.
        panels: from above.
    """
    height = HEIGHT * len(panels) + FOOT
    body = [_panel(panel, ticks, at * HEIGHT) for at, panel in enumerate(panels)]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(told)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#fcfcfc"/>',
            *body,
            _text((LEFT + WIDTH - RIGHT) / 2, height - 9, title, "middle"),
            "</svg>\n",
        )
    )


def _panel(panel: Panel, ticks: Sequence[float], top: float) -> str:
    right, bottom = WIDTH - RIGHT, top + HEIGHT - BOTTOM
    frame = Frame(
        lambda x: LEFT + (right - LEFT) * _share(x, ticks),
        lambda y: bottom - (bottom - top - TOP) * _share(y, panel.ticks),
    )
    parts = [_text(LEFT, top + 20, panel.title, "start", "t")]
    for tick in panel.ticks:
        y = frame.up(tick)
        parts += [_rule("g", LEFT, y, right, y), _text(LEFT - 6, y + 4, f"{tick:g}", "end")]
    parts += [_text(frame.across(tick), bottom + 16, f"{tick:g}", "middle") for tick in ticks]
    parts += [_rule("m", LEFT, frame.up(y), right, frame.up(y)) for y in panel.lines]
    parts += [_rule("m", frame.across(x), top + TOP, frame.across(x), bottom) for x in panel.at]
    parts += [mark.drawn(frame) for mark in panel.marks]
    return "\n".join([*parts, *_names(panel.marks, frame, right + 8, bottom)])


def _names(marks: Sequence[Mark], frame: Frame, left: float, bottom: float) -> list[str]:
    named = [mark for mark in marks if mark.name]
    places = spread([frame.up(mark.end) for mark in named])
    beyond = max(0.0, max(places, default=0.0) - bottom)
    places = [place - beyond for place in places]
    return [
        f'<text style="fill:{mark.colour}" x="{left:.1f}" y="{y + 4:.1f}">{escape(mark.name)}</text>'
        for mark, y in zip(named, places, strict=True)
    ]


def _share(value: float, ticks: Sequence[float]) -> float:
    low, high = min(ticks), max(ticks)
    return (min(max(value, low), high) - low) / (high - low)


def _rule(kind: str, x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'
