"""Warming up: the first calls of a model are slow, and should not be somebody's."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Batch
from rxml.errors import ModelError
from rxml.models.scoring.intake import intake_of

if TYPE_CHECKING:
    from rxml.batch import Field
    from rxml.models.model import Model

_CALLS: Final = 3


def warmed(model: Model) -> float | None:
    """Call a model a few times; the seconds of the quickest for one row, or None if zeros are nothing to it.

    With its `examples`, a batch of its inputs, if it has any: with the first of them, then with all; else with zeros.

    Raises:
        ModelError: what it gives is not what its signature promises, or it fails for its own examples.
    """
    examples: Batch | None = getattr(model, "examples", None)
    if examples is not None:
        return _with(model, intake_of(model.signature).batch([examples]))
    batch = Batch({name: _zero(field) for name, field in model.signature.inputs.items()})
    try:
        return _quickest(model, batch)
    except ModelError:
        raise
    except Exception:  # noqa: BLE001 - a model may rightly refuse zeros
        return None


def _with(model: Model, examples: Batch) -> float:
    try:
        seconds = _quickest(model, examples[:1])
        model.signature.conformed(model.predict(examples), len(examples))
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"the model fails for its own examples: {error!r}") from error
    return seconds


def _quickest(model: Model, row: Batch) -> float:
    seconds: list[float] = []
    for _ in range(_CALLS):
        began = perf_counter()
        result = model.predict(row)
        seconds.append(perf_counter() - began)
        model.signature.conformed(result, 1)
    return min(seconds)


def _zero(field: Field) -> Any:
    if field.dtype == object:
        column = np.empty((1, *field.shape), object)
        column.fill("" if field.text else None)
        return column
    return np.zeros((1, *field.shape), field.dtype)
