"""Keeping: answers that have columns of what was asked beside their own, such as the id that a label finds them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.batch import Batch
from rxml.errors import SchemaError
from rxml.eventtime.reading import read
from rxml.models.prediction import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.models.scoring.waiting import Ask


def all_kept(asks: Sequence[Ask], answers: Sequence[Any], names: tuple[str, ...]) -> list[Any]:
    """Each answer with these columns of its element, or the SchemaError of one whose element has not got them."""
    return [
        _kept_or_error(ask.item, answer, names) for ask, answer in zip(asks, answers, strict=True)
    ]


def _kept_or_error(item: Any, answer: Any, names: tuple[str, ...]) -> Any:
    try:
        return kept(item, answer, names)
    except SchemaError as error:
        return error


def kept(item: Any, answer: Any, names: tuple[str, ...]) -> Any:
    """The answer with these columns of its element.

    Args:
        item: an element, or a batch.
        answer: a prediction, or a batch of as many rows.
        names: of the columns.

    Raises:
        SchemaError: the element has no such column.
    """
    if isinstance(answer, Batch):
        return answer.with_columns({name: item[name] for name in names})
    beside = {name: read([item], name)[0] for name in names}
    return Prediction({**answer.outputs, **beside}, answer.release, answer.rung, answer.reason)
