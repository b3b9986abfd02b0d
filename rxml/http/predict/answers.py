"""Answers: predictions as they are sent."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Batch
from rxml.errors import (
    DeadlineError,
    OverloadError,
    RefusedError,
    SchemaError,
    StreamClosedError,
    StreamTimeoutError,
)
from rxml.http.distributions import plain, summary
from rxml.http.encode import to_json, to_msgpack
from rxml.http.predict.forms import Form, misfit
from rxml.http.replies import Refusal
from rxml.models.live import Routed
from rxml.models.model import PRIMARY
from rxml.models.prediction import Prediction
from rxml.models.signature import TOLD
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOLD: Final = frozenset(TOLD)


def answer_of(result: Any, identity: str) -> dict[str, Any]:
    """What is told of one row."""
    if not isinstance(result, Prediction):
        return {"id": identity, "value": result}
    return {"id": identity, **prediction(result)}


def prediction(result: Prediction) -> dict[str, Any]:
    """What is told of a prediction."""
    outputs, release, value = result.outputs, result.release, result.value
    found: dict[str, Any] = {"value": value}
    if value.__class__ is not float and isinstance(value, Rows):
        found |= {**summary(value), "outputs": outputs}
    elif len(outputs) > 1:
        interval = result.interval
        if interval is not None:
            found["interval"] = interval
        found["outputs"] = outputs
    found["model"] = release.name
    found["version"] = release.version
    found["rung"] = result.rung
    if result.reason:
        found["reason"] = result.reason
    if result.__class__ is not Prediction and isinstance(result, Routed):
        found |= {"arm": result.arm, "propensity": result.propensity}
    return found


def columns_of(batch: Batch, identity: str) -> dict[str, Any]:
    """What is told of a batch: its outputs, and once who made them."""
    maker, outputs = parted(batch)
    return {"id": identity, **maker, "columns": outputs}


def parted(batch: Batch) -> tuple[dict[str, Any], Batch]:
    """Who made a batch, which is the same for all of its rows, and its outputs."""
    columns, rows = batch.columns, len(batch)
    if not rows or TOLD[0] not in columns:
        return {}, batch
    told: Any = columns
    model, version, rung = told["model"][0], told["version"][0], told["rung"][0]
    maker = {"model": model, "version": version, "rung": rung}
    if rung != PRIMARY:
        maker["reason"] = told["reason"][0]
    outputs = {name: column for name, column in columns.items() if name not in _TOLD}
    return maker, Batch.adopt(outputs, rows)


def encoded(form: Form, results: Sequence[Any], identity: str, *, msgpack: bool) -> bytes:
    """The body of an answer.

    Args:
        form: of the question.
        results: one for each element; what failed is a Refusal.
        identity: of the request.
        msgpack: else JSON.
    """
    write = to_msgpack if msgpack else to_json
    if form is Form.ROW:
        return write(answer_of(results[0], identity))
    if len(results) == 1 and isinstance(results[0], Batch):
        answered = columns_of(results[0], identity)
        if not msgpack:
            outputs: Batch = answered["columns"]
            answered["columns"] = {name: _listed(outputs, name) for name in outputs.names}
        return write(answered)
    return write([told(each, f"{identity}/{i}") for i, each in enumerate(results)])


def _listed(batch: Batch, name: str) -> Any:
    column: Any = batch.columns[name]
    if isinstance(column, np.ndarray):
        return column.tolist()
    return plain(column) if isinstance(column, Rows) else [row[name] for row in batch]


def told(result: Any, identity: str) -> dict[str, Any]:
    """What is told of one row among several, be it that it failed."""
    return (
        failure_of(result, identity) if isinstance(result, Refusal) else answer_of(result, identity)
    )


def failure_of(refusal: Refusal, identity: str) -> dict[str, Any]:
    """What is told of one row that failed: as an answer of its own would, with the status that it would have had."""
    found: dict[str, Any] = {"id": identity, "error": refusal.reason, "status": refusal.status}
    seconds = refusal.headers.get("Retry-After")
    if seconds is not None:
        found["retry_after"] = int(seconds)
    return {**found, **refusal.details}


def refusal_of(error: BaseException, longest: int) -> Refusal:
    """What a client is told of an error.

    Args:
        error: of an ask.
        longest: seconds of a `Retry-After`.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, OverloadError):
        seconds = min(longest, max(1, ceil(error.retry_after)))
        return Refusal(429, str(error), headers={"Retry-After": str(seconds)}, shed=error.reason)
    if isinstance(error, DeadlineError | StreamTimeoutError):
        return Refusal(504, str(error), shed="deadline")
    if isinstance(error, SchemaError):
        return misfit(str(error))
    if isinstance(error, StreamClosedError | RefusedError):
        return _away(error, longest)
    return Refusal(500, "the model has failed", details={"code": type(error).__name__})


def _away(error: StreamClosedError | RefusedError, longest: int) -> Refusal:
    if isinstance(error, StreamClosedError):
        return Refusal(503, "the service is not there at the moment", headers={"Retry-After": "1"})
    seconds = min(longest, max(1, ceil(error.retry_after or 1)))
    return Refusal(503, "no model can be asked", headers={"Retry-After": str(seconds)})
