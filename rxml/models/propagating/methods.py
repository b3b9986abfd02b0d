"""Methods: how what is not known of the inputs goes through a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import Final, Literal, TypeAlias

from rxml.errors import PipelineError
from rxml.uncertain import Draws

Way: TypeAlias = Literal["delta", "unscented", "worlds"]

_WORLDS: Final = re.compile(r"worlds(?:\(\s*(\d+)?\s*(?:,\s*seed\s*=\s*(\d+)\s*)?\))?")
_MOST: Final = 1 << 16
_KNOWN: Final = "'delta', 'unscented', 'worlds(128)' or one of models.delta, unscented, worlds"


@dataclass(frozen=True, slots=True)
class Method:
    """How distributions go through a model; see `delta`, `unscented` and `worlds`.

    Attributes:
        way: delta, unscented or worlds.
        level: of the intervals that the model gives itself; None: as the model says.
        residual: variance of what is observed about what the model says.
        worlds: how many; 0 for the other ways.
        seed: that worlds follow from.
        id: name of the column with the ids of facts, which worlds follow from.
    """

    way: Way
    level: float | None = None
    residual: float = 0.0
    worlds: int = 0
    seed: int = 0
    id: str = ""

    def __post_init__(self) -> None:
        """Check."""
        if self.level is not None and not 0 < self.level < 1:
            raise ValueError(f"{self.way}(level=) is within (0, 1), got {self.level!r}")
        if not 0 <= self.residual < inf:
            raise ValueError(
                f"{self.way}(residual=) is a variance, at least 0, got {self.residual!r}"
            )

    @property
    def draws(self) -> Draws:
        """The worlds."""
        return Draws(self.seed, self.worlds)


def delta(*, level: float | None = None, residual: float = 0.0) -> Method:
    """By the slopes of the model at the means of its inputs: 2K + 1 points a row for K uncertain inputs.

    Exact for linear models. Nothing of a curve is seen, and a step is none: for trees, and for large variances, take
    `unscented` or `worlds`.

    Args:
        level: of the intervals that the model gives itself, within (0, 1); None: as the model says.
        residual: variance of what is observed about what the model says, such as the mean squared error on held-out rows.

    Raises:
        ValueError: a number out of its range.
    """
    return Method("delta", level, residual)


def unscented(*, level: float | None = None, residual: float = 0.0) -> Method:
    """By the three-point Gauss-Hermite rule along each input: 2K + 1 points a row for K uncertain inputs.

    For sums of polynomials of one normal input each, exact in the mean up to degree 5 and in the variance up to degree 2
    (see `rxml.uncertain.propagation`). What inputs do together is not seen: take `worlds`.

    Args:
        level: see `delta`.
        residual: see `delta`.

    Raises:
        ValueError: a number out of its range.
    """
    return Method("unscented", level, residual)


def worlds(
    count: int = 128,
    *,
    seed: int = 0,
    id: str = "id",  # noqa: A002 - the name of the column that it names
    level: float | None = None,
    residual: float = 0.0,
) -> Method:
    """By what the model says in each of so many possible worlds: `count` points a row, and `Worlds` as the value.

    The value of an input in a world follows from the seed, the name of the input, the id of the fact and the world alone
    (`Draws`): a replay, a retry and another batch draw the same. Inputs that are `Worlds` of equal draws stay as they
    are, with all that they have to do with each other.

    Args:
        count: of worlds, 1 to 65536.
        seed: at least 0, below 2**64.
        id: name of the column with the ids of facts, whole numbers or text.
        level: see `delta`.
        residual: see `delta`.

    Raises:
        ValueError: a number out of its range.
    """
    if not 1 <= count <= _MOST:
        raise ValueError(f"worlds(count) is within 1 and {_MOST}, got {count!r}")
    if not id:
        raise ValueError("worlds(id=) names a column, got ''")
    method = Method("worlds", level, residual, count, seed, id)
    _ = method.draws  # which checks the seed
    return method


def method_of(given: str | Method) -> Method:
    """The method that is meant.

    Raises:
        PipelineError: none is.
    """
    if isinstance(given, Method):
        return given
    if given == "delta":
        return delta()
    if given == "unscented":
        return unscented()
    found = _WORLDS.fullmatch(str(given))
    if found is None:
        raise PipelineError(f"propagate is {_KNOWN}; got {given!r}")
    return worlds(int(found[1] or 128), seed=int(found[2] or 0))
