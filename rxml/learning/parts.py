"""Parts: what a prediction has to give for a conformal score, read from elements of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.batch.batch import Batch
from rxml.batch.gather import inferred_column
from rxml.errors import SchemaError
from rxml.eventtime.reading import label_of, read
from rxml.uncertain import Bernoulli, Beta, Categorical, Distribution, Interval, Quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch.column import AnyArray
    from rxml.batch.column import Column as BatchColumn
    from rxml.eventtime.reading import Column

Floats: TypeAlias = NDArray[np.float64]


def numbers(items: Sequence[Any], columns: tuple[Column, ...], parts: tuple[str, ...]) -> Floats:
    """The parts of each prediction, shape (n, len(parts)).

    Args:
        items: a batch, or elements.
        columns: one that is a distribution, an interval or a number and has all parts; or one of numbers for each part.
        parts: of "mean", "sd", "lo" and "hi".

    Raises:
        SchemaError: a column is missing, or has not got the parts.
    """
    if len(columns) == 1:
        column = column_of(items, columns[0])
        return np.stack([_part(column, part, columns[0]) for part in parts], axis=-1)
    given = [column_of(items, column) for column in columns]
    return np.stack(
        [_plain(each, name) for each, name in zip(given, columns, strict=True)], axis=-1
    )


def probabilities(items: Sequence[Any], column: Column) -> Floats:
    """The probability of each class, shape (n, classes), of a column of categoricals or of shape (n, classes).

    Raises:
        SchemaError: it is neither.
    """
    found = column_of(items, column)
    if isinstance(found, Categorical):
        return found.p
    given = np.asarray(found, np.float64)
    if given.ndim != 2:
        text = f"column {label_of(column)!r} has shape {given.shape}"
        raise SchemaError(f"{text}: probabilities are a Categorical, or of shape (n, classes)")
    return given


def chances(items: Sequence[Any], column: Column) -> Floats:
    """The probability of an event, shape (n,), of a column of numbers, of events, or of distributions of a probability.

    Raises:
        SchemaError: it is none of these.
    """
    found = column_of(items, column)
    if isinstance(found, Bernoulli):
        return np.asarray(found.p, np.float64)
    return found.mean() if isinstance(found, Beta) else _plain(found, column)


def finite(values: Sequence[Any]) -> Floats:
    """Labels that are numbers.

    Raises:
        SchemaError: one is none, or infinite.
    """
    try:
        found = np.array([float(value) for value in values], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise SchemaError(f"a label is to be a number: {error}") from error
    if not np.isfinite(found).all():
        raise SchemaError("a label is to be a finite number: got an infinite one")
    return found


def classes_of(values: Sequence[Any], classes: Sequence[Any] | None, count: int) -> Floats:
    """Labels that are classes, as their places.

    Args:
        values: of labels.
        classes: in the order of their probabilities; None: 0 to count - 1.
        count: how many there are.

    Raises:
        SchemaError: a label is none of them.
    """
    known: Sequence[Any] = range(count) if classes is None else classes
    places = {each: at for at, each in enumerate(known)}
    try:
        return np.array([places[value] for value in values], np.float64)
    except (KeyError, TypeError) as error:
        few = f"{known[0]!r} to {known[-1]!r}"
        raise SchemaError(f"a label is to be one of {count} classes, {few}: {error}") from error


def column_of(items: Sequence[Any], column: Column) -> AnyArray | BatchColumn:
    """What elements have there, as one array or column of distributions."""
    if isinstance(items, Batch) and isinstance(column, str) and column in items.columns:
        return items.columns[column]
    values = read(items, column)
    if isinstance(values, np.ndarray):
        return values
    if {*map(type, values)} == {float}:  # quicker than to infer it, which is most of a single row
        return np.array(values, np.float64)
    return inferred_column(label_of(column), values)


def _part(column: AnyArray | BatchColumn, part: str, name: Column) -> Floats:
    match part, column:
        case "mean", Distribution():
            return column.mean()
        case "sd", Distribution():
            return column.std()
        case "mean", Interval():
            return column.center
        case (("lo" | "hi"), Interval()):
            return column.lo if part == "lo" else column.hi
        case (("lo" | "hi"), Quantiles()):
            return column.values[..., 0 if part == "lo" else -1]
        case _ if part == "mean" and isinstance(column, np.ndarray):
            return _plain(column, name)
        case _:
            kind = f"of {column.dtype}" if isinstance(column, np.ndarray) else column.kind
            raise SchemaError(
                f"column {label_of(name)!r} is {kind} and has no {part!r}: name a column for each part"
            )


def _plain(column: AnyArray | BatchColumn, name: Column) -> Floats:
    if not isinstance(column, np.ndarray) or column.ndim != 1 or column.dtype.kind not in "biuf":
        raise SchemaError(f"column {label_of(name)!r} is no column of numbers")
    plain: Floats = column.astype(np.float64, copy=False)
    return plain
