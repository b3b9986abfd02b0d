"""Answers: predictions as they are sent."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from rxml.batch import Batch
from rxml.errors import DeadlineError, OverloadError, SchemaError, StreamClosedError
from rxml.http.encode import to_json, to_msgpack
from rxml.http.predict.forms import Form, misfit
from rxml.http.replies import Refusal
from rxml.models.model import PRIMARY
from rxml.models.prediction import Prediction
from rxml.models.signature import TOLD

if TYPE_CHECKING:
    from collections.abc import Sequence


def answer_of(result: Any, identity: str) -> dict[str, Any]:
    """What is told of one row."""
    if not isinstance(result, Prediction):
        return {"id": identity, "value": result}
    release = result.release
    told: dict[str, Any] = {"id": identity, "value": result.value}
    interval = result.interval
    if interval is not None:
        told["interval"] = interval
    if len(result.outputs) > 1:
        told["outputs"] = result.outputs
    told["model"] = release.name
    told["version"] = release.version
    told["rung"] = result.rung
    if result.reason:
        told["reason"] = result.reason
    return told


def columns_of(batch: Batch, identity: str) -> dict[str, Any]:
    """What is told of a batch: its outputs, and once who made them."""
    told: dict[str, Any] = {"id": identity}
    outputs = batch
    if len(batch) and all(name in batch.columns for name in TOLD):
        first = batch[0]
        told |= {name: first[name] for name in ("model", "version", "rung")}
        if first["rung"] != PRIMARY:
            told["reason"] = first["reason"]
        outputs = batch.drop(*TOLD)
    return {**told, "columns": outputs}


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
        told = columns_of(results[0], identity)
        if not msgpack:
            told["columns"] = {
                name: column.tolist() for name, column in told["columns"].columns.items()
            }
        return write(told)
    rows = [
        {"id": f"{identity}/{i}", "error": each.reason, **each.details}
        if isinstance(each, Refusal)
        else answer_of(each, f"{identity}/{i}")
        for i, each in enumerate(results)
    ]
    return write(rows)


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
        return Refusal(429, str(error), headers={"Retry-After": str(seconds)}, shed="overload")
    if isinstance(error, DeadlineError):
        return Refusal(504, str(error), shed="deadline")
    if isinstance(error, SchemaError):
        return misfit(str(error))
    if isinstance(error, StreamClosedError):
        return Refusal(503, "the service is not there at the moment", headers={"Retry-After": "1"})
    return Refusal(500, "the model has failed", details={"code": type(error).__name__})
