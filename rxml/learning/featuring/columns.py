"""Columns of elements as transforms take them, and what transforms make as columns that say how sure they are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch.batch import Batch
from rxml.batch.column import is_array
from rxml.errors import DistributionError, SchemaError
from rxml.eventtime.instants import instants
from rxml.eventtime.reading import read
from rxml.features import FeatureHasher, Imputer, OneHot, TargetEncoder
from rxml.learning.evaluating.columns import column
from rxml.uncertain import Beta, Normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from rxml.features import Columns, Features, Transform

_AS_THEY_ARE = (FeatureHasher, OneHot, TargetEncoder)
"""They tell values apart, so 1 must not become 1.0 because of what else came with it."""


class Reader:
    """Reads the columns that features need, the same of a batch and of rows, however many come together.

    Args:
        features: these.
        extra: further columns, of targets.
    """

    def __init__(self, features: Features, extra: Iterable[str] = ()) -> None:
        transforms = features.transforms.values()
        read = {name for each in transforms for name in (each.column, each.time)}
        named = (name for name in features.inputs if name in read)
        self._names: tuple[str, ...] = tuple(dict.fromkeys([*named, *extra]))
        self._plain = {each.column for each in transforms if isinstance(each, _AS_THEY_ARE)}
        self._imputed = {each.column for each in transforms if isinstance(each, Imputer)}

    def of(self, items: Sequence[Any]) -> Columns:
        """The columns, of a batch or of elements.

        Raises:
            SchemaError: an element lacks one.
            DistributionError: an infinite number is imputed: no normal distribution has such a mean.
        """
        columns = {name: self._one(items, name) for name in self._names}
        for name in self._imputed & columns.keys():
            refuse_infinite(name, columns[name])
        return columns

    def rebuilt(self, name: str, values: Sequence[Any]) -> NDArray[Any]:
        """A column of values that were kept, as it was read."""
        return _objects(values) if name in self._plain else _numbers(values)

    def _one(self, items: Sequence[Any], name: str) -> NDArray[Any]:
        values: Any
        if isinstance(items, Batch) and name in items.columns:
            values = items.columns[name]
            if not is_array(values):
                raise SchemaError(
                    f"column {name!r} is {values.kind}: features are made of plain values"
                )
            if name not in self._plain:
                return values
            values = values.tolist()
        else:
            values = read(items, name)
        return self.rebuilt(name, values)


def refuse_infinite(name: str, values: NDArray[Any]) -> None:
    """Refuse infinite numbers.

    Raises:
        DistributionError: there are some; naming rows.
    """
    if values.dtype.kind != "f":
        return
    rows = np.flatnonzero(np.isinf(values.reshape(len(values), -1)).any(axis=1))
    if len(rows):
        raise DistributionError(f"column {name!r} is infinite in rows {rows[:10].tolist()}")


def uncertain(features: Features, made: Columns) -> dict[str, Any]:
    """Features with what is not known as distributions: the parts of an imputed or target encoded one as one column.

    Args:
        features: that made them.
        made: by name.
    """
    columns: dict[str, Any] = dict(made)
    for name, transform in features.transforms.items():
        kind = _kind(transform)
        if kind is not None:
            parts = [f"{name}_{part}" for part in transform.parts[:2]]
            first, second = (columns[part] for part in parts)
            if first.ndim == 1:
                columns = {key: value for key, value in columns.items() if key not in parts}
                columns[name] = kind(first, second)
    return columns


def _kind(transform: Transform) -> type[Normal | Beta] | None:
    if isinstance(transform, TargetEncoder):
        return Normal if transform.family == "normal" else Beta
    return Normal if isinstance(transform, Imputer) else None


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _numbers(values: Any) -> NDArray[Any]:
    if is_array(values):
        return values
    kinds = set(map(type, values))
    if kinds and all(issubclass(kind, datetime | np.datetime64) for kind in kinds):
        return instants(values)
    if kinds <= {list, tuple}:
        return np.array(values, np.float64)
    if kinds == {bool}:
        return np.array(values)
    return column(values)
