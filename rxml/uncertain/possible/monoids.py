"""What windows slide with: counts, extremes and sums as monoids, so that rows leave by being forgotten, never by deconvolution.

A monoid has `identity`, `lift`, `combine` and `lower`, each for many groups at once; its states are tuples of arrays
(groups, ...) whose dtypes and shapes, but for the number of groups, stay the same whatever was lifted. `combine` is associative,
the identity changes nothing, and lifting pieces and combining them is lifting all (up to rounding). So two stacks serve any window.
Taking a row out of the distribution of a count by dividing would lose all digits after some hundred slides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import numpy as np

from rxml.uncertain.checks import Floats, require
from rxml.uncertain.possible.convolution import ended_convolution, fewer_than
from rxml.uncertain.possible.rows import UncertainRows, padded, presence
from rxml.uncertain.possible.shapes import added

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

State: TypeAlias = tuple[Floats, ...]

_LARGEST: Final = 1e100  # the cube of a greater one would hardly be a number


class Monoid(Protocol):
    """What slides; see the module."""

    def identity(self, groups: int) -> State:
        """The state of groups without rows."""
        ...

    def lift(self, values: Sequence[Floats], codes: NDArray[np.intp], groups: int) -> State:
        """The state of each group over its rows.

        Args:
            values: columns (n,); which ones, the class says.
            codes: the group of each row, (n,), within [0, groups).
            groups: how many.
        """
        ...

    def combine(self, left: State, right: State) -> State:
        """The state of each group over the rows of both."""
        ...

    def lower(self, state: State) -> Floats:
        """The result of each group, (groups, k)."""
        ...


class CountMonoid:
    """The distribution of how many rows are there, up to a most: the last probability is that of so many or more.

    Columns: presence. State: the probabilities, (groups, most + 1). Lowered: the same. With a most that no window
    exceeds it is the whole distribution; with a small one it is what alarms on P(COUNT >= most) need.

    Attributes:
        most: at least 1.
    """

    most: int

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"most is {most}: give a count of at least 1")
        self.most = most

    def identity(self, groups: int) -> State:
        """The state of groups without rows."""
        f = np.zeros((groups, self.most + 1))
        f[:, 0] = 1.0
        return (f,)

    def lift(self, values: Sequence[Floats], codes: NDArray[np.intp], groups: int) -> State:
        """The state of each group over its rows.

        Raises:
            DistributionError: probabilities outside [0, 1]; the message names the rows.
        """
        _, (table,) = padded(codes, groups, presence(values[0]))
        return (fewer_than(table, self.most),)

    def combine(self, left: State, right: State) -> State:
        """A convolution whose end takes in what is beyond it."""
        return (ended_convolution(left[0], right[0]),)

    def lower(self, state: State) -> Floats:
        """The probabilities of 0 ... most - 1, and last of `most` or more: (groups, most + 1)."""
        return state[0]


class ExtremeMonoid:
    """The distribution of the largest or the smallest value, on a grid.

    Columns: presence, value, and for normal values the variance. State: for each point x of the grid the logarithm of
    the probability that no row is beyond it, and that of no row at all, (groups, points + 1); -inf for 0. Lowered:
    P(MAX <= x, or no row) at each point, or P(MIN > x, or no row), and last P(no row): (groups, points + 1).

    Attributes:
        grid: the points, finite, rising, (points,).
        smallest: MIN instead of MAX.
    """

    grid: Floats
    smallest: bool

    def __init__(self, grid: Floats, *, smallest: bool = False) -> None:
        points = np.array(grid, np.float64)
        fine = points.ndim == 1 and len(points) and bool(np.all(np.isfinite(points)))
        if not fine or not np.all(np.diff(points) > 0):
            raise ValueError(
                f"got a grid {points.tolist()}: give finite and rising points, at least one"
            )
        self.grid = points
        self.smallest = smallest

    def identity(self, groups: int) -> State:
        """The state of groups without rows."""
        return (np.zeros((groups, len(self.grid) + 1)),)

    def lift(self, values: Sequence[Floats], codes: NDArray[np.intp], groups: int) -> State:
        """The state of each group over its rows.

        Raises:
            DistributionError: probabilities, values or variances that are none; the message names the rows.
        """
        rows = UncertainRows.of(*values)
        sides = rows.above(self.grid), rows.up_to(self.grid)
        not_beyond = rows.log_rest(*(sides[::-1] if self.smallest else sides))
        logs = np.empty((len(codes), len(self.grid) + 1))
        with np.errstate(divide="ignore", under="ignore"):
            logs[:, :-1] = not_beyond.T
            logs[:, -1] = np.log1p(-rows.presence)
        total = np.zeros((groups, logs.shape[1]))
        np.add.at(total, codes, logs)
        return (total,)

    def combine(self, left: State, right: State) -> State:
        """Sums of logarithms."""
        return (left[0] + right[0],)

    def lower(self, state: State) -> Floats:
        """The probabilities: (groups, points + 1)."""
        with np.errstate(under="ignore"):
            return np.exp(state[0])


class SumMonoid:
    """Moments of how many rows are there and of the sum of their values.

    Columns: presence, value (within +-1e100), and for normal values the variance. State: five sums, (groups, 5). Lowered: the mean and
    the variance of the count; the mean, the variance and the third central moment of the sum.
    """

    def identity(self, groups: int) -> State:
        """The state of groups without rows."""
        return (np.zeros((groups, 5)),)

    @np.errstate(under="ignore")
    def lift(self, values: Sequence[Floats], codes: NDArray[np.intp], groups: int) -> State:
        """The state of each group over its rows.

        Raises:
            DistributionError: probabilities, values or variances that are none; the message names the rows.
        """
        rows = UncertainRows.of(*values)
        p, v = rows.p[:, 0], rows.v[:, 0]
        require(np.abs(v) <= _LARGEST, f"a value is within +-{_LARGEST:g}", v)
        noise = np.zeros_like(v) if rows.s is None else rows.s[:, 0] ** 2
        q, mean = 1.0 - p, p * v
        var = p * (q * v**2 + noise)
        third = p * (q * v**3 * (q - p) + 3.0 * q * v * noise)
        columns = (p, p * q, mean, var, third)
        return (np.column_stack([added(codes, each, groups) for each in columns]),)

    def combine(self, left: State, right: State) -> State:
        """Sums."""
        return (left[0] + right[0],)

    def lower(self, state: State) -> Floats:
        """The five moments: (groups, 5)."""
        return state[0]
