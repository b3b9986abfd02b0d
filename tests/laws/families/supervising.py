"""Law cases of `rxml.operators.supervising`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml import compose
from rxml import operators as ops
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator


def share(x: int) -> int:
    return 12 // x


def forget(_: object) -> None:
    """Takes dead letters."""


def total(a: int, b: int) -> int:
    return a + 6 // b


def restarted(xs: list[int]) -> Iterator[int]:
    """A scan that begins again behind each 0."""
    state: int | None = None
    for x in xs:
        if state is None:
            state = x
        elif x == 0:
            state = None
            continue
        else:
            state = total(state, x)
        yield state


def kept(xs: list[Any]) -> list[int]:
    return [share(x) for x in xs if x != 0]


CASES = {
    "supervise": Case(
        lambda: compose(ops.map(share), ops.supervise("resume")),
        kept,
        options={"ahead": None},
    ),
    "supervise:mapping": Case(
        lambda: compose(
            ops.map(share),
            ops.supervise({ArithmeticError: "resume"}, dead_letters=forget),
        ),
        kept,
        options={"ahead": None},
    ),
    "supervise:restart": Case(
        lambda: compose(ops.scan(total), ops.supervise("restart")),
        restarted,
        options={"ahead": None},
    ),
    "supervise:stop": Case(
        lambda: compose(ops.map(share), ops.supervise("stop")),
        lambda xs: map(share, xs),
    ),
}
