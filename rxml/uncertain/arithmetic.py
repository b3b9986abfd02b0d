"""Arithmetic: Python's and numpy's operators, each handed to the few methods that a kind has to define."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.checks import require
from rxml.uncertain.rows import Rows
from rxml.uncertain.rules import rule_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.bernoulli import Bernoulli
    from rxml.uncertain.checks import Numbers

Operand: TypeAlias = "Numbers | Arithmetic"

RELATIONS: Final[dict[str, np.ufunc]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_NUMBERS: Final[tuple[type, ...]] = (int, float, np.ndarray, np.generic)

MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class Arithmetic(Rows):  # noqa: PLW1641 - == gives a probability, so no table can hold it
    """Values that can be added, scaled, compared and given to numpy's functions."""

    __slots__ = ()

    @abstractmethod
    def affine(self, scale: Numbers, shift: Numbers) -> Arithmetic:
        """The distribution of scale * X + shift, both numbers or one a row."""

    @abstractmethod
    def divided(self, by: Numbers) -> Arithmetic:
        """The distribution of X / by, none of them 0: to the last bit as numpy divides, which 1 / by as a factor is not."""

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
    def clip(self, lo: Numbers = -np.inf, hi: Numbers = np.inf) -> Arithmetic:
        """The distribution of X kept within [lo, hi]."""

    def operand(self, other: Any) -> Any:
        """What stands beside this in an operation: a column or numbers; None if it is neither.

        Raises:
            DistributionError: it has another number of rows.
        """
        beside: Any = np.asarray(cast("object", other)) if type(other) in {list, tuple} else other
        if not _stands_beside(beside):
            return None
        shape: tuple[int, ...] = getattr(beside, "shape", ())
        counts = {*shape, *self.shape} - {1}
        if len(shape) > 1 or len(counts) > 1:
            raise DistributionError(f"a column of {self._rows_text} beside one of shape {shape}")
        return beside

    @property
    def _rows_text(self) -> str:
        return f"{self.shape[0]} rows" if self.shape else "one scalar"

    def __add__(self, other: Operand) -> Any:
        beside = self.operand(other)
        if beside is None:
            return NotImplemented
        return self.plus(beside) if isinstance(beside, Arithmetic) else self.affine(1.0, beside)

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Any:
        beside = self.operand(other)
        if beside is None:
            return NotImplemented
        if beside is self:
            return self.affine(0.0, 0.0)
        if isinstance(beside, Arithmetic):
            return self.plus(beside.affine(-1.0, 0.0))
        return self.affine(1.0, np.negative(beside))

    def __rsub__(self, other: Numbers) -> Any:
        beside = self.operand(other)
        return NotImplemented if beside is None else self.affine(-1.0, beside)

    def __mul__(self, other: Operand) -> Any:
        beside = self.operand(other)
        if beside is None:
            return NotImplemented
        return self.times(beside) if isinstance(beside, Arithmetic) else self.affine(beside, 0.0)

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> Any:
        beside = self.operand(other)
        if beside is None:
            return NotImplemented
        if isinstance(beside, Arithmetic):
            return self.over(beside)
        by = np.asarray(beside, np.float64)
        require(by != 0, "a number to divide by is not 0", by)
        return self.divided(by)

    def __rtruediv__(self, other: Numbers) -> Any:
        beside = self.operand(other)
        return NotImplemented if beside is None else rule_for("under", type(self))(self, beside)

    def __pow__(self, exponent: float) -> Any:
        return self.applied(np.square) if exponent == 2 else self._power(exponent)

    def _power(self, exponent: float) -> Any:
        raise DistributionError(f"a {type(self).__name__} to the power {exponent}: use `map`")

    def __neg__(self) -> Any:
        return self.affine(-1.0, 0.0)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Any:
        return self.applied(np.absolute)

    def relation(self, sign: str, other: Any) -> Any:
        """The probability of `X sign other` for each row, where the other is a column or numbers."""
        beside: Any = other if isinstance(other, str) else self.operand(other)
        return NotImplemented if beside is None else self.compared(sign, beside)

    def __gt__(self, other: Any) -> Bernoulli:
        return cast("Bernoulli", self.relation(">", other))

    def __ge__(self, other: Any) -> Bernoulli:
        return cast("Bernoulli", self.relation(">=", other))

    def __lt__(self, other: Any) -> Bernoulli:
        return cast("Bernoulli", self.relation("<", other))

    def __le__(self, other: Any) -> Bernoulli:
        return cast("Bernoulli", self.relation("<=", other))

    @override
    def __eq__(self, other: object) -> Any:
        return self.relation("==", other)

    @override
    def __ne__(self, other: object) -> Any:
        return self.relation("!=", other)

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


def _stands_beside(other: object) -> bool:
    return isinstance(other, (Arithmetic, *_NUMBERS))


def _relation(relation: str) -> Callable[[Any, Any], Bernoulli]:
    def compare(one: Any, other: Any) -> Bernoulli:
        if isinstance(one, Arithmetic):
            return cast("Bernoulli", one.relation(relation, other))
        return cast("Bernoulli", other.relation(MIRRORED[relation], one))

    return compare


def _subtract(one: Any, other: Any) -> Any:
    return Arithmetic.__rsub__(other, one) if not isinstance(one, Arithmetic) else one - other


def _add(one: Any, other: Any) -> Any:
    return one + other if isinstance(one, Arithmetic) else other + one


def _multiply(one: Any, other: Any) -> Any:
    return one * other if isinstance(one, Arithmetic) else other * one


def _divide(one: Any, other: Any) -> Any:
    return one / other if isinstance(one, Arithmetic) else Arithmetic.__rtruediv__(other, one)


def _raise(one: Any, other: Any) -> Any:
    if not isinstance(one, Arithmetic) or isinstance(other, Arithmetic):
        raise DistributionError("an exponent is a number, or use worlds")
    return one**other


def _extreme(sign: float) -> Callable[[Any, Any], Any]:
    def extreme(one: Any, other: Any) -> Any:
        x, bound = (one, other) if isinstance(one, Arithmetic) else (other, one)
        if isinstance(bound, Arithmetic):
            return _greater_of(x.affine(sign, 0.0), bound.affine(sign, 0.0), x is bound).affine(
                sign, 0.0
            )
        limit = x.operand(bound)
        return x.clip(lo=limit) if sign > 0 else x.clip(hi=limit)

    return extreme


def _greater_of(x: Arithmetic, y: Arithmetic, same: bool) -> Any:  # noqa: FBT001 - of this file
    return x if same else rule_for("greater", type(x), type(y))(x, y)


_UNARY: Final[dict[np.ufunc, Callable[[Any], Any]]] = {
    np.negative: lambda x: x.affine(-1.0, 0.0),
    np.positive: lambda x: x,
}
_BINARY: Final[dict[np.ufunc, Callable[[Any, Any], Any]]] = {
    np.add: _add,
    np.subtract: _subtract,
    np.multiply: _multiply,
    np.true_divide: _divide,
    np.power: _raise,
    np.maximum: _extreme(1.0),
    np.minimum: _extreme(-1.0),
    np.greater: _relation(">"),
    np.greater_equal: _relation(">="),
    np.less: _relation("<"),
    np.less_equal: _relation("<="),
    np.equal: _relation("=="),
    np.not_equal: _relation("!="),
}
