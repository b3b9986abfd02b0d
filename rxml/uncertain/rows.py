"""Rows: what every column of uncertain values does alike, whatever its rows hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, cast

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError, TruthError
from rxml.uncertain.checks import QUIET, read_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class Rows(ABC):
    """A column of a batch whose rows are made of arrays of parameters, or a scalar of shape (). Immutable.

    Attributes:
        kind: the name of the type in a schema and on the wire.
        axes: which axis of each parameter is that of the rows; None for one that all rows share.
    """

    __slots__ = ()

    kind: str
    axes: ClassVar[Mapping[str, int | None]]

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """(N,) for a column, () for a scalar."""

    @property
    def nbytes(self) -> int:
        """How many bytes the parameters hold."""
        return sum(array.nbytes for array in self.parameters().values() if array is not None)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"a scalar {type(self).__name__} has no length")
        return self.shape[0]

    def parameters(self) -> dict[str, NDArray[Any] | None]:
        """The arrays by name, None for an optional one that is not there."""
        return {name: getattr(self, f"_{name}") for name in self.axes}

    @abstractmethod
    def readings(self) -> dict[str, NDArray[Any]]:
        """What a table without distributions shows of the rows, shape (N,) each, such as mean and variance, by name."""

    @classmethod
    def adopt(cls, **parameters: NDArray[Any] | None) -> Self:
        """Wrap parameters that are known to be right; nothing is checked or copied."""
        new = cls.__new__(cls)
        for name, array in parameters.items():
            setattr(new, f"_{name}", None if array is None else read_only(array))
        return new

    @classmethod
    def rebuilt(cls, **parameters: Any) -> Self:
        """What `parameters()` were of, to the last bit; they may come from anywhere and are checked.

        Raises:
            DistributionError: they make none.
        """
        arrays = {name: _array(parameters.get(name)) for name in cls.axes}
        if parameters.keys() - cls.axes.keys():
            raise DistributionError(f"a {cls.kind} has {list(cls.axes)}; got {sorted(parameters)}")
        for name, array in arrays.items():
            if array is not None and not isinstance(array, np.ndarray):
                raise DistributionError(
                    f"{name} of a {cls.kind} is an array; got {type(array).__name__}"
                )
        built = cls.checked(**arrays).parameters()
        for name, array in arrays.items():
            _require_as_built(f"{name} of a {cls.kind}", array, built[name])
        return cls.adopt(**arrays)

    @classmethod
    def checked(cls, **parameters: Any) -> Self:
        """Built from such parameters by way of the constructor, which checks them.

        Raises:
            DistributionError: they make none.
        """
        return cls(**parameters)

    def slice(self, where: slice) -> Self:
        """The rows of a slice, without a copy."""
        return self._picked(where)

    def take(self, where: NDArray[Any]) -> Self:
        """The rows where a boolean mask is true, or those with the given indices."""
        return self._picked(where)

    def at(self, index: int) -> Self:
        """The distribution of one row, a scalar."""
        return self._picked(index)

    def __getitem__(self, where: Any) -> Self:
        """A scalar by number, or rows by slice, mask or numbers."""
        len(self)  # refuses a scalar
        if isinstance(where, slice | int):
            return self._picked(where)
        rows = np.asarray(where)
        return self._picked(rows.astype(np.intp) if rows.shape == (0,) else rows)  # [] is of floats

    def _picked(self, where: Any) -> Self:
        picked = {
            name: array
            if axis is None or array is None
            else array[(slice(None),) * axis + (where,)]
            for (name, axis), array in zip(
                self.axes.items(), self.parameters().values(), strict=True
            )
        }
        return self.adopt(**picked)

    @classmethod
    def stack(cls, scalars: Sequence[Self]) -> Self:
        """A column of scalars.

        Raises:
            DistributionError: there is none, or they do not go together.
        """
        if not scalars:
            raise DistributionError("a column of no scalars: give at least one")
        columns = [scalar.as_column() for scalar in scalars]
        return columns[0].concat(columns[1:])

    def as_column(self) -> Self:
        """This scalar as a column of one row; a column as it is."""
        return self if self.shape else self._picked(None)

    def concat(self, others: Sequence[Any]) -> Self:
        """This column followed by others of its kind.

        Raises:
            DistributionError: what all rows share differs between them.
        """
        columns = [self, *others]
        return self.adopt(
            **{
                name: _joined(name, axis, [column.parameters()[name] for column in columns])
                for name, axis in self.axes.items()
            }
        )

    def equals(self, other: object) -> bool:
        """Whether the other is of the same kind with the same parameters; NaN equals NaN."""
        if type(other) is not type(self):
            return False
        mine, theirs = self.parameters(), other.parameters()
        return all(same(mine[name], theirs[name]) for name in mine)

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.parameters())  # numpy forgets that nobody may write

    @override
    def __repr__(self) -> str:
        rows = f"n={len(self)}, " if self.shape else ""
        shown = (f"{k}={_shown(a)}" for k, a in self.parameters().items() if a is not None)
        return f"{type(self).__name__}({rows}{', '.join(shown)})"

    def __bool__(self) -> NoReturn:
        raise TruthError(
            f"a {type(self).__name__} is neither true nor false: ask for a probability, as in "
            f"`prob(x > 3) >= .95`, or for a value, as in `x.mean() > 3`"
        )


def _restored(kind: type[Rows], parameters: dict[str, Any]) -> Rows:
    return kind.adopt(**parameters)


def same(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    """Whether two parameters are equal; NaN equals NaN."""
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f" and other.dtype.kind == "f")


def _array(given: Any) -> Any:
    return np.array(cast("object", given)) if isinstance(given, np.generic) else given


@QUIET
def _require_as_built(what: str, given: NDArray[Any] | None, built: NDArray[Any] | None) -> None:
    if given is None or built is None:
        fine = given is built
    elif given.dtype != built.dtype or given.shape != built.shape:
        fine = False
    elif built.dtype.kind == "f":  # what is put in order, or made to add up, was so already
        fine = np.allclose(given, built, rtol=1e-9, atol=1e-9, equal_nan=True)
    else:
        fine = bool((given == built).all())
    if not fine:
        raise DistributionError(f"{what} is not as it would be: {_form(given)}, not {_form(built)}")


def _form(array: NDArray[Any] | None) -> str:
    return "none" if array is None else f"{array.dtype} of shape {array.shape}"


def _joined(
    name: str, axis: int | None, arrays: Sequence[NDArray[Any] | None]
) -> NDArray[Any] | None:
    first = arrays[0]
    if axis is None or first is None:
        if all(same(first, other) for other in arrays[1:]):
            return first
        raise DistributionError(f"columns differ in {name}, which their rows share")
    present = [array for array in arrays if array is not None]
    if len(present) < len(arrays):
        raise DistributionError(f"some columns have {name} and some have not")
    if len({array.shape[:axis] + array.shape[axis + 1 :] for array in present}) > 1:
        shapes = ", ".join(str(array.shape) for array in present)
        raise DistributionError(f"{name} of the columns differ in shape: {shapes}")
    return np.concatenate(present, axis=axis)


def _shown(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return f"{array[()]:.6g}" if array.dtype.kind == "f" else str(array[()])
    return np.array2string(array, threshold=6, precision=4, separator=", ").replace("\n", "")
