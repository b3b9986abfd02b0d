"""What a model says at points: a number, and how unsure it is of it itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.batch.schema import ARRAY
from rxml.errors import PipelineError
from rxml.models.signature import BOUNDS, UNCERTAIN
from rxml.uncertain import Interval, Mixture, Normal
from rxml.uncertain.checks import summed
from rxml.uncertain.special import ndtri

if TYPE_CHECKING:
    from rxml.batch import Batch, Field
    from rxml.models.signature import Signature
    from rxml.uncertain.checks import Floats


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of one output at R points of N rows.

    Attributes:
        mean: shape (R, N).
        model: variance that the model has about its own mean, shape (R, N); None if it tells none.
        residual: variance of what is observed about that, shape (R, N); None if it tells none.
        column: the distribution, of R * N rows; None if it tells none.
    """

    mean: Floats
    model: Floats | None = None
    residual: Floats | None = None
    column: Any = None


def is_number(field: Field) -> bool:
    """Whether an output is one float a row, or the distribution of one."""
    return (
        field.kind in UNCERTAIN
        if field.kind != ARRAY
        else field.dtype.kind == "f" and not field.shape
    )


class Reader:
    """Reads what a model gives.

    Args:
        signature: of the model.
        level: of its intervals; None if that is not known.

    Raises:
        PipelineError: it gives intervals of a level that is not known.
    """

    def __init__(self, signature: Signature, level: float | None) -> None:
        value = signature.outputs[signature.value]
        self.value: str = signature.value
        self.bounded: bool = (
            signature.uncertainty == "interval" and is_number(value) and value.kind == ARRAY
        )
        if self.bounded and level is None:
            raise PipelineError(
                "the level of the model's own intervals is not known: say it, as in propagate=models.unscented(level=0.9)"
            )
        self._width: float = 2 * float(ndtri((1 + (level or 0.0)) / 2))
        left_out = BOUNDS if self.bounded else ()
        fields = [each for name, each in signature.outputs.items() if name not in left_out]
        self.numbers: tuple[str, ...] = tuple(each.name for each in fields if is_number(each))
        self.others: tuple[str, ...] = tuple(each.name for each in fields if not is_number(each))

    def of(self, result: Batch, name: str, shape: tuple[int, int]) -> Said:
        """What it says of an output.

        Args:
            result: of the model, conformed.
            name: of the output.
            shape: (R, N).
        """
        column = result.columns[name]
        if not isinstance(column, np.ndarray):
            return _distributed(column, shape)
        mean = column.astype(np.float64, copy=False).reshape(shape)
        if name != self.value or not self.bounded:
            return Said(mean)
        low, high = (np.asarray(result[each], np.float64).reshape(shape) for each in BOUNDS)
        var = np.square((high - low) / self._width)
        return Said(mean, var, column=Normal.adopt(mean=mean.reshape(-1), var=var.reshape(-1)))


def _distributed(column: Any, shape: tuple[int, int]) -> Said:
    if isinstance(column, Interval):
        column = column.to(Normal)
    mean, var = column.mean().reshape(shape), column.var().reshape(shape)
    if not isinstance(column, Mixture):
        return Said(mean, var, column=column)
    within = summed(column.weights * column.components[1]).reshape(shape)
    return Said(mean, np.maximum(var - within, 0.0), within, column)
