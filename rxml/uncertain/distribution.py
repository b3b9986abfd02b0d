"""Distribution: a column with one probability distribution a row, and the protocol of all kinds."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.arithmetic import Arithmetic
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.checks import points, require
from rxml.uncertain.interval import Interval
from rxml.uncertain.rules import rule_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.arithmetic import Operand
    from rxml.uncertain.checks import Floats, Numbers
    from rxml.uncertain.draws import Draws


class Distribution(Arithmetic):
    """One distribution a row, held as arrays of parameters: a column of a batch, or a scalar of shape ().

    The batch axis comes first, (N,) or (N, K); of worlds it comes last, (W, N), so that a function written for a
    column works on every world. Points and probabilities that methods take are broadcast against (N,).

    Arithmetic takes two columns as independent, unless they are the same object (then x - x is 0) or worlds of the
    same draws; `add` of this room takes the dependence as an argument. Comparing gives a `Bernoulli` column of
    probabilities, whose truth cannot be asked for.
    """

    __slots__ = ()

    @abstractmethod
    def mean(self) -> Floats:
        """The expectation of each row, shape (N,)."""

    @abstractmethod
    def var(self) -> Floats:
        """The variance of each row, shape (N,), in squared units of the values."""

    @abstractmethod
    def cdf(self, x: Numbers) -> Floats:
        """P(X <= x) for each row, shape that of x broadcast against (N,)."""

    @abstractmethod
    def ppf(self, q: Numbers) -> Floats:
        """The least x with cdf(x) >= q; q within [0, 1], broadcast against (N,)."""

    @override
    @abstractmethod
    def affine(self, scale: Numbers, shift: Numbers) -> Distribution: ...

    @override
    @abstractmethod
    def divided(self, by: Numbers) -> Distribution: ...

    @override
    def readings(self) -> dict[str, NDArray[Any]]:
        return {"mean": self.mean(), "var": self.var()}

    def std(self) -> Floats:
        """The standard deviation of each row, shape (N,)."""
        return np.sqrt(self.var())

    def sf(self, x: Numbers) -> Floats:
        """P(X > x) for each row."""
        return 1 - self.cdf(x)

    def below(self, x: Numbers) -> Floats:
        """P(X < x) for each row: the cdf, where no value has a probability of its own."""
        return self.cdf(x)

    def prob(self, lo: Numbers, hi: Numbers) -> Floats:
        """P(lo < X <= hi) for each row; 0 where lo >= hi."""
        below = self.cdf(lo)
        inside = self.cdf(hi) - below
        upper = below > 0.5  # both are nearly one there, and what is above them is not
        if np.any(upper):
            inside = np.where(upper, self.sf(lo) - self.sf(hi), inside)
        return np.maximum(inside, 0.0)

    def interval(self, level: float) -> Interval:
        """The central interval that holds with this probability: as much is cut off on either side.

        Args:
            level: within (0, 1).
        """
        require_level(level)
        tail = (1 - level) / 2
        lo, hi = self.ppf(np.array([tail, 1 - tail]).reshape(2, *(1,) * len(self.shape)))
        # both may be one value, found from either side
        return Interval(np.minimum(lo, hi), hi, level=level, sort="central")

    def sample(self, draws: Draws, name: str, ids: ArrayLike) -> Floats:
        """Values in every world, shape (W, N): the same for the same seed, name, fact and world.

        Args:
            draws: the seed and the number of worlds.
            name: of the variable: others of the same fact are drawn independently.
            ids: of the facts, one a row.
        """
        return self.ppf(draws.uniform(name, ids))

    def map(self, f: Callable[[Any], Any], method: str = "auto", **options: Any) -> Any:
        """The distribution of f(X), by a declared method.

        Args:
            f: works on arrays of any shape, value by value; called once.
            method: "exact" (a registered form, such as np.exp), "delta", "unscented" (3 points a row, exact for
                polynomials up to degree 5 of a normal X in its mean), "worlds", or "auto": exact where a form is
                known, worlds where X is worlds, unscented if `smooth` is declared, else an error.
            **options: `smooth` for "auto"; `draws`, `name` and `ids` for "worlds".

        Raises:
            DistributionError: there is no such form, or what the method needs is not given.
        """
        return rule_for("map", type(self))(self, f, method, **options)

    @override
    def to(self, kind: type[Any], **options: Any) -> Any:
        """The nearest distribution of another kind: as a rule one of the same mean and variance.

        Args:
            kind: such as `Normal`, `Worlds` or `Quantiles`.
            **options: `draws`, `name` and `ids` for worlds, `taus` for quantiles, `level` for an interval.

        Raises:
            DistributionError: there is no way from here to there.
        """
        if isinstance(self, kind) and not (options and self._made_again):
            return self
        return rule_for("to", type(self), kind)(self, **options)

    @override
    def plus(self, other: Arithmetic) -> Any:
        return self.affine(2.0, 0.0) if other is self else self._with("plus", other)

    @override
    def times(self, other: Arithmetic) -> Any:
        return self.map(np.square) if other is self else self._with("times", other)

    @override
    def over(self, other: Arithmetic) -> Any:
        if other is not self:
            return self._with("over", other)
        nothing = self.compared("==", 0.0).bounds[1]
        require(nothing == 0, "what is divided by is never 0; got as probability of it", nothing)
        return self.affine(0.0, 1.0)

    def _with(self, operation: str, other: Arithmetic) -> Any:
        return rule_for(operation, type(self), type(other))(self, other)

    @override
    def compared(self, relation: str, other: Operand) -> Bernoulli:
        if not isinstance(other, Arithmetic):
            return Bernoulli(np.clip(self.relations(relation, points(other)), 0.0, 1.0))
        if other is self:
            return Bernoulli(np.full(self.shape, float("=" in relation and relation != "!=")))
        event: Bernoulli = rule_for("compare", type(self), type(other))(self, relation, other)
        return event

    def relations(self, relation: str, x: Numbers) -> Floats:
        """P(X relation x) as plain numbers, shape that of x broadcast against (N,)."""
        match relation:
            case ">":
                return self.sf(x)
            case "<":
                return self.below(x)
            case ">=":
                return self.sf(x) + np.maximum(self.cdf(x) - self.below(x), 0.0)
            case "<=":
                return self.cdf(x)
            case _:
                at = np.maximum(self.cdf(x) - self.below(x), 0.0)
                return at if relation == "==" else 1 - at

    @property
    def _made_again(self) -> bool:
        """Whether another column of this kind can be made of this, by options."""
        return False

    @override
    def applied(self, f: np.ufunc) -> Any:
        return self.map(f, "exact")

    @override
    def clip(self, lo: Numbers = -np.inf, hi: Numbers = np.inf) -> Any:
        return rule_for("clip", type(self))(self, lo, hi)


def require_level(level: float) -> None:
    """Refuse a level that is no probability of an interval.

    Raises:
        DistributionError: it is not within (0, 1).
    """
    if not 0 < level < 1:
        raise DistributionError(f"the level of an interval is within (0, 1); got {level}")
