"""What is drawn: elements of all sorts, inputs that end or fail, functions that fail at some element."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.differential.side import Input

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.side import Side

NAN = float("nan")
UNHASHABLE: list[Any] = [[1], {"k": 1}, {2}]
POOL: list[Any] = [
    0,
    1,
    -1,
    2,
    2.5,
    NAN,
    None,
    True,
    "a",
    "",
    (1, 2),
    ValueError("a value"),
    *UNHASHABLE,
]
NUMBERS: list[Any] = [0, 1, -1, 2, 3, 2.5, -0.5]

anything = st.sampled_from(POOL)
hashable = st.sampled_from(POOL[: -len(UNHASHABLE)])
numbers = st.sampled_from(NUMBERS)
pairs = st.tuples(anything, anything)


class UpstreamError(Exception):
    """What an input fails with."""


@st.composite
def inputs(
    draw: st.DrawFn,
    elements: st.SearchStrategy[Any] = anything,
    *,
    spacing: float = 0.0,
    most: int = 8,
    fails: bool = True,
) -> Input:
    """A finite input; one in three fails at its end."""
    given = tuple(draw(st.lists(elements, max_size=most)))
    error = draw(st.sampled_from([None, None, UpstreamError("upstream")])) if fails else None
    return Input(given, error, spacing)


@dataclass(frozen=True, slots=True)
class Function:
    """A function by what it does, and the element for which it raises."""

    body: Callable[..., Any]
    poison: Any

    def on(self, side: Side) -> Callable[..., Any]:
        """A fresh one."""
        return side.function(self.body, self.poison)


NOBODY = object()


@st.composite
def functions(draw: st.DrawFn, given: Input, *bodies: Callable[..., Any]) -> Function:
    """One of the bodies; one in three raises for some element of the input."""
    poison = draw(st.sampled_from([NOBODY, NOBODY, *given.elements[:3]]))
    return Function(draw(st.sampled_from(bodies)), poison)


def paired(x: Any) -> Any:
    return (x, "m")


def parity(x: Any) -> Any:
    return len(repr(x)) % 2


def falsy(x: Any) -> Any:
    return x


def no(_: Any) -> bool:
    return False


def letter(x: Any) -> Any:
    return repr(x)[:1]


def boxed(x: Any) -> Any:
    return [repr(x)[:1]]


def chained(a: Any, x: Any) -> Any:
    return f"{a!r:.6}{x!r:.6}"
