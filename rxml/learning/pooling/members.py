"""Members: what several columns of elements say of one quantity, as numbers; who says nothing is asleep."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rxml.batch.batch import Batch
from rxml.batch.kinds import NULL_TYPES, describe
from rxml.errors import SchemaError
from rxml.eventtime.reading import read
from rxml.uncertain import Rows
from rxml.uncertain.pooling.forms import Normals, form_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.reading import Column
    from rxml.uncertain.checks import Floats
    from rxml.uncertain.pooling.forms import Form


def said(items: Sequence[Any], column: Column) -> Any:
    """What a member says of each element: a column, or a list of numbers and distributions, None where it says nothing."""
    if isinstance(items, Batch) and isinstance(column, str) and column in items.columns:
        return items.columns[column]
    try:
        values = read(items, column)
    except SchemaError:
        return [_one(item, column) for item in items]
    return values if isinstance(values, np.ndarray) else list(values)


def require_there(items: Sequence[Any], columns: Mapping[str, Column]) -> None:
    """See that the first element has all columns: one that is misspelt would sleep for ever.

    Raises:
        SchemaError: it lacks one; says which there are.
    """
    for column in columns.values():
        if not isinstance(column, str):
            continue
        try:
            _require_column(items, column)
        except SchemaError as error:
            text = "who says nothing there, at least in the first element, has None or NaN"
            raise SchemaError(f"{error}; {text}") from error


def _require_column(items: Sequence[Any], column: str) -> None:
    """Or, if it is the way to it, its beginning: what is behind that may be missing."""
    head = column.partition(".")[0]
    if isinstance(items, Batch) and not {column, head}.isdisjoint(items.columns):
        return
    try:
        read(items[:1], column)
    except SchemaError:
        if head == column:
            raise
        read(items[:1], head)


def members_of(
    items: Sequence[Any], columns: Mapping[str, Column], form: Form | None
) -> tuple[Form | None, Floats]:
    """What all members say of each element, shape (n, K, width), NaN for who sleeps, and in what form that is.

    Args:
        items: a batch, or elements.
        columns: of the members, by their names.
        form: of all; None: that of the first that says anything.

    Returns:
        The form, None if nobody says anything; then there is one number NaN for each.

    Raises:
        SchemaError: something else than numbers and distributions.
        DistributionError: distributions that do not go together.
    """
    values = [said(items, column) for column in columns.values()]
    found = _form(values, len(items)) if form is None else form
    if found is None:
        return None, np.full((len(items), len(values), 1), np.nan)
    each = [told_by(found, one, name) for one, name in zip(values, columns, strict=True)]
    return found, np.ascontiguousarray(np.stack(each, axis=1))


def told_by(form: Form, values: Any, name: str) -> Floats:
    """What one member says, shape (n, width), NaN where nothing.

    Raises:
        SchemaError: something else than numbers and distributions.
        DistributionError: distributions that are not of the form.
    """
    if not _is_loose(values):
        return form.read(values)
    loose: Sequence[Any] = values
    told = np.full((len(loose), form.width), np.nan)
    for kind, rows in _by_kind(loose, name).items():
        given = [loose[row] for row in rows]
        told[rows] = form.read(
            kind.stack(given) if issubclass(kind, Rows) else _numbers(given, name)
        )
    return told


def _numbers(given: list[Any], name: str) -> Any:
    try:
        return np.array(given, np.float64)
    except OverflowError as error:
        raise SchemaError(f"{name!r} says a number that is too large: {error}") from error


def _one(item: Any, column: Column) -> Any:
    try:
        return read([item], column)[0]
    except SchemaError:
        return None


def _is_loose(values: Any) -> bool:
    """Whether these are objects, of which each may be of another kind."""
    if isinstance(values, np.ndarray):
        return cast("NDArray[Any]", values).dtype.kind == "O"
    return isinstance(values, list)


def _by_kind(values: Sequence[Any], name: str) -> dict[type[Any], list[int]]:
    """The rows where something is said, by the kind of that."""
    rows: dict[type[Any], list[int]] = {}
    for row, value in enumerate(values):
        kind = _kind(value)
        if kind is None:
            text = f"row {row} is {describe(value)}"
            raise SchemaError(f"{text}: {name!r} is to say a number or a distribution, or None")
        if kind is not NoneType:
            rows.setdefault(kind, []).append(row)
    return rows


def _kind(value: Any) -> type[Any] | None:
    """The type of a distribution, float for a number, that of None for nothing; None for what is none of these."""
    if type(value) in NULL_TYPES:
        return NoneType
    if isinstance(value, Rows):
        return type(value) if not value.shape else None
    if isinstance(value, int | float | np.number | np.bool_):
        return float if value == value else NoneType  # noqa: PLR0124 - NaN
    return None


def _form(values: Sequence[Any], n: int) -> Form | None:
    """That of the first member that says anything of the first element; or of the next one, if nobody does."""
    for row in range(n):
        for one in values:
            value = one.at(row) if isinstance(one, Rows) else one[row]
            kind = _kind(value)
            if kind is not None and kind is not NoneType:
                return Normals() if kind is float else form_of(value, chances=False)
    return None
