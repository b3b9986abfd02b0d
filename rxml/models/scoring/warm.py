"""Warming up: the first calls of a model are slow, and should not be somebody's."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Batch

if TYPE_CHECKING:
    from rxml.batch import Field
    from rxml.models.model import Model

_CALLS: Final = 3


def warmed(model: Model) -> float | None:
    """Call a model a few times; the seconds of the quickest, or None if zeros are nothing to it.

    Raises:
        ModelError: what it gives is not what its signature promises.
    """
    batch = Batch({name: _zero(field) for name, field in model.signature.inputs.items()})
    quickest: float | None = None
    for _ in range(_CALLS):
        began = perf_counter()
        try:
            result = model.predict(batch)
        except Exception:  # noqa: BLE001 - a model may rightly refuse zeros
            return None
        seconds = perf_counter() - began
        model.signature.conformed(result, 1)
        quickest = seconds if quickest is None else min(quickest, seconds)
    return quickest


def _zero(field: Field) -> Any:
    if field.dtype == object:
        column = np.empty((1, *field.shape), object)
        column.fill("" if field.text else None)
        return column
    return np.zeros((1, *field.shape), field.dtype)
