"""Interval: a lower and an upper bound a row, with the probability that it is said to hold with, and what by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.arithmetic import Arithmetic
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.bounding import INCREASING, above_zero, both, signs, times
from rxml.uncertain.checks import Floats, Numbers, batched, points, read_only, require
from rxml.uncertain.rules import rule_for
from rxml.uncertain.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.arithmetic import Operand

Sort: TypeAlias = Literal["bound", "central", "conformal"]

SORTS: Final[tuple[Sort, ...]] = ("bound", "central", "conformal")


class Interval(Arithmetic):
    """Bounds a row, and the probability that the value is within them.

    Sorts: "bound" holds always (level 1, the default); "central" cuts off as much probability on either side of a
    distribution; "conformal" holds that often in the long run, and says nothing about where within it a value is.

    Sums: bounds add up. Central intervals of one level are added as those of independent normals, half widths in
    quadrature. Anything else is taken as dependent in an unknown way: ends add up and the level is at least
    1 - sum(1 - level) (Bonferroni).

    Args:
        lo: shape (N,) or ().
        hi: at least lo.
        level: within (0, 1], one number or one a row; must be given unless the sort is "bound".
        sort: what the interval is by; "bound" if no level is given or all are 1, else "central".

    Raises:
        DistributionError: naming rows with lo > hi, NaN, or a level outside (0, 1]; or the level is missing.
    """

    __slots__ = ("_hi", "_level", "_lo", "_sort")

    kind: str = "interval"
    axes: ClassVar[Mapping[str, int | None]] = {"lo": 0, "hi": 0, "level": 0, "sort": None}

    _lo: Floats
    _hi: Floats
    _level: Floats
    _sort: NDArray[np.int64]

    def __init__(
        self,
        lo: ArrayLike,
        hi: ArrayLike,
        *,
        level: ArrayLike | None = None,
        sort: Sort | None = None,
    ) -> None:
        chosen = sort or ("bound" if level is None or _certain(level) else "central")
        if chosen not in SORTS:
            raise DistributionError(f"the sort of an interval is one of {SORTS}; got {sort!r}")
        if level is None and chosen != "bound":
            raise DistributionError(
                f"a {chosen} interval without its level: give level=, such as 0.9"
            )
        self._lo, self._hi, self._level = batched(
            lo=lo, hi=hi, level=1.0 if level is None else level
        )
        _check(self._lo, self._hi, self._level, chosen)
        self._sort = read_only(np.array(SORTS.index(chosen)))

    @classmethod
    @override
    def checked(cls, **parameters: Any) -> Self:
        lo, hi, level, sort = (parameters[name] for name in cls.axes)
        if level is None or np.shape(sort) or not 0 <= int(sort) < len(SORTS):
            raise DistributionError(f"an interval has a level, and a sort from 0 to 2; got {sort}")
        return cls(lo, hi, level=level, sort=SORTS[int(sort)])

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._lo.shape

    @property
    def lo(self) -> Floats:
        """The lower bounds, shape (N,)."""
        return self._lo

    @property
    def hi(self) -> Floats:
        """The upper bounds, shape (N,)."""
        return self._hi

    @property
    def level(self) -> Floats:
        """The probability that each holds with, shape (N,)."""
        return self._level

    @override
    def readings(self) -> dict[str, NDArray[Any]]:
        return {"lo": self._lo, "hi": self._hi, "level": self._level}

    @property
    def sort(self) -> Sort:
        """What the intervals are by."""
        return SORTS[int(self._sort)]

    @override
    def __repr__(self) -> str:
        return super().__repr__().replace(f"sort={int(self._sort)}", f"sort={self.sort!r}")

    @property
    def width(self) -> Floats:
        """The distance hi - lo, shape (N,)."""
        return self._hi - self._lo

    @property
    def center(self) -> Floats:
        """The middle, shape (N,); NaN where both ends are infinite."""
        with np.errstate(invalid="ignore"):
            return self._lo / 2 + self._hi / 2

    def contains(self, x: Numbers) -> NDArray[np.bool_]:
        """Whether lo <= x <= hi, shape that of x broadcast against (N,)."""
        return np.asarray((self._lo <= np.asarray(x)) & (np.asarray(x) <= self._hi))

    @override
    def affine(self, scale: Numbers, shift: Numbers) -> Interval:
        factor = np.asarray(scale, np.float64)
        ends = [times(factor, end) + shift for end in (self._lo, self._hi)]
        return self._between(ends)

    @override
    def divided(self, by: Numbers) -> Interval:
        return self._between([self._lo / by, self._hi / by])

    def _between(self, ends: Sequence[Floats]) -> Interval:
        return Interval(np.minimum(*ends), np.maximum(*ends), level=self._level, sort=self.sort)

    @override
    def plus(self, other: Arithmetic) -> Interval:
        y = self._other(other, "+")
        if y is self:
            return self.affine(2.0, 0.0)
        ends = np.stack(np.broadcast_arrays(self._lo + y.lo, self._hi + y.hi))
        return (
            self._in_quadrature(y, ends)
            if self.sort == y.sort == "central"
            else self._ends(ends, y)
        )

    def _in_quadrature(self, y: Interval, ends: Floats) -> Interval:
        alike = self._level == y.level
        half, middle = np.hypot(self.width / 2, y.width / 2), self.center + y.center
        if alike.all():
            return Interval(middle - half, middle + half, level=self._level, sort="central")
        level = np.where(alike, self._level, both(self._level, y.level))
        lo, hi = (
            np.where(alike, middle + side * half, end)
            for side, end in zip((-1, 1), ends, strict=True)
        )
        return Interval(lo, hi, level=above_zero(level), sort="conformal")

    @override
    def times(self, other: Arithmetic) -> Interval:
        y = self._other(other, "*")
        if y is self:
            return self.applied(np.square)
        ends = [times(a, b) for a in (self._lo, self._hi) for b in (y.lo, y.hi)]
        return self._ends(np.stack(ends), y)

    @override
    def over(self, other: Arithmetic) -> Interval:
        y = self._other(other, "/")
        turned = y.inverse()
        return self.affine(0.0, 1.0) if y is self else self.times(turned)

    def inverse(self) -> Interval:
        """The interval of 1 / X.

        Raises:
            DistributionError: naming the rows that do not lie on one side of 0.
        """
        ends = np.stack([self._lo, self._hi], axis=-1)
        fine = (self._lo > 0) | (self._hi < 0)
        require(fine, "an interval to divide by lies on one side of 0", ends)
        return Interval(1 / self._hi, 1 / self._lo, level=self._level, sort=self.sort)

    def of_ends(self, lo: Floats, hi: Floats, other: Interval) -> Interval:
        """What holds where this and the other do, whatever they have to do with each other (Bonferroni)."""
        return self._ends(np.stack([lo, hi]), other)

    def _ends(self, ends: Floats, y: Interval) -> Interval:
        lo, hi = ends.min(axis=0), ends.max(axis=0)
        if self.sort == y.sort == "bound":
            return Interval(lo, hi)
        # of what is within nothing is known any more
        level = above_zero(both(self._level, y.level))
        return Interval(lo, hi, level=level, sort="conformal")

    def _other(self, other: Arithmetic, sign: str) -> Interval:
        if isinstance(other, Interval):
            return other
        text = f"{type(self).__name__} {sign} {type(other).__name__}"
        raise DistributionError(f"{text}: say what the interval is, as by `interval.to(Normal)`")

    @override
    def compared(self, relation: str, other: Operand) -> Bernoulli:
        """Bounds of the probability: what is outside has at most 1 - level."""
        if other is self:
            return Bernoulli(np.full(self.shape, float("=" in relation and relation != "!=")))
        if isinstance(other, Arithmetic):
            y = self._other(other, relation)
            outside = np.minimum((1 - self._level) + (1 - y.level), 1.0)
            return signs((self._lo, self._hi), (y.lo, y.hi), (outside, outside), relation)
        x, outside = points(other), 1 - self._level
        # a central one is left on either side by half of what it is left by
        beyond = outside / 2 if self.sort == "central" else outside
        return signs((self._lo, self._hi), (x, x), (outside, beyond), relation)

    @override
    def applied(self, f: np.ufunc) -> Interval:
        if f in {np.absolute, np.square}:
            inside = (self._lo <= 0) & (self._hi >= 0)
            ends = np.stack([f(self._lo), f(self._hi)])
            lo = np.where(inside, 0.0, ends.min(axis=0))
            return Interval(lo, ends.max(axis=0), level=self._level, sort=self._loose)
        if f.__name__ not in INCREASING:
            raise DistributionError(
                f"np.{f.__name__} of an Interval: not known to be increasing; convert it first"
            )
        return Interval(f(self._lo), f(self._hi), level=self._level, sort=self.sort)

    @property
    def _loose(self) -> Sort:
        return "bound" if self.sort == "bound" else "conformal"

    @override
    def clip(self, lo: Numbers = -np.inf, hi: Numbers = np.inf) -> Interval:
        ends = [np.clip(end, lo, hi) for end in (self._lo, self._hi)]
        return Interval(*ends, level=self._level, sort=self.sort)

    def map(self, f: Callable[[Any], Any], *, increasing: bool) -> Interval:
        """The interval of f(X) for a monotone f.

        Args:
            f: works on arrays, value by value.
            increasing: whether f grows; False if it falls.
        """
        ends = (f(self._lo), f(self._hi)) if increasing else (f(self._hi), f(self._lo))
        return Interval(*ends, level=self._level, sort=self.sort)

    def std_if_normal(self) -> Floats:
        """The standard deviation of the normal whose central interval this is: (hi - lo) / (2 z); at level 1 of a uniform one."""
        z = ndtri((1 + self._level) / 2)
        return self.width / np.where(self._level == 1, np.sqrt(12.0), 2 * z)

    @override
    def to(self, kind: type[Any], **options: Any) -> Any:
        """A distribution of this interval: a central one is a normal's, bounds are those of a uniform one.

        Raises:
            DistributionError: it is conformal, which tells no distribution; or there is no way to that kind.
        """
        if kind is not Interval:
            return rule_for("to", Interval, kind)(self, **options)
        if np.all(self._level == options.get("level", self._level)):
            return self
        raise DistributionError(
            f"an interval tells nothing of another level, {options['level']}: make a normal of it first"
        )


def _check(lo: Floats, hi: Floats, level: Floats, sort: Sort) -> None:
    require(lo <= hi, "lo <= hi", np.stack([lo, hi], axis=-1))  # NaN is refused with it
    require((level > 0) & (level <= 1), "a level is within (0, 1]", level)
    if sort == "bound":
        require(
            level == 1, "bounds hold always, level 1; give sort='central' or 'conformal'", level
        )


def _certain(level: ArrayLike) -> bool:
    return bool(np.size(level) and np.all(np.equal(level, 1)))
