"""Plot: panels of lines as SVG, with nothing but text and strokes, readable on light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 760
HEIGHT: Final = 250
LEFT: Final = 56
RIGHT: Final = 130
TOP: Final = 34
BOTTOM: Final = 26
APART: Final = 14.0
"""Pixels between the names at the ends of lines, at least."""

STYLE: Final = (
    "text{font:12px sans-serif;fill:#333}.g{stroke:#8886;fill:none}.l{fill:none;stroke-width:2.5}"
    ".t{font-weight:bold}@media(prefers-color-scheme:dark){text{fill:#ccc}}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """Points with a name.

    Attributes:
        name: stands at its end.
        colour: of SVG.
        points: x and y, by x.
    """

    name: str
    colour: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over the same axes.

    Attributes:
        title: what y is.
        lines: at least a point each.
        ticks: of y, the least and the largest being its ends; > 0 if logarithmic.
        logarithmic: whether y is; x always is.
    """

    title: str
    lines: Sequence[Line]
    ticks: Sequence[float]
    logarithmic: bool = False


def picture(title: str, ticks: Sequence[float], panels: Sequence[Panel]) -> str:
    """One panel below the other, over one x.

    Args:
        title: what x is.
        ticks: of x, each > 0, the least and the largest being its ends.
        panels: from above.
    """
    height = HEIGHT * len(panels) + 24
    body = [_panel(panel, ticks, at * HEIGHT) for at, panel in enumerate(panels)]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<style>{STYLE}</style>",
            *body,
            _text((LEFT + WIDTH - RIGHT) / 2, height - 8, title, "middle"),
            "</svg>\n",
        )
    )


def _panel(panel: Panel, ticks: Sequence[float], top: float) -> str:
    right, bottom = WIDTH - RIGHT, top + HEIGHT - BOTTOM

    def across(x: float) -> float:
        return LEFT + (right - LEFT) * _share(x, ticks, logarithmic=True)

    def up(y: float) -> float:
        return bottom - (bottom - top - TOP) * _share(y, panel.ticks, panel.logarithmic)

    parts = [_text(LEFT, top + 18, panel.title, "start", "t")]
    for tick in panel.ticks:
        parts += [_rule(LEFT, up(tick), right, up(tick))]
        parts += [_text(LEFT - 6, up(tick) + 4, f"{tick:g}", "end")]
    for tick in ticks:
        parts += [_text(across(tick), bottom + 16, f"{tick:g}", "middle")]
    for line in panel.lines:
        spots = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line.points)
        parts += [f'<polyline class="l" stroke="{line.colour}" points="{spots}"/>']
    ends = spread([up(line.points[-1][1]) for line in panel.lines])
    for line, y in zip(panel.lines, ends, strict=True):
        name = _text(right + 8, y + 4, line.name, "start")
        parts += [name.replace("<text", f'<text style="fill:{line.colour}"')]
    return "\n".join(parts)


def _share(value: float, ticks: Sequence[float], logarithmic: bool) -> float:  # noqa: FBT001 - internal
    """Where a value stands between the ends, 0..1; what is beyond them stands at them."""
    low, high = min(ticks), max(ticks)
    value = min(max(value, low), high)
    if logarithmic:
        return log(value / low) / log(high / low)
    return (value - low) / (high - low)


def spread(places: Sequence[float]) -> list[float]:
    """The places of names, moved down so that none covers another."""
    moved = list(places)
    last = float("-inf")
    for at in sorted(range(len(places)), key=places.__getitem__):
        last = moved[at] = max(places[at], last + APART)
    return moved


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path class="g" d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'
