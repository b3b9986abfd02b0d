"""Intake: elements as the columns that a model wants."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from typing_extensions import override

from rxml.batch import Batch, Schema
from rxml.batch.column import is_array, joined, values_of
from rxml.errors import SchemaError
from rxml.models.propagating.inputs import require_usable
from rxml.models.propagating.mixing import any_of, identities, mixed
from rxml.models.signature import may_be_uncertain
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.batch import Field
    from rxml.models.signature import Signature

_PLAIN: Final = frozenset((float, int))
_FLOAT: Final[frozenset[type]] = frozenset((float,))


class Intake:
    """Makes batches of elements: mappings, objects with attributes, vectors for a model of one input, or batches.

    Args:
        signature: of the model.
    """

    def __init__(self, signature: Signature) -> None:
        self._schema = signature.inputs
        self._names = tuple(signature.inputs)
        fields = signature.inputs.values()
        self._floats = all(each.dtype == np.float64 and not each.shape for each in fields)
        self._width = _width_of(signature.inputs)

    def batch(self, items: Sequence[Any]) -> Batch:
        """The columns of one or more elements, in order.

        Raises:
            SchemaError: one of them is not what the model wants.
        """
        first = items[0]
        if len(items) == 1 and isinstance(first, Batch):
            return self.columns(first)
        kinds: set[type[Any]] = set(map(type, items))
        if not any(issubclass(kind, Batch) for kind in kinds):
            return self._rows(items, kinds)
        return self._joined(
            [
                self.columns(item) if isinstance(item, Batch) else self._rows([item], {type(item)})
                for item in items
            ]
        )

    def _joined(self, parts: list[Batch]) -> Batch:
        return Batch.concat(parts)

    def columns(self, given: Batch) -> Batch:
        """The columns of a batch, of the dtypes that the model wants.

        Raises:
            SchemaError: one of them is not what the model wants.
        """
        columns = given.columns
        out: dict[str, Any] = {}
        as_wanted = len(columns) == 1  # with others there is an order, too
        for name, field in self._schema.items():
            column = columns.get(name)
            if column is None:
                raise SchemaError(
                    f"input {name!r} ({field.form}) is missing: there are {given.names}"
                )
            if not isinstance(column, np.ndarray) or (
                column.dtype == field.dtype and column.shape[1:] == field.shape
            ):
                out[name] = column
            else:
                out[name] = self._cast(name, column)
                as_wanted = False
        return given if as_wanted else Batch.adopt(out, len(given))

    def _cast(self, name: str, column: Any) -> Any:
        field = self._schema[name]
        if column.shape[1:] != field.shape or not np.can_cast(
            column.dtype, field.dtype, "same_kind"
        ):
            raise SchemaError(
                f"input {name!r} is {column.dtype}{column.shape[1:] or ''}, the model wants {field.form}"
            )
        return column.astype(field.dtype)

    def _rows(self, items: Sequence[Any], kinds: set[type[Any]]) -> Batch:
        mappings = all(issubclass(kind, Mapping) for kind in kinds)
        if self._floats and len(kinds) == 1:
            quick = self._matrix(items, mappings=mappings)
            if quick is not None:
                return quick
        if self._width and len(kinds) == 1 and mappings:
            quick = self._vectors(items)
            if quick is not None:
                return quick
        rows = items if mappings else [self._mapping(item) for item in items]
        return self._from_rows(cast("Sequence[Mapping[str, Any]]", rows))

    def _from_rows(self, rows: Sequence[Mapping[str, Any]]) -> Batch:
        return Batch.from_rows(rows, self._schema, extra="ignore")

    def _matrix(self, items: Sequence[Any], *, mappings: bool) -> Batch | None:
        """One array for all inputs, if every value is a Python number; None if one is not, or is not there."""
        names = self._names
        get = cast("Callable[[Any], Any]", (itemgetter if mappings else attrgetter)(*names))
        try:
            values = list(map(get, items))
        except (KeyError, AttributeError):
            return None
        flat = values if len(names) == 1 else chain.from_iterable(values)
        if not _PLAIN.issuperset(map(type, flat)):
            return None
        try:
            table = np.array(values, np.float64).reshape(len(items), len(names))
        except OverflowError:
            return None
        table.flags.writeable = False
        return Batch.adopt({name: table[:, i] for i, name in enumerate(names)}, len(items))

    def _vectors(self, items: Sequence[Mapping[str, Any]]) -> Batch | None:
        """As `_matrix`, for a model of one vector, if every row has a list of Python floats, as many as it wants."""
        (name,) = self._names
        try:
            values = [item[name] for item in items]
        except KeyError:
            return None
        width = self._width
        if not all(each.__class__ is list and len(each) == width for each in values):
            return None
        flat = list(chain.from_iterable(values))
        if not _FLOAT.issuperset(map(type, flat)):
            return None
        table = np.array(flat, np.float64).reshape(len(items), width)
        table.flags.writeable = False
        return Batch.adopt({name: table}, len(items))

    def _mapping(self, item: Any) -> Mapping[str, Any]:
        if isinstance(item, Mapping):
            return cast("Mapping[str, Any]", item)
        if len(self._names) == 1 and isinstance(item, np.ndarray | list | tuple | float | int):
            return {self._names[0]: cast("Any", item)}
        missing = next((name for name in self._names if not hasattr(item, name)), None)
        if missing is not None:
            raise SchemaError(
                f"{type(item).__name__} has no {missing!r}: a model takes mappings, objects or batches with "
                f"{', '.join(self._names)}"
            )
        return {name: getattr(item, name) for name in self._names}


class UncertainIntake(Intake):
    """An intake for a model that takes distributions where it wants floats, in columns or among the rows.

    Args:
        signature: of the model.
    """

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self._signature = signature
        self._id = "" if signature.propagates is None else signature.propagates.id

    @override
    def columns(self, given: Batch) -> Batch:
        refusal = self._signature.refusal(given.schema)
        if refusal is not None:
            raise SchemaError(refusal)
        columns = given.columns
        found = {name: self._as(name, columns[name]) for name in self._names}
        return Batch.adopt(self._usable(found), len(given))

    def _usable(self, columns: dict[str, Any]) -> dict[str, Any]:
        """The columns; what nothing can be made of is told of here, where each row is asked for alone."""
        for name, field in self._schema.items():
            if may_be_uncertain(field):
                require_usable(name, columns[name], worlds=bool(self._id))
        return columns

    def _as(self, name: str, column: Any) -> Any:
        field = self._schema[name]
        if not is_array(column) or object in (column.dtype, field.dtype):
            return column
        return column if column.dtype == field.dtype else self._cast(name, column)

    @override
    def _from_rows(self, rows: Sequence[Mapping[str, Any]]) -> Batch:
        loose: dict[str, Any] = {}
        for name, field in self._schema.items():
            values = [row.get(name) for row in rows]
            if may_be_uncertain(field) and any(isinstance(value, Rows) for value in values):
                loose[name] = mixed(field, values)
        rest = Schema(field for name, field in self._schema.items() if name not in loose)
        found = {**Batch.from_rows(rows, rest, extra="ignore").columns, **loose}
        if self._id:
            found[self._id] = identities(found[self._id])
        return Batch.adopt(self._usable({name: found[name] for name in self._names}), len(rows))

    @override
    def _joined(self, parts: list[Batch]) -> Batch:
        columns: dict[str, Any] = {}
        for name, field in self._schema.items():
            given = [part.columns[name] for part in parts]
            columns[name] = _together(field, given)
        return Batch.adopt(columns, sum(map(len, parts)))


def _together(field: Field, given: list[Any]) -> Any:
    if not may_be_uncertain(field):
        return any_of(given)
    if not any(isinstance(each, Rows) or each.dtype == object for each in given):
        return joined(field.name, given)
    return mixed(field, [value for each in given for value in values_of(each)])


def intake_of(signature: Signature) -> Intake:
    """The intake for a model."""
    return Intake(signature) if signature.propagates is None else UncertainIntake(signature)


def _width_of(inputs: Schema) -> int:
    """Of the one input, if it is a vector of float64; else 0."""
    fields = list(inputs.values())
    if len(fields) == 1 and fields[0].dtype == np.float64 and len(fields[0].shape) == 1:
        return fields[0].shape[0]
    return 0


def rows_of(item: Any) -> int:
    """How many rows an element is."""
    return len(item) if item.__class__ is not dict and isinstance(item, Batch) else 1
