"""Inputs: the moments, or the values in worlds, of a column of facts, of distributions, or of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from rxml.errors import DistributionError
from rxml.models.signature import UNCERTAIN
from rxml.uncertain import Alternatives, Interval, Normal, Worlds
from rxml.uncertain.checks import require
from rxml.uncertain.draws import numbered
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from rxml.batch.column import AnyArray, Column
    from rxml.uncertain import Draws
    from rxml.uncertain.checks import Floats

    Given: TypeAlias = AnyArray | Column
    Ids: TypeAlias = NDArray[np.uint64]


_SLACK: Final = 1e-9
_BITS: Final = (1 << 64) - 1


def is_fact(column: Given) -> bool:
    """Whether it holds numbers alone."""
    return isinstance(column, np.ndarray) and column.dtype != object


def moments(name: str, column: Given) -> tuple[Floats, Floats]:
    """Mean and variance of each row, shape (N,) each; of a fact the variance is 0, and NaN stays NaN.

    Raises:
        DistributionError: a row is no distribution of a number.
    """
    mean, var = np.empty(len(column)), np.empty(len(column))
    for rows, each in _by_kind(column):
        with _named(name):
            mean[rows], var[rows] = _moments(each)
    return mean, var


def _moments(column: Given) -> tuple[Any, Any]:
    if isinstance(column, np.ndarray):
        return column, 0.0
    found: Normal = _distribution(column).to(Normal)
    return found.mean(), found.var()


def drawn(column: Given) -> NDArray[np.bool_]:
    """The rows that are of worlds which other columns may be of too, shape (N,)."""
    found = np.zeros(len(column), bool)
    for rows, each in _by_kind(column):
        if isinstance(each, Worlds) and each.world is not None:
            found[rows] = each.var() > 0
    return found


def in_worlds(name: str, column: Given, draws: Draws, ids: Callable[[], Ids]) -> Floats:
    """Values in each world, shape (W, N); a fact is the same in all.

    Args:
        name: of the input.
        column: its rows.
        draws: the worlds.
        ids: gives the ids of the facts.

    Raises:
        DistributionError: a row is no distribution of a number, was drawn in other worlds, or could be anything.
    """
    values = np.empty((draws.worlds, len(column)))
    for rows, each in _by_kind(column):
        with _named(name):
            values[:, rows] = (
                each if isinstance(each, np.ndarray) else _drawn(each, rows, name, draws, ids)
            )
    return values


def require_usable(name: str, column: Given, *, worlds: bool) -> None:
    """Refuse an input that has rows which nothing can be made of.

    Args:
        name: of the input.
        column: its rows.
        worlds: whether they are to be drawn in worlds.

    Raises:
        DistributionError: it has; names the input and the rows.
    """
    for _, each in _by_kind(column):
        with _named(name):
            if not isinstance(each, np.ndarray):
                _distribution(each, worlds=worlds)


def _drawn(column: Column, rows: Any, name: str, draws: Draws, ids: Callable[[], Ids]) -> Floats:
    given = _distribution(column, worlds=True)
    if isinstance(given, Worlds):
        return _own(given, draws)
    found: Worlds = given.to(Worlds, draws=draws, name=name, ids=ids()[rows])
    return found.values


def _own(given: Worlds, draws: Draws) -> Floats:
    same = given.world is not None and np.array_equal(given.world, draws.key)
    if not same or len(given.values) != draws.worlds or np.ptp(given.weights) > 0:
        raise DistributionError(
            f"it was drawn in other worlds: make it with Draws({draws.seed}, {draws.worlds}), or say "
            "propagate=worlds(...) of those that it has"
        )
    return given.values


def _distribution(column: Any, *, worlds: bool = False) -> Any:
    if not isinstance(column, Rows) or column.kind not in UNCERTAIN:
        kind = getattr(column, "kind", type(column).__name__)
        raise DistributionError(
            f"{kind} is no distribution of a number: a model takes {', '.join(sorted(UNCERTAIN))}"
        )
    if isinstance(column, Interval) and column.sort == "conformal":
        raise DistributionError(
            "a conformal interval tells no distribution within it: give a central one, or bounds"
        )
    if isinstance(column, Alternatives):
        sure = column.presence > 1 - _SLACK
        what = "alternatives that may be absent are no input: keep the rows that are there"
        require(sure, what, column.presence)
    if worlds and isinstance(column, Normal):
        what = "an input of infinite variance has no worlds: impute it, or use 'unscented'"
        require(np.isfinite(column.var()), what, column.var())
    return column


def alike(value: Rows) -> tuple[Any, ...]:
    """What two scalars must have in common to stand in one column: their kind, their form, and what rows share."""
    found: list[Any] = [type(value)]
    for name, array in value.parameters().items():
        if array is not None:
            found += [name, array.shape, "" if value.axes[name] is not None else array.tobytes()]
    return tuple(found)


def _by_kind(column: Given) -> Iterator[tuple[Any, Given]]:
    """Rows, and the column of them, by what they are: as a rule all are alike."""
    if not isinstance(column, np.ndarray) or column.dtype != object:
        yield slice(None), column
        return
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, each in enumerate(column):
        groups.setdefault(alike(each) if isinstance(each, Rows) else (), []).append(i)
    for kind, rows in groups.items():
        found: list[Any] = column[rows].tolist()
        stacked: Any = found[0]
        yield np.array(rows), stacked.stack(found) if kind else np.array(found, np.float64)


class _named:  # noqa: N801 - a context manager, as a function would be
    """Names the input in what is raised within."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DistributionError):
            raise DistributionError(f"input {self._name!r}: {error}") from error


def ids_of(name: str, column: Given) -> Ids:
    """Ids of facts as 64 bits each, whether they came as numbers, as text or as objects.

    Raises:
        DistributionError: a row has none.
    """
    if not isinstance(column, np.ndarray):
        raise DistributionError(
            f"ids of facts are whole numbers or text; {name!r} is {column.kind}"
        )
    if column.dtype != object:
        return numbered(column)
    whole = np.array(
        [isinstance(each, int | np.integer) and not isinstance(each, bool) for each in column], bool
    )
    text = np.array([isinstance(each, str | bytes) for each in column], bool)
    require(whole | text, f"{name!r} is the id of a fact, a whole number or text", column)
    found = np.empty(len(column), np.uint64)
    found[text] = numbered(column[text])
    found[whole] = [int(each) & _BITS for each in column[whole]]
    return found
