"""Telling: an answer as those who asked are to see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from rxml.models.model import PRIMARY, Release
from rxml.models.prediction import Prediction

if TYPE_CHECKING:
    from rxml.flow.guarding.rungs import Answer

LAST: Final = "last known"
DEFAULT: Final = "default"
NEXT: Final = "next"
"""The rungs of predictions: of the arm that was drawn (`primary`), of another one, of an earlier element, and of nobody."""


def told(answer: Answer[Any], *, predicts: bool) -> Answer[Any] | Prediction:
    """A prediction that says its rung and the reason, where arms predict; else the answer itself.

    Args:
        answer: that was given.
        predicts: whether some arm is a model; a default that is a mapping has outputs by name then, another is the value.
    """
    value = answer.value
    if isinstance(value, Prediction):
        return Prediction(value.outputs, value.release, _rung(answer), answer.reason or "")
    if not predicts or answer.name != DEFAULT:
        return answer
    outputs = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {"value": value}
    return Prediction(outputs, Release(DEFAULT), DEFAULT, answer.reason or "")


def _rung(answer: Answer[Any]) -> str:
    if answer.rung == 0:
        return PRIMARY
    return answer.name if answer.name in (LAST, DEFAULT) else NEXT
