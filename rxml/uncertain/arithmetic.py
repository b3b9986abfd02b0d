"""Arithmetic: Python's and numpy's operators, each handed to the few methods that a kind has to define."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.bernoulli import Bernoulli
    from rxml.uncertain.checks import Numbers

Operand: TypeAlias = "Numbers | Arithmetic"

MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class Arithmetic(Rows):  # noqa: PLW1641 - == gives a probability, so no table can hold it
    """Values that can be added, scaled, compared and given to numpy's functions."""

    __slots__ = ()

    @abstractmethod
    def affine(self, scale: Numbers, shift: Numbers) -> Arithmetic:
        """The distribution of scale * X + shift, both numbers or one a row."""

    @abstractmethod
    def plus(self, other: Arithmetic) -> Arithmetic:
        """X + Y, taken as independent unless they are known to be joint."""

    @abstractmethod
    def times(self, other: Arithmetic) -> Arithmetic:
        """X * Y, taken as independent unless they are known to be joint."""

    @abstractmethod
    def over(self, other: Arithmetic) -> Arithmetic:
        """X / Y, taken as independent unless they are known to be joint."""

    @abstractmethod
    def compared(self, relation: str, other: Operand) -> Bernoulli:
        """The probability of `X relation other` for each row."""

    @abstractmethod
    def applied(self, f: np.ufunc) -> Arithmetic:
        """f(X) where an exact form is known.

        Raises:
            DistributionError: none is.
        """

    @abstractmethod
    def to(self, kind: type[Any], **options: Any) -> Any:
        """The nearest distribution of another kind."""

    @abstractmethod
    def clip(self, lo: float = -np.inf, hi: float = np.inf) -> Arithmetic:
        """The distribution of X kept within [lo, hi]."""

    def __add__(self, other: Operand) -> Any:
        return self.plus(other) if isinstance(other, Arithmetic) else self.affine(1.0, other)

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Any:
        if other is self:
            return self.affine(0.0, 0.0)
        if isinstance(other, Arithmetic):
            return self.plus(other.affine(-1.0, 0.0))
        return self.affine(1.0, np.negative(other))

    def __rsub__(self, other: Numbers) -> Any:
        return self.affine(-1.0, other)

    def __mul__(self, other: Operand) -> Any:
        return self.times(other) if isinstance(other, Arithmetic) else self.affine(other, 0.0)

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> Any:
        if isinstance(other, Arithmetic):
            return self.over(other)
        return self.affine(np.true_divide(1.0, other), 0.0)

    def __neg__(self) -> Any:
        return self.affine(-1.0, 0.0)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Any:
        return self.applied(np.absolute)

    def __gt__(self, other: Any) -> Bernoulli:
        return self.compared(">", other)

    def __ge__(self, other: Any) -> Bernoulli:
        return self.compared(">=", other)

    def __lt__(self, other: Any) -> Bernoulli:
        return self.compared("<", other)

    def __le__(self, other: Any) -> Bernoulli:
        return self.compared("<=", other)

    @override
    def __eq__(self, other: object) -> Any:
        return NotImplemented if not _comparable(other) else self.compared("==", cast("Any", other))

    @override
    def __ne__(self, other: object) -> Any:
        return NotImplemented if not _comparable(other) else self.compared("!=", cast("Any", other))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Numpy's functions where an exact form is known; others ask for `map`, with a method that is told."""
        if method != "__call__" or options:
            raise DistributionError(
                f"np.{ufunc.__name__}.{method} with {sorted(options)}: call it plainly"
            )
        if len(inputs) == 1:
            return _UNARY.get(ufunc, lambda x: x.applied(ufunc))(inputs[0])
        if ufunc not in _BINARY:
            raise DistributionError(
                f"np.{ufunc.__name__} of a {type(self).__name__}: use `map` or worlds"
            )
        return _BINARY[ufunc](*inputs)


def _comparable(other: object) -> bool:
    return isinstance(other, Arithmetic | int | float | str | np.generic | np.ndarray)


def _relation(relation: str) -> Callable[[Any, Any], Bernoulli]:
    def compare(one: Any, other: Any) -> Bernoulli:
        if isinstance(one, Arithmetic):
            return one.compared(relation, other)
        event: Bernoulli = other.compared(MIRRORED[relation], one)
        return event

    return compare


def _subtract(one: Any, other: Any) -> Any:
    return Arithmetic.__rsub__(other, one) if not isinstance(one, Arithmetic) else one - other


def _add(one: Any, other: Any) -> Any:
    return one + other if isinstance(one, Arithmetic) else other + one


def _multiply(one: Any, other: Any) -> Any:
    return one * other if isinstance(one, Arithmetic) else other * one


def _divide(one: Any, other: Any) -> Any:
    if not isinstance(one, Arithmetic):
        raise DistributionError(
            "a number over a distribution may have no mean: use `map`, or worlds"
        )
    return one / other


def _extreme(sign: float) -> Callable[[Any, Any], Any]:
    def extreme(one: Any, other: Any) -> Any:
        x, bound = (one, other) if isinstance(one, Arithmetic) else (other, one)
        if isinstance(bound, Arithmetic):
            raise DistributionError("the greater of two: use rxml.uncertain.greater(x, y)")
        return x.clip(lo=bound) if sign > 0 else x.clip(hi=bound)

    return extreme


_UNARY: Final[dict[np.ufunc, Callable[[Any], Any]]] = {
    np.negative: lambda x: x.affine(-1.0, 0.0),
    np.positive: lambda x: x,
}
_BINARY: Final[dict[np.ufunc, Callable[[Any, Any], Any]]] = {
    np.add: _add,
    np.subtract: _subtract,
    np.multiply: _multiply,
    np.true_divide: _divide,
    np.maximum: _extreme(1.0),
    np.minimum: _extreme(-1.0),
    np.greater: _relation(">"),
    np.greater_equal: _relation(">="),
    np.less: _relation("<"),
    np.less_equal: _relation("<="),
    np.equal: _relation("=="),
    np.not_equal: _relation("!="),
}
