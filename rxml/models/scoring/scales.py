"""Scales: what elements weigh while they wait and are scored, and their answers until they are taken."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

from rxml.batch import Batch, Row
from rxml.flow.buffers.weigh import weigh
from rxml.models.prediction import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch import Field
    from rxml.models.signature import Signature

_PREDICTION: Final = 400
"""Bytes of a prediction beside its values: itself, its mapping and its place in line."""

_OBJECT: Final = 64
"""Bytes that a Python object in an output counts as."""


class Scales:
    """Weighs for one model; answers weigh the same for each whose outputs are the same.

    Args:
        signature: of the model.
    """

    def __init__(self, signature: Signature) -> None:
        self._names = len(signature.inputs)
        loose = signature.propagates is not None
        self._fixed = not loose and all(
            each.dtype.kind in "biufcmM" for each in signature.inputs.values()
        )
        self._row = 0
        self._width = sum(
            _worlds(signature, each)
            or prod(each.shape) * (_OBJECT if each.dtype == object else each.dtype.itemsize)
            for each in signature.outputs.values()
        )

    def coming(self, item: Any) -> int:
        """Bytes of an element, and of the answer that it will have."""
        if item.__class__ is not dict and isinstance(item, Batch):
            return item.nbytes + len(item) * self._width
        return self._element(item) + self._width + _PREDICTION

    def _element(self, item: Any) -> int:
        """Rows of numbers and of nothing else all weigh as much as the first."""
        if not self._fixed or not self._narrow(item):
            return weigh([item])
        if not self._row:
            self._row = weigh([item])
        return self._row

    def _narrow(self, item: Any) -> bool:
        if item.__class__ is dict:
            return len(item) <= self._names
        if item.__class__ is Row:
            return True
        fields: tuple[str, ...] | None = getattr(item, "__struct_fields__", None)
        return fields is not None and len(fields) <= self._names

    def answer(self, answer: Any) -> int:
        """Bytes of an answer."""
        if answer.__class__ is not Prediction and isinstance(answer, Batch):
            return len(answer) * self._width
        return self._width + _PREDICTION

    def answers(self, answers: Sequence[Any]) -> int:
        """Bytes of answers that leave together."""
        if isinstance(answers, Batch):
            return len(answers) * self._width
        return sum(map(self.answer, answers))


def _worlds(signature: Signature, field: Field) -> int:
    """Bytes of an output in worlds; 0 of another."""
    told = signature.propagates
    return 0 if told is None or field.kind != "worlds" else 8 * told.worlds + _OBJECT
