"""Worlds: values in W possible worlds a row; columns of the same worlds are jointly distributed."""

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
    require,
    shares,
    summed,
)
from rxml.uncertain.distribution import Distribution, require_level
from rxml.uncertain.interval import Interval
from rxml.uncertain.keys import log_weights, resampled_key, world_key
from rxml.uncertain.rows import same
from rxml.uncertain.weighted import weighted_quantile, weighted_share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.arithmetic import Operand


class Worlds(Distribution):
    """Values in W worlds a row, worlds axis first, so that any numpy function of a column works on every world.

    Columns with the same `world` have been drawn together: what is done with them is done world by world, so
    whatever they have to do with each other is kept, and x - x is 0. Others cannot be joined.

    Args:
        values: shape (W, N), or (W,) for a scalar.
        logw: log weights of the worlds, shape (W,), up to a constant; None for equal weights.
        world: which draws these are, as `Draws.key`; None if nothing else is of the same.

    Raises:
        DistributionError: shapes that do not fit, or NaN among the values, naming the rows.
    """

    __slots__ = ("_logw", "_values", "_world")

    kind: str = "worlds"
    axes: ClassVar[Mapping[str, int | None]] = {"values": 1, "logw": None, "world": None}

    _values: Floats
    _logw: Floats | None
    _world: NDArray[Any] | None

    def __init__(
        self, values: ArrayLike, logw: ArrayLike | None = None, world: ArrayLike | None = None
    ) -> None:
        self._values = floats("values", values)
        if self._values.ndim not in {1, 2} or not len(self._values):
            raise DistributionError(f"values have shape (W, N) or (W,); got {self._values.shape}")
        require(
            ~np.isnan(self._values).any(axis=0), "no value is NaN", np.moveaxis(self._values, 0, -1)
        )
        self._logw = None if logw is None else log_weights(logw, len(self._values))
        self._world = None if world is None else world_key(world)

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._values.shape[1:]

    @property
    def values(self) -> Floats:
        """Shape (W, N)."""
        return self._values

    @property
    def world(self) -> NDArray[Any] | None:
        """Which draws these are; None if nothing else is of the same."""
        return self._world

    @property
    def weights(self) -> Floats:
        """Of the worlds, shape (W,); they add up to 1."""
        count = len(self._values)
        return np.full(count, 1 / count) if self._logw is None else shares(self._logw)

    @property
    def _given_weights(self) -> Floats | None:
        return None if self._logw is None else self.weights

    @property
    def effective(self) -> float:
        """How many equal worlds would be as good (Kish's effective sample size)."""
        with np.errstate(under="ignore"):
            return float(1 / np.square(self.weights).sum())

    @override
    @QUIET
    def mean(self) -> Floats:
        return self._expected(self._values)

    @override
    @QUIET
    def var(self) -> Floats:
        return self._expected(np.square(self._values - self.mean()))

    def _expected(self, values: Floats) -> Floats:
        if self._logw is None:
            return summed(values, axis=0) / len(values)
        return summed(np.moveaxis(values, 0, -1) * self.weights)

    @override
    def cdf(self, x: Numbers) -> Floats:
        return weighted_share(
            self._values, self._given_weights, np.asarray(x, np.float64), np.less_equal
        )

    @override
    def below(self, x: Numbers) -> Floats:
        return weighted_share(self._values, self._given_weights, np.asarray(x, np.float64), np.less)

    @override
    def ppf(self, q: Numbers) -> Floats:
        return weighted_quantile(self._values, self._given_weights, probabilities(q))

    @override
    def sample(self, draws: Any = None, name: str = "", ids: ArrayLike = ()) -> Floats:
        """The values themselves: these are the worlds."""
        return self._values

    @override
    def affine(self, scale: Numbers, shift: Numbers) -> Worlds:
        values = self.beside(scale, shift)
        return self._like(np.multiply(scale, values) + shift)

    @override
    def divided(self, by: Numbers) -> Worlds:
        return self._like(self.beside(by) / by)

    @override
    def _power(self, exponent: float) -> Worlds:
        return self.map(lambda values: values**exponent)

    def beside(self, *others: Any) -> Floats:
        """The values; with an axis for rows where this is a scalar and others are not, whose rows are no worlds."""
        column = any(getattr(other, "shape", ()) for other in others)
        return self._values[:, None] if column and not self.shape else self._values

    def shortest(self, level: float) -> Interval:
        """The shortest interval that holds ceil(level * W) of the worlds (highest density).

        Raises:
            DistributionError: the worlds have weights; resample first.
        """
        require_level(level)
        if self._logw is not None:
            raise DistributionError(
                "the shortest interval of weighted worlds: use `.resampled()` first"
            )
        ordered = np.sort(self._values, axis=0)
        span = int(np.ceil(level * len(ordered))) - 1
        widths = ordered[span:] - ordered[: len(ordered) - span]
        start = np.expand_dims(np.argmin(widths, axis=0), 0)
        ends = [np.take_along_axis(ordered, start + each, axis=0)[0] for each in (0, span)]
        return Interval(*ends, level=level, sort="conformal")  # what is left out is on either side

    @override
    def map(self, f: Callable[[Any], Any], method: str = "auto", **options: Any) -> Worlds:
        """The values of f in every world, exactly: whatever the method."""
        return self._like(np.asarray(f(self._values), np.float64))

    def reweighted(self, loglik: ArrayLike) -> Worlds:
        """The worlds after evidence: each counts as much more as it makes the evidence likely.

        Args:
            loglik: log likelihood in each world, shape (W,).
        """
        return Worlds(
            self._values,
            (0.0 if self._logw is None else self._logw) + floats("loglik", loglik),
            self._world,
        )

    def given(self, event: Bernoulli) -> Worlds:
        """The worlds where an event, a scalar of the same worlds, holds.

        Raises:
            DistributionError: it is of other worlds, or holds in none.
        """
        inside = event.inside
        joint = self._world is not None and same(self._world, event.world)
        if inside is None or inside.shape != (len(self._values),) or not joint:
            raise DistributionError("given an event of the same worlds, and a scalar: it is not")
        if not inside.any():
            raise DistributionError("given an event that holds in none of the worlds")
        with np.errstate(divide="ignore"):
            return self.reweighted(np.log(inside.astype(np.float64)))

    def resampled(self, u: float = 0.5) -> Worlds:
        """As many worlds of equal weight, by systematic resampling (Kitagawa, 1996).

        Args:
            u: where in its stratum each is taken, within [0, 1).

        Returns:
            Worlds in which columns that were joint, and are resampled alike, are joint again.
        """
        if not 0 <= u < 1:
            raise ValueError(f"u is within [0, 1); got {u}")
        weights = self.weights
        positions = (np.arange(len(weights)) + u) / len(weights)
        chosen = np.searchsorted(np.cumsum(weights), positions, side="right")
        chosen = np.minimum(chosen, np.flatnonzero(weights)[-1])
        world = None if self._world is None else resampled_key(self._world, chosen)
        return Worlds(self._values[chosen], world=world)

    @override
    def plus(self, other: Arithmetic) -> Any:
        return self.jointly(np.add, other) if isinstance(other, Worlds) else super().plus(other)

    @override
    def times(self, other: Arithmetic) -> Any:
        return (
            self.jointly(np.multiply, other) if isinstance(other, Worlds) else super().times(other)
        )

    @override
    def over(self, other: Arithmetic) -> Any:
        return (
            self.jointly(np.true_divide, other)
            if isinstance(other, Worlds)
            else super().over(other)
        )

    @override
    def compared(self, relation: str, other: Operand) -> Bernoulli:
        if isinstance(other, Worlds):
            self.require_joint(other)
            inside = RELATIONS[relation](self.beside(other), other.beside(self))
        elif isinstance(other, Arithmetic):
            return super().compared(relation, other)
        else:
            inside = RELATIONS[relation](self.beside(other), points(other))
        return Bernoulli.in_worlds(inside, self._logw, self._world)

    @override
    def clip(self, lo: Numbers = -np.inf, hi: Numbers = np.inf) -> Worlds:
        return self._like(np.clip(self.beside(lo, hi), lo, hi))

    def require_joint(self, other: Worlds) -> None:
        """Refuse columns that were not drawn together.

        Raises:
            DistributionError: they were not, or they are weighted differently.
        """
        if other is self:
            return
        if (
            self._world is None
            or other.world is None
            or not np.array_equal(self._world, other.world)
        ):
            text = "these columns were not drawn in the same worlds, so how they depend on each other is unknown"
            raise DistributionError(f"{text}: make both with equal Draws")
        if len(self._values) != len(other.values) or not np.array_equal(
            self.weights, other.weights
        ):
            raise DistributionError("the worlds of these columns differ in number or in weights")

    @QUIET
    def jointly(self, f: np.ufunc, other: Worlds) -> Worlds:
        """F of both in every world.

        Raises:
            DistributionError: they were not drawn together, or naming the rows where it is NaN in some world.
        """
        self.require_joint(other)
        return self._like(f(self.beside(other), other.beside(self)))

    def _like(self, values: Floats) -> Worlds:
        return Worlds(values, self._logw, self._world)
