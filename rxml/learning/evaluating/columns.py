"""Columns that metrics need, read from predictions of any kind, kept row by row, and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.eventtime.reading import Column, label_of, read
from rxml.learning.parts import column_of
from rxml.uncertain import Bernoulli, Beta, Categorical, Distribution, Interval
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

Prediction: TypeAlias = "Column | Mapping[str, Column | float]"
"""Where predictions are: a column for all that metrics need, or for each what it is in, or is."""

TRUTH = "truth"


def needed(
    items: Sequence[Any], needs: Sequence[str], prediction: Prediction
) -> list[tuple[Any, ...]]:
    """For each element what metrics need of it, besides the truth, in the order of `needs`.

    Raises:
        SchemaError: a column is missing, or does not have what is needed.
    """
    names = [name for name in needs if name != TRUTH]
    if not names:
        return [()] * len(items)
    return list(zip(*(_need(items, name, prediction) for name in names), strict=True))


def gathered(rows: Sequence[tuple[Any, ...]], needs: Sequence[str], truths: Sequence[Any]) -> Any:
    """The columns of rows that `needed` gave, with their truths."""
    names = [name for name in needs if name != TRUTH]
    columns = dict(zip(names, map(column, zip(*rows, strict=True)), strict=False))
    return {TRUTH: column(truths), **columns}


def column(values: Sequence[Any]) -> NDArray[Any]:
    """Values as what metrics take: numbers, NaN for those that are missing; vectors; or objects, if some are no numbers."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return np.array(values)
    if kinds <= {float, int, type(None)}:
        return np.array(values, np.float64)
    if kinds == {np.ndarray}:
        return np.stack(values)
    array = np.empty(len(values), object)
    array[:] = values
    return array


def require_where(prediction: Prediction, needs: Sequence[str]) -> None:
    """Refuse what does not say where all is that metrics need.

    Raises:
        ValueError: it names others, or not all.
    """
    if callable(prediction) or isinstance(prediction, str):
        return
    wanted = set(needs) - {TRUTH}
    if set(prediction) != wanted:
        raise ValueError(
            f"evaluate(prediction) says where {sorted(wanted)} are; got {sorted(map(str, prediction))}"
        )


def _need(items: Sequence[Any], name: str, prediction: Prediction) -> Sequence[Any]:
    where = _where(name, prediction)
    if isinstance(where, int | float):
        return [float(where)] * len(items)
    given = _given(items, where)
    if not isinstance(given, Rows):
        return _missing(given, where) if name == "distribution" else given
    if name == "distribution" and isinstance(given, Distribution):
        return [_own(given.at(row)) for row in range(len(given))]
    return _probability(given, where) if name == "probability" else _of(given, name, where)


def _missing(given: list[Any], where: Column) -> list[None]:
    """What there is where no distribution is."""
    if all(value is None or value != value for value in given):  # noqa: PLR0124 - NaN is not itself
        return [None] * len(given)
    raise SchemaError(f"column {label_of(where)!r} has no distributions")


def _own(one: Distribution) -> Distribution:
    """One that keeps no others alive: it may wait for long."""
    parts = one.parameters().items()
    return one.adopt(**{name: None if part is None else part.copy() for name, part in parts})


def _where(name: str, prediction: Prediction) -> Column | float:
    if callable(prediction) or isinstance(prediction, str):
        return prediction
    return prediction[name]


def _given(items: Sequence[Any], where: Column) -> Rows | list[Any]:
    """A column of distributions, or whatever values there are."""
    named = isinstance(items, Batch) and where in items.columns
    values: Any = column_of(items, where) if named else read(items, where)
    if not named and any(isinstance(value, Rows) for value in values):
        values = column_of(items, where)
    if isinstance(values, Rows):
        return values
    return _listed(values)


def _listed(values: Any) -> list[Any]:
    plain: bool = getattr(values, "ndim", 0) == 1
    listed: list[Any] = values.tolist() if plain else list(values)
    return listed


def _of(given: Rows, name: str, where: Column) -> Sequence[Any]:
    part = _PARTS.get(name)
    kinds, of = part or ((), None)
    if of is None or not isinstance(given, kinds):
        raise SchemaError(f"column {label_of(where)!r} is {given.kind} and has no {name!r}")
    values: list[Any] = np.asarray(of(given), np.float64).tolist()
    return values


def _probability(given: Rows, where: Column) -> Sequence[Any]:
    if isinstance(given, Categorical):
        return list(given.p)
    if isinstance(given, Bernoulli):
        return _floats(given.p)
    if isinstance(given, Beta):
        return _floats(given.mean())
    raise SchemaError(f"column {label_of(where)!r} is {given.kind} and no probability")


def _floats(values: NDArray[np.float64]) -> list[float]:
    listed: list[float] = values.tolist()
    return listed


_PARTS: dict[str, tuple[tuple[type, ...], Callable[[Any], Any]]] = {
    "prediction": (
        (Distribution, Interval),
        lambda d: d.mean() if isinstance(d, Distribution) else d.center,
    ),
    "mean": ((Distribution,), lambda d: d.mean()),
    "var": ((Distribution,), lambda d: d.var()),
    "lower": ((Interval,), lambda d: d.lo),
    "upper": ((Interval,), lambda d: d.hi),
    "level": ((Interval,), lambda d: d.level),
}
