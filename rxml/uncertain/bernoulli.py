"""Bernoulli: whether something holds in each row, as a probability, with bounds where no more is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NoReturn, Self, TypeAlias, cast

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError, TruthError
from rxml.uncertain.checks import (
    Floats,
    batched,
    require,
    require_probabilities,
    rows_text,
    shares,
    summed,
)
from rxml.uncertain.keys import alike, log_weights, world_key
from rxml.uncertain.rows import Rows, same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

Dependence: TypeAlias = Literal["independent", "unknown"]

_DEPENDENCES: Final = ("independent", "unknown")


class Bernoulli(Rows):
    """One event a row, such as `temp > 30`: the probability that it holds.

    `&`, `|` and `~` combine events. Two that were found in the same worlds are joined world by world; others are
    taken as independent: `both` and `either` take the dependence as an argument, and bound the probability where it
    is unknown (Frechet, 1935). Booleans, such as `site == "north"` of an array, are events that are known.

    Args:
        p: the probability of each row, within [0, 1], shape (N,) or ().
    """

    __slots__ = ("_high", "_inside", "_logw", "_low", "_world")

    kind: str = "bernoulli"
    axes: ClassVar[Mapping[str, int | None]] = {
        "low": 0,
        "high": 0,
        "inside": 1,
        "logw": None,
        "world": None,
    }

    _low: Floats
    _high: Floats
    _inside: NDArray[np.bool_] | None
    _logw: Floats | None
    _world: NDArray[Any] | None

    def __init__(self, p: ArrayLike) -> None:
        (self._low,) = batched(p=p)
        require_probabilities(self._low)
        self._high = self._low
        self._inside = self._logw = self._world = None

    @classmethod
    def between(cls, low: ArrayLike, high: ArrayLike) -> Self:
        """Events of which only bounds of the probability are known.

        Raises:
            DistributionError: not 0 <= low <= high <= 1.
        """
        lower, upper = batched(low=low, high=high)
        for bound in (lower, upper):
            require_probabilities(bound)
        require(lower <= upper, "low <= high", np.stack([lower, upper], axis=-1))
        return cls.adopt(low=lower, high=upper, inside=None, logw=None, world=None)

    @classmethod
    def in_worlds(
        cls, inside: NDArray[np.bool_], logw: Floats | None, world: NDArray[Any] | None
    ) -> Self:
        """Events that hold in the worlds where `inside`, shape (W, N) or (W,), is true.

        Args:
            inside: whether it holds, worlds axis first.
            logw: log weights of the worlds, shape (W,), which add up to one; None for equal ones.
            world: of which draws the worlds are, as in `Worlds`.
        """
        if logw is None:
            p = np.asarray(np.count_nonzero(inside, axis=0) / len(inside))
            return cls.adopt(low=p, high=p, inside=inside, logw=None, world=world)
        p = np.minimum(summed(np.moveaxis(inside, 0, -1) * shares(logw)), 1.0)
        sure = inside.all(axis=0)  # adding up weights must not make certainty a little less
        p = np.where(sure, 1.0, p)
        return cls.adopt(low=p, high=p, inside=inside, logw=logw, world=world)

    @classmethod
    @override
    def checked(cls, **parameters: Any) -> Self:
        low, high, inside, logw, world = (parameters[name] for name in cls.axes)
        if inside is None:
            return cls.between(low, high)
        if inside.dtype != np.bool_ or inside.ndim not in {1, 2} or not len(inside):
            raise DistributionError(
                f"worlds hold booleans, (W, N); got {inside.dtype} {inside.shape}"
            )
        if logw is not None:
            logw = log_weights(logw, len(inside))
        return cls.in_worlds(inside, logw, None if world is None else world_key(world))

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._low.shape

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """The least and the greatest that each probability can be, shape (N,) each; equal where it is known."""
        return self._low, self._high

    @property
    def p(self) -> Floats:
        """The probability of each row, shape (N,).

        Raises:
            DistributionError: of some rows only bounds are known.
        """
        loose = np.flatnonzero(np.atleast_1d(self._low != self._high))
        if len(loose):
            text = f"only bounds are known of the probabilities of {rows_text(loose)}"
            raise DistributionError(f"{text}: use `.bounds`, or say what the dependence is")
        return self._low

    @override
    def readings(self) -> dict[str, NDArray[Any]]:
        """The probability, NaN where only bounds are known, and the bounds."""
        known = np.where(self._low == self._high, self._low, np.nan)
        return {"p": known, "low": self._low, "high": self._high}

    def mean(self) -> Floats:
        """The probability of each row."""
        return self.p

    def var(self) -> Floats:
        """The variance p (1 - p) of each row."""
        return self.p * (1 - self.p)

    @property
    def stderr(self) -> Floats:
        """How far sampling has p off, one standard deviation: 0 where p was computed, sqrt(p (1-p) / ESS) of worlds."""
        if self._inside is None:
            return np.zeros(self.shape)
        squares = 1 / len(self._inside) if self._logw is None else shares(2 * self._logw).sum()
        return np.sqrt(self.var() * squares)

    def __invert__(self) -> Self:
        inside = None if self._inside is None else ~self._inside
        return self.adopt(
            low=1 - self._high,
            high=1 - self._low,
            inside=inside,
            logw=self._logw,
            world=self._world,
        )

    def __and__(self, other: Self | NDArray[np.bool_]) -> Self:
        return self.both(other)

    def __or__(self, other: Self | NDArray[np.bool_]) -> Self:
        return self.either(other)

    __rand__ = __and__
    __ror__ = __or__

    def __gt__(self, other: object) -> NoReturn:
        _refuse()

    def __ge__(self, other: object) -> NoReturn:
        _refuse()

    def __lt__(self, other: object) -> NoReturn:
        _refuse()

    def __le__(self, other: object) -> NoReturn:
        _refuse()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Numpy's logical functions: of an array and events, as `&` and `|`."""
        known = _LOGICAL.get(ufunc) if method == "__call__" and not options else None
        if known is None:
            text = f"np.{ufunc.__name__} of a Bernoulli: use its probability"
            raise DistributionError(f"{text}, `prob(event)` or `event.p`")
        one, other = inputs if isinstance(inputs[0], Bernoulli) else inputs[::-1]
        return known(one, other)

    def both(self, other: Self | NDArray[np.bool_], dependence: Dependence = "independent") -> Self:
        """Whether both hold, row by row.

        Args:
            other: events of as many rows, or booleans.
            dependence: "independent", or "unknown", which gives the bounds max(0, a + b - 1) and min(a, b); events of
                the same worlds are joined world by world whatever is said.

        Raises:
            DistributionError: they are of the same worlds, but those have other weights.
        """
        if self is other:
            return self
        event = self._event(other)
        inside = self._joint(event)
        if inside is not None:
            return self.in_worlds(inside, self._logw, self._world)
        (low, high), (other_low, other_high) = self.bounds, event.bounds
        if _unknown(dependence):
            return self.between(np.maximum(0.0, low + other_low - 1), np.minimum(high, other_high))
        return self.between(low * other_low, high * other_high)

    def either(
        self, other: Self | NDArray[np.bool_], dependence: Dependence = "independent"
    ) -> Self:
        """Whether at least one holds, row by row; arguments as for `both`."""
        return self if self is other else ~(~self).both(~self._event(other), dependence)

    def _event(self, other: Any) -> Self:
        """The other as an event: booleans are one that is known, in the same worlds if there are any."""
        if isinstance(other, Bernoulli):
            return cast("Self", other)
        mask = np.asarray(other)
        if mask.dtype != np.bool_:
            raise DistributionError(f"an event or booleans are wanted; got {mask.dtype}")
        if self._inside is None:
            return cast("Self", Bernoulli(mask))
        inside, rows = alike(self._inside, mask[None])
        return self.in_worlds(np.broadcast_to(rows, inside.shape), self._logw, self._world)

    @property
    def inside(self) -> NDArray[np.bool_] | None:
        """In which worlds it holds, shape (W, N); None where it was not found in worlds."""
        return self._inside

    @property
    def world(self) -> NDArray[Any] | None:
        """Of which draws the worlds are."""
        return self._world

    def _joint(self, other: Self) -> NDArray[np.bool_] | None:
        if self._inside is None or other.inside is None or self._world is None:
            return None
        if other.world is None or not np.array_equal(self._world, other.world):
            return None
        if len(self._inside) != len(other.inside) or not same(self._logw, other.logw):
            raise DistributionError("the worlds of these events differ in number or in weights")
        both: NDArray[np.bool_] = np.logical_and(*alike(self._inside, other.inside))
        return both

    @property
    def logw(self) -> Floats | None:
        """The log weights of the worlds, shape (W,); None for equal ones."""
        return self._logw


def _refuse() -> NoReturn:
    raise TruthError(
        "an event is not compared, its probability is: `prob(x > 3) >= .95`, or `event.p`"
    )


def _unknown(dependence: str) -> bool:
    if dependence not in _DEPENDENCES:
        raise ValueError(f"dependence is one of {_DEPENDENCES}; got {dependence!r}")
    return dependence == "unknown"


def prob(event: Bernoulli) -> Floats:
    """The probability of an event for each row, as plain numbers that can be compared: `prob(x > 3) >= .95`.

    Raises:
        DistributionError: of some rows only bounds are known.
    """
    return event.p


_LOGICAL: Final[dict[np.ufunc, Callable[[Any, Any], Any]]] = {
    np.bitwise_and: Bernoulli.both,
    np.logical_and: Bernoulli.both,
    np.bitwise_or: Bernoulli.either,
    np.logical_or: Bernoulli.either,
}
