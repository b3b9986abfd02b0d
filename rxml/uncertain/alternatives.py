"""Alternatives: a few values a row that exclude each other, with their probabilities; what is missing means absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.arithmetic import RELATIONS, Arithmetic
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.checks import (
    QUIET,
    Floats,
    Numbers,
    floats,
    points,
    probabilities,
    read_only,
    require,
    require_probabilities,
    require_sum,
    summed,
)
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.rows import same
from rxml.uncertain.weighted import weighted_quantile, weighted_share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray


class Alternatives(Distribution):
    """An x-tuple a row (a block of a BID table): at most one of M values is the case.

    Moments, cdf and quantiles are those of the value given that there is one; a comparison is the probability that
    there is one and that it compares so.

    Args:
        values: shape (N, M) or (M,); numbers, or names that are only compared for equality.
        p: as much, within [0, 1]; a row adds up to at most 1, and what is missing is the probability of absence.

    Raises:
        DistributionError: naming the rows whose values are NaN or whose probabilities are none, or add up to more.
    """

    __slots__ = ("_p", "_values")

    kind: str = "alternatives"
    axes: ClassVar[Mapping[str, int | None]] = {"values": 0, "p": 0}

    _values: NDArray[Any]
    _p: Floats

    def __init__(self, values: ArrayLike, p: ArrayLike) -> None:
        given, self._p = np.asarray(values), floats("p", p)
        if given.shape != self._p.shape or given.ndim not in {1, 2}:
            raise DistributionError(
                f"values and p have one shape, (N, M) or (M,); got {given.shape} and {self._p.shape}"
            )
        require_probabilities(self._p)
        require_sum(self._p, below=True)
        self._values = read_only(given) if given.dtype.kind in "USOT" else floats("values", given)
        if self._values.dtype.kind == "f":
            require(~np.isnan(self._values).any(axis=-1), "no value is NaN", self._values)

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._p.shape[:-1]

    @property
    def values(self) -> NDArray[Any]:
        """Shape (N, M)."""
        return self._values

    @property
    def p(self) -> Floats:
        """The probability of each value, shape (N, M)."""
        return self._p

    @property
    def presence(self) -> Floats:
        """The probability that there is a value, shape (N,)."""
        return np.minimum(summed(self._p), 1.0)

    @override
    def readings(self) -> dict[str, NDArray[Any]]:
        """How likely there is a value, and the moments of it; of names, only the former."""
        moments = super().readings() if self._values.dtype.kind == "f" else {}
        return {"presence": self.presence, **moments}

    @property
    def given_present(self) -> Floats:
        """The probability of each value given that there is one, shape (N, M); NaN in rows that are surely absent."""
        with np.errstate(invalid="ignore"):
            return self._p / summed(self._p)[..., None]

    @override
    def concat(self, others: Sequence[Any]) -> Alternatives:
        """This column followed by others; where they have fewer alternatives a row, the lacking ones have p = 0."""
        columns: list[Alternatives] = [self, *others]
        most = max(column.p.shape[-1] for column in columns)
        first, *rest = (_padded(column, most) for column in columns)
        parameters = super(Alternatives, first).concat(rest).parameters()
        return self.adopt(**parameters)

    @override
    def equals(self, other: object) -> bool:
        """Whether the other has the same alternatives in the same order; those at the end with p = 0 do not count."""
        if (
            not isinstance(other, Alternatives)
            or self._values.dtype.kind != other.values.dtype.kind
        ):
            return False
        most = max(self._p.shape[-1], other.p.shape[-1])
        mine, its = _padded(self, most), _padded(other, most)
        return same(mine.p, its.p) and same(_counting(mine), _counting(its))

    @property
    def _numbers(self) -> Floats:
        if self._values.dtype.kind != "f":
            raise DistributionError(
                f"alternatives of {self._values.dtype} have no moments: they are names"
            )
        return self._values

    @override
    @QUIET
    def mean(self) -> Floats:
        """Given that there is a value; NaN in rows where there surely is none."""
        return self._expected(self._numbers)

    @override
    @QUIET
    def var(self) -> Floats:
        """Given that there is a value; NaN in rows where there surely is none."""
        return self._expected(np.square(self._numbers - self.mean()[..., None]))

    def _expected(self, values: Floats) -> Floats:
        given = self.given_present
        found = summed(np.where(given == 0, 0.0, given * values))
        return np.where(self.presence == 0, np.nan, found)

    @override
    def cdf(self, x: Numbers) -> Floats:
        return self._share(x, np.less_equal)

    @override
    def below(self, x: Numbers) -> Floats:
        return self._share(x, np.less)

    @QUIET
    def _share(self, x: Numbers, relation: np.ufunc) -> Floats:
        return weighted_share(*self._columns, np.asarray(x, np.float64), relation)

    @override
    def ppf(self, q: Numbers) -> Floats:
        return weighted_quantile(*self._columns, probabilities(q))

    @property
    def _columns(self) -> tuple[Floats, Floats]:
        return np.moveaxis(self._numbers, -1, 0), np.moveaxis(self.given_present, -1, 0)

    @override
    def compared(self, relation: str, other: Any) -> Bernoulli:
        """The probability that there is a value and that it compares so."""
        if isinstance(other, Arithmetic):
            return self._with_column(relation, other)
        if relation in {"==", "!="} and self._values.dtype.kind != "f":
            chosen = self._values == other if relation == "==" else self._values != other
            return Bernoulli(np.minimum(summed(np.where(chosen, self._p, 0.0)), 1.0))
        at = points(other)[..., None]
        holds = np.asarray(RELATIONS[relation](self._numbers, at))
        p = summed(np.where(holds, self._p, 0.0))
        every = (holds | (self._p == 0)).all(axis=-1)  # adding up must not make it a little more
        return Bernoulli(np.where(every, self.presence, np.minimum(p, 1.0)))

    def _with_column(self, relation: str, other: Arithmetic) -> Bernoulli:
        if other is not self:
            return super().compared(relation, other)
        return Bernoulli(self.presence * float("=" in relation and relation != "!="))

    @override
    def affine(self, scale: Numbers, shift: Numbers) -> Alternatives:
        a, b = (np.asarray(v, np.float64)[..., None] for v in (scale, shift))
        return self._valued(a * self._numbers + b)

    @override
    def divided(self, by: Numbers) -> Alternatives:
        return self._valued(self._numbers / np.asarray(by, np.float64)[..., None])

    def _valued(self, values: Any) -> Alternatives:
        """The same probabilities, of other values; for each row of those, where this is a scalar."""
        wanted = np.asarray(values)
        p = np.broadcast_to(self._p, wanted.shape) if wanted.ndim > self._p.ndim else self._p
        return Alternatives(wanted, p)

    @override
    def times(self, other: Arithmetic) -> Any:
        return self.map(np.square) if other is self else super().times(other)

    @override
    def _power(self, exponent: float) -> Alternatives:
        return self.map(lambda values: values**exponent)

    @override
    def map(self, f: Callable[[Any], Any], method: str = "auto", **options: Any) -> Alternatives:
        """The values of f of every value, exactly: whatever the method."""
        return self._valued(f(self._values))

    @override
    def clip(self, lo: Numbers = -np.inf, hi: Numbers = np.inf) -> Alternatives:
        ends = (np.asarray(end, np.float64)[..., None] for end in (lo, hi))
        return self._valued(np.clip(self._numbers, *ends))

    def given(self, keep: NDArray[np.bool_]) -> Alternatives:
        """What is left when the values where `keep`, shape (N, M), is false are known not to be the case.

        Raises:
            DistributionError: naming the rows of which nothing is left.
        """
        left = np.where(keep, self._p, 0.0)
        total = 1 - summed(np.where(keep, 0.0, self._p))  # absence is still possible
        require(
            (total > 0) & (summed(left) + 1 - self.presence > 0),
            "something must be possible",
            self._p,
        )
        return Alternatives(self._values, np.minimum(left / total[..., None], 1.0))


def _padded(column: Alternatives, most: int) -> Alternatives:
    """With so many alternatives a row: the last value again, which is not the case."""
    size = column.p.shape[-1]
    if size == most:
        return column
    wide = [(0, 0)] * (column.p.ndim - 1) + [(0, most - size)]
    values = np.pad(column.values, wide, mode="edge" if size else "constant")
    return Alternatives.adopt(values=values, p=np.pad(column.p, wide))


def _counting(column: Alternatives) -> NDArray[Any]:
    """The values up to the last that may be the case, and then that one again."""
    if not column.p.shape[-1]:
        return column.values
    possible = np.maximum.accumulate(column.p[..., ::-1] > 0, axis=-1)[..., ::-1]
    last = np.maximum(possible.sum(axis=-1, keepdims=True) - 1, 0)
    return np.where(possible, column.values, np.take_along_axis(column.values, last, axis=-1))
