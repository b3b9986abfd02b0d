"""The graph of a flow as a picture (SVG), drawn without any library."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rxml.flow.node import Node

_HIGH: Final = 34
_GAP: Final = 36
_LETTER: Final = 7.4
_MARGIN: Final = 12
_ARROW: Final = (
    '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#667085"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    wide: float
    text: str
    held: int

    @property
    def middle(self) -> float:
        return self.y + _HIGH / 2

    def draw(self) -> str:
        fill, round_ = ("#eef4ff", 16) if self.held else ("#f8fafc", 5)
        title = f"holds at most {self.held:,} elements" if self.held else "holds nothing"
        return (
            f'<g><title>{title}</title><rect x="{self.x:.0f}" y="{self.y:.0f}" width="{self.wide:.0f}" '
            f'height="{_HIGH}" rx="{round_}" fill="{fill}" stroke="#475467"/>'
            f'<text x="{self.x + self.wide / 2:.0f}" y="{self.middle + 4:.0f}" text-anchor="middle" '
            f'font-family="monospace" font-size="12" fill="#101828">{escape(self.text)}</text></g>'
        )


def svg(node: Node) -> str:
    """The graph from left to right; boxes with round ends hold elements (the bound is in the tooltip)."""
    stages = list(node.walk())
    columns = _columns(stages)
    boxes = _place(stages, columns)
    wide = max(box.x + box.wide for box in boxes.values()) + _MARGIN
    high = max(box.y for box in boxes.values()) + _HIGH + _MARGIN
    lines = [
        _arrow(boxes[id(source)], boxes[id(stage)]) for stage in stages for source in stage.sources
    ]
    drawn = [box.draw() for box in boxes.values()]
    size = f'width="{wide:.0f}" height="{high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{_ARROW}{"".join(lines)}{"".join(drawn)}</svg>'


def _columns(stages: list[Node]) -> dict[int, int]:
    """Each stage stands right of all that feeds it."""
    columns: dict[int, int] = {}
    for stage in stages:
        columns[id(stage)] = 1 + max((columns[id(source)] for source in stage.sources), default=-1)
    return columns


def _place(stages: list[Node], columns: dict[int, int]) -> dict[int, _Box]:
    wide: dict[int, float] = {}
    for stage in stages:
        column = columns[id(stage)]
        wide[column] = max(wide.get(column, 0.0), len(stage.spec.name) * _LETTER + 20)
    left: dict[int, float] = {}
    x = float(_MARGIN)
    for column in sorted(wide):
        left[column] = x
        x += wide[column] + _GAP
    rows: dict[int, int] = {}
    boxes: dict[int, _Box] = {}
    for stage in stages:
        column = columns[id(stage)]
        row = rows[column] = rows.get(column, -1) + 1
        y = _MARGIN + row * (_HIGH + 18)
        spec = stage.spec
        boxes[id(stage)] = _Box(left[column], y, wide[column], spec.name, spec.capacity)
    return boxes


def _arrow(start: _Box, end: _Box) -> str:
    x1, y1, x2, y2 = start.x + start.wide, start.middle, end.x, end.middle
    bend = (x1 + x2) / 2
    return (
        f'<path d="M{x1:.0f} {y1:.0f}C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}" '
        'fill="none" stroke="#667085" marker-end="url(#a)"/>'
    )
