"""Signature: what a model wants and what it gives, checked where a pipeline is built and where rows come in."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from rxml.batch import Field, Schema
from rxml.batch.schema import ARRAY
from rxml.errors import ModelError, PipelineError
from rxml.uncertain import Interval
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.kinds import KINDS as COLUMNS
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.batch import Batch
    from rxml.batch.column import AnyArray, Column

    Holes: TypeAlias = NDArray[np.bool_]

Uncertainty: TypeAlias = Literal["none", "interval", "distribution"]
"""What a model says of how sure it is: nothing; outputs `lower` and `upper`; or its first output is a distribution."""

KINDS: Final = ("none", "interval", "distribution")
BOUNDS: Final = ("lower", "upper")
TOLD: Final = ("model", "version", "digest", "rung", "reason")
"""Names that a prediction has beside the outputs of its model."""


UNCERTAIN: Final = frozenset(
    kind for kind, each in COLUMNS.items() if issubclass(each, Distribution | Interval)
)
"""Kinds of columns with a distribution of a number a row."""


@dataclass(frozen=True, slots=True)
class Propagates:
    """That inputs may be distributions where floats are wanted; see `ops.score(propagate=)`.

    Attributes:
        worlds: that the value is given in; 0 if it is a `Normal`.
        id: the input with the ids of facts, whole numbers or text; "" if they do not matter.
    """

    worlds: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """Names, dtypes and shapes of a model's inputs and outputs.

    Attributes:
        inputs: one field a feature; a field of shape (k,) is a vector of k features.
        outputs: the first one is the value of a prediction. An output that is not nullable is never NaN.
        uncertainty: kind of uncertainty that the outputs express.
        propagates: what inputs may be beside numbers; None: nothing.

    Raises:
        PipelineError: there is no input or no output, a name is one that predictions use themselves, or bounds are
            promised and no outputs are named so.
    """

    inputs: Schema
    outputs: Schema
    uncertainty: Uncertainty = "none"
    propagates: Propagates | None = None

    def __post_init__(self) -> None:
        """Check."""
        for side, schema in (("inputs", self.inputs), ("outputs", self.outputs)):
            if not schema:
                raise PipelineError(f"a signature has at least one field of its {side}, got none")
        taken = [name for name in TOLD if name in self.outputs]
        if taken:
            raise PipelineError(
                f"an output is named {taken[0]!r}, which predictions use themselves ({', '.join(TOLD)}): rename it"
            )
        if self.uncertainty not in KINDS:
            raise PipelineError(f"uncertainty is one of {KINDS}, got {self.uncertainty!r}")
        if self.uncertainty == "interval" and not all(name in self.outputs for name in BOUNDS):
            raise PipelineError(
                f"uncertainty 'interval' wants outputs named lower and upper, got {tuple(self.outputs)}"
            )

    @property
    def value(self) -> str:
        """The name of the first output."""
        return next(iter(self.outputs))

    def refusal(self, offered: Schema) -> str | None:
        """Why columns of that schema are not what the model wants, or None if they are."""
        for name, field in self.inputs.items():
            given = offered.get(name)
            if given is None:
                return f"input {name!r} ({field.form}) is missing: there are {tuple(offered)}"
            if given.shape != field.shape or not self._takes(given, field):
                return f"input {name!r} is {given.form}, the model wants {field.form}{self._hint(given, field)}"
        return None

    def _takes(self, given: Field, wanted: Field) -> bool:
        if self.propagates is None:
            return _castable(given, wanted)
        if wanted.name == self.propagates.id and given.dtype.kind in "iuSUTO":
            return given.kind == ARRAY
        return _castable(given, wanted) or (given.kind in UNCERTAIN and may_be_uncertain(wanted))

    def _hint(self, given: Field, wanted: Field) -> str:
        if given.kind not in UNCERTAIN:
            return ""
        if self.propagates is None and may_be_uncertain(wanted):
            return ": distributions go through it by score(..., propagate='unscented')"
        return ": a distribution is taken where a float is wanted" if self.propagates else ""

    def conformed(self, result: Batch, rows: int) -> Batch:
        """The outputs among what a model gave, checked.

        Raises:
            ModelError: an output is missing, has another dtype or shape, or not as many rows as went in.
        """
        if len(result) != rows:
            raise ModelError(f"the model gave {len(result)} rows for {rows}")
        columns = result.columns
        for name, field in self.outputs.items():
            column = columns.get(name)
            if column is None:
                raise ModelError(
                    f"the model gave no output {name!r}: its signature promises {tuple(self.outputs)}, it gave {result.names}"
                )
            if _is_just(column, field):
                continue
            found = Field.of(name, column)
            if found != field:
                raise ModelError(
                    f"output {name!r} is {found.form}, the signature promises {field.form}"
                )
        return result if len(columns) == len(self.outputs) else result.select(*self.outputs)

    def holes(self, result: Batch) -> NDArray[np.bool_] | None:
        """The rows whose outputs are NaN or infinite though they must not be; None if there are none. Shape (n,)."""
        bad: NDArray[np.bool_] | None = None
        for name, field in self.outputs.items():
            column = result.columns[name]
            if field.kind != ARRAY:
                bad = _both(bad, _no_distribution(column))
                continue
            if (
                field.nullable
                or not isinstance(column, np.ndarray)
                or column.dtype.kind not in "fc"
            ):
                continue
            if column.ndim == 1 and column.dtype.char == "d" and isfinite(column.dot(column)):
                continue  # one quick pass; what merely is very large is looked at again
            finite = np.isfinite(column)
            if not finite.all():
                rows = finite.reshape(len(column), -1)
                holes: NDArray[np.bool_] = np.logical_not(np.logical_and.reduce(rows, axis=1))
                bad = _both(bad, holes)
        return bad


def _is_just(column: AnyArray | Column, field: Field) -> bool:
    return (
        isinstance(column, np.ndarray)
        and column.dtype == field.dtype
        and column.shape[1:] == field.shape
        and field.kind == ARRAY
    )


def may_be_uncertain(field: Field) -> bool:
    """Whether an input could be a distribution: it is one float a row."""
    return field.kind == ARRAY and field.dtype.kind == "f" and not field.shape


def _both(one: Holes | None, other: Holes | None) -> Holes | None:
    return other if one is None else one if other is None else np.logical_or(one, other)


def _no_distribution(column: object) -> Holes | None:
    """Rows of a distribution column with a NaN among the parameters: what a model makes of NaN; None if there are none."""
    if not isinstance(column, Rows):
        return None
    bad: Holes | None = None
    for name, array in column.parameters().items():
        axis = column.axes[name]
        if axis is None or array is None or array.dtype.kind != "f" or not np.isnan(array).any():
            continue
        rows = np.moveaxis(np.isnan(array), axis, 0).reshape(len(column), -1)
        bad = _both(bad, np.logical_or.reduce(rows, axis=1))
    return bad


def _castable(given: Field, wanted: Field) -> bool:
    if given.kind != wanted.kind:
        return False
    if object in (wanted.dtype, given.dtype):
        return given.dtype == wanted.dtype
    return np.can_cast(given.dtype, wanted.dtype, "same_kind")
