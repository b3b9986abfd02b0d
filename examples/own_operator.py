"""An operator of your own, held to every law in one line; and one that is caught breaking a law.

python examples/own_operator.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from typing_extensions import override

from rxml.flow.kernel import Kernel
from rxml.flow.kinds import fold, label
from rxml.flow.node import Cardinality
from rxml.testing import LawBroken, check_operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.flow.operator import Operator


class _Deadband(Kernel[float, float]):
    """The last value that was let through is all that it remembers."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.last: float | None = None

    @override
    def push(self, items: Iterator[float], out: list[float]) -> None:
        for item in items:
            if self.last is None or abs(item - self.last) > self.width:
                self.last = item
                out.append(item)

    @override
    def snapshot(self) -> Any:
        return self.last

    @override
    def restore(self, state: Any) -> None:
        self.last = state


def deadband(width: float) -> Operator[float, float]:
    """Let a value through if it differs by more than `width` from the last one that was."""
    return fold(
        label("deadband", width), lambda: _Deadband(width), cardinality=Cardinality.AT_MOST_ONE
    )


def deadband_of(values: list[float], width: float) -> list[float]:
    """The same on a plain list: the model."""
    kept: list[float] = []
    for value in values:
        if not kept or abs(value - kept[-1]) > width:
            kept.append(value)
    return kept


class _Smoothed(Kernel[float, float]):
    """The mistake: it takes what comes together for what belongs together."""

    @override
    def push(self, items: Iterator[float], out: list[float]) -> None:
        values = list(items)
        out.extend([sum(values) / len(values)] * len(values))


def smoothed() -> Operator[float, float]:
    """Each value becomes the mean of its neighbours, or what it takes for them."""
    return fold("smoothed", _Smoothed, cardinality=Cardinality.ONE)


def main() -> None:
    """Check both."""
    numbers = st.integers(-9, 9)
    check_operator(
        lambda: deadband(2), model=lambda xs: deadband_of(xs, 2), elements=numbers, max_examples=20
    )
    print("deadband(2) keeps every law.\n")
    try:
        check_operator(smoothed, model=None, elements=numbers)
    except LawBroken as broken:
        print(broken)


if __name__ == "__main__":
    main()
