"""What parameters must be, told with the rows where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.errors import DistributionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = float | NDArray[Any]
"""One number for all rows, or an array of one a row."""

QUIET: Final = np.errstate(all="ignore")
"""Decorates what takes limits: where a variance is 0 or infinite, or a tail smaller than any float."""

_NUMBERS: Final = "biufO"
_NAMED: Final = 5
_SLACK: Final = (
    1e-9  # how far a sum of probabilities may be from one: what adding up thousands loses
)


def floats(name: str, values: ArrayLike) -> Floats:
    """Values as a float64 array that cannot be written through.

    Raises:
        DistributionError: they are no numbers.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind in _NUMBERS:  # text, times and complex numbers would be cast in silence
            return read_only(array.astype(np.float64, copy=False))
    except (TypeError, ValueError) as error:
        raise DistributionError(f"{name} must be numbers: {error}") from error
    raise DistributionError(f"{name} must be numbers; got {array.dtype}")


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written through; the array itself stays as it was."""
    view = array.view()
    view.setflags(write=False)
    return view


def batched(**parameters: ArrayLike) -> list[Floats]:
    """Parameters as arrays of one batch shape, () or (N,); a scalar beside a column holds for every row.

    Raises:
        DistributionError: they are no numbers, of more than one axis, or of different lengths.
    """
    arrays = [floats(name, values) for name, values in parameters.items()]
    try:
        together = np.broadcast_arrays(*arrays)
    except ValueError:
        text = ", ".join(f"{name} {a.shape}" for name, a in zip(parameters, arrays, strict=True))
        raise DistributionError(f"parameters differ in length: {text}") from None
    if together[0].ndim > 1:
        raise DistributionError(
            f"{next(iter(parameters))} has shape {together[0].shape}: want (n,)"
        )
    return [read_only(array) for array in together]


def summed(array: NDArray[Any], axis: int = -1) -> Floats:
    """The sum along an axis, for each row to the last bit the same however many rows there are.

    How numpy adds up depends on how the values lie in memory, so they are laid out alike first.
    """
    total: Floats = np.ascontiguousarray(np.moveaxis(array, axis, -1)).sum(axis=-1)
    return total


def require(fine: Mask | np.bool_, what: str, values: NDArray[Any]) -> None:
    """Refuse rows that are not fine.

    Args:
        fine: of the batch shape, () or (N,).
        what: is wanted, as "a variance is >= 0".
        values: what came, batch axis first; shown for the first bad row.

    Raises:
        DistributionError: some row is not fine; names up to five.
    """
    if np.all(fine):
        return
    bad = np.flatnonzero(~np.atleast_1d(fine))
    first = values if np.ndim(fine) == 0 else values[bad[0]]
    where = "" if np.ndim(fine) == 0 else f" in {rows_text(bad)}"
    raise DistributionError(f"{what}; got {np.asarray(first).tolist()}{where}")


def rows_text(rows: NDArray[np.intp]) -> str:
    """Numbers of rows for a message: the first five, and how many more."""
    named = ", ".join(map(str, rows[:_NAMED].tolist()))
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {named}{more}"


def points(x: ArrayLike) -> Floats:
    """What is compared with, as numbers; NaN would be neither above nor below anything.

    Raises:
        DistributionError: it is no number, or naming the rows with NaN.
    """
    array = floats("what is compared with", x)
    known = ~np.isnan(array)
    if not known.all():
        require(
            known if known.ndim < 2 else known.all(axis=0),
            "no number to compare with is NaN",
            array if known.ndim < 2 else np.moveaxis(array, 0, -1),
        )
    return array


def probabilities(q: ArrayLike) -> Floats:
    """What quantiles are asked for.

    Raises:
        DistributionError: some are outside [0, 1], or NaN.
    """
    array = floats("q", q)
    inside = (array >= 0) & (array <= 1)
    if not inside.all():
        bad = array[~inside].ravel()[0]
        raise DistributionError(f"quantiles are asked for within [0, 1]; got {bad}")
    return array


def shares(logw: Floats) -> Floats:
    """Weights of their logarithms; such as are too small for a float are 0."""
    with np.errstate(under="ignore"):
        return np.exp(logw)


def require_probabilities(p: Floats, name: str = "a probability") -> None:
    """Refuse rows with a value outside [0, 1].

    Raises:
        DistributionError: naming the rows.
    """
    inside = (p >= 0) & (p <= 1)  # NaN is outside
    require(inside if p.ndim < 2 else inside.all(axis=-1), f"{name} is within [0, 1]", p)


def require_sum(p: Floats, *, below: bool = False) -> None:
    """Refuse rows of (..., K) whose probabilities do not add up to one (or, where `below`, to more).

    Raises:
        DistributionError: naming the rows.
    """
    total = summed(p)
    fine = total <= 1 + _SLACK if below else np.abs(total - 1) <= _SLACK
    require(fine, f"probabilities of a row add up to {'at most ' if below else ''}1", total)
