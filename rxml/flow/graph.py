"""The graph of a flow: what it may hold, and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from rxml.flow.chunk import CHUNK
from rxml.flow.node import KernelSpec, MarkSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.node import Node


@dataclass(frozen=True, slots=True)
class Edge:
    """What one stage may hold, apart from the chunk that passes through.

    Attributes:
        stage: the stage's name.
        elements: bound in elements; of a flow that is used several times in a run, for all uses together.
        bytes: bound in bytes, or None if there is none but that in elements.
    """

    stage: str
    elements: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run of a flow may hold at most.

    Attributes:
        edges: per stage, sources first.
        passing: elements in chunks that pass through, at most one chunk for each row of fused stages.
        element_bytes: the size of an element that was given, or None.
    """

    edges: tuple[Edge, ...]
    passing: int
    element_bytes: int | None

    @property
    def elements(self) -> int:
        """The sum of all bounds, in elements."""
        return self.passing + sum(edge.elements for edge in self.edges)

    @property
    def bytes(self) -> int | None:
        """The sum of all bounds in bytes; None if it depends on the size of an element, which was not given."""
        if self.element_bytes is None:
            return None
        return self.passing * self.element_bytes + sum(edge.bytes or 0 for edge in self.edges)

    @override
    def __str__(self) -> str:
        rows = [(edge.stage, edge.elements, edge.bytes) for edge in self.edges if edge.elements]
        size = self.element_bytes
        passing = None if size is None else self.passing * size
        rows += [("chunks passing", self.passing, passing), ("sum", self.elements, self.bytes)]
        width = max(len(stage) for stage, _, _ in rows)
        return "\n".join(
            f"{stage:<{width}}  {elements:>12,} elements  {_amount(size):>16}"
            for stage, elements, size in rows
        )


def _amount(size: int | None) -> str:
    return "" if size is None else f"{size:,} bytes"


def openings(node: Node) -> Iterator[tuple[Node, int]]:
    """All stages of a flow, sources first, each with how often one run opens it: once for each use.

    What is shared is opened for each of its readers, but what feeds it is so once for them all.
    """
    stages = list(node.walk())
    times = dict.fromkeys(map(id, stages), 0)
    times[id(node)] = 1
    for stage in reversed(stages):
        each = 1 if stage.shared is not None else times[id(stage)]
        for source in stage.sources:
            times[id(source)] += each
    return ((stage, times[id(stage)]) for stage in stages)


def held_by(stage: Node, times: int) -> int:
    """Elements that a stage holds at most if it is opened so often."""
    kept = 0 if stage.shared is None else stage.shared.kept
    return stage.spec.capacity * times + kept


def budget_of(node: Node, element_bytes: int | None) -> Budget:
    """The bounds of all stages of a flow."""
    edges: list[Edge] = []
    rows = 0
    for stage, times in openings(node):
        spec, elements = stage.spec, held_by(stage, times)
        bounds = [] if spec.max_bytes is None else [spec.max_bytes * times]
        bounds += [] if element_bytes is None else [elements * element_bytes]
        edges.append(Edge(spec.name, elements, min(bounds, default=None)))
        rows += 0 if isinstance(spec, KernelSpec | MarkSpec) else times
    return Budget(tuple(edges), rows * CHUNK, element_bytes)


def mermaid(node: Node) -> str:
    """The graph as Mermaid text: boxes for stages, rounded ones where a buffer stands with its bound."""
    numbers: dict[int, int] = {}
    lines = ["flowchart LR"]
    for number, (stage, times) in enumerate(openings(node)):
        numbers[id(stage)] = number
        text = stage.spec.name.replace('"', "#quot;")
        most = held_by(stage, times)
        held = f"<br/>≤ {most:,}" if most else ""
        box = f'(["{text}{held}"])' if held else f'["{text}"]'
        lines.append(f"    s{number}{box}")
        lines.extend(f"    s{numbers[id(source)]} --> s{number}" for source in stage.sources)
    return "\n".join(lines)
