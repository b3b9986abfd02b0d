"""Messages: a request as a batch, and a batch as a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from rxml.batch import Batch
from rxml.errors import PipelineError
from rxml.http.encode import to_json
from rxml.http.inference.tensors import Tensor, datatype, from_bytes, from_json, to_bytes, to_list
from rxml.http.replies import Refusal
from rxml.models.signature import TOLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rxml.models.signature import Signature

HEAD: Final = "Inference-Header-Content-Length"
OCTETS: Final = "application/octet-stream"
_LEAST_URGENT: Final = 100
_LONGEST: Final = 30.0


class Output(msgspec.Struct):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class Request(msgspec.Struct):
    """What is asked, as the protocol has it."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    outputs: list[Output] | None = None


_DECODER: Final = msgspec.json.Decoder(Request)


class Question(NamedTuple):
    """What is asked, as rxml has it.

    Attributes:
        request: as it came.
        batch: of the inputs.
    """

    request: Request
    batch: Batch

    @property
    def priority(self) -> int:
        """Larger is more urgent: 99 for the protocol's 1, and 0 from its 100 on, or without one."""
        given = self.request.parameters.get("priority", 0)
        if type(given) is not int or given < 0:
            raise Refusal(400, f"parameter priority is a whole number >= 0, got {given!r}")
        return max(0, _LEAST_URGENT - given) if given else 0

    @property
    def trace(self) -> str:
        """The identity that the request has given itself, as long as one may be."""
        return (self.request.id or "")[:128]

    def within(self, default: float) -> float:
        """Seconds; the parameter `timeout` is in microseconds."""
        given = self.request.parameters.get("timeout", 0)
        if type(given) is not int or given < 0:
            raise Refusal(
                400, f"parameter timeout is a whole number of microseconds, got {given!r}"
            )
        return min(_LONGEST, given / 1e6) if given else default


def question(body: bytes, head: str | None, signature: Signature, most: int) -> Question:
    """What a body asks.

    Args:
        body: JSON, or JSON and bytes behind it.
        head: how long the JSON is, if bytes follow.
        signature: of the model.
        most: elements of a tensor.

    Raises:
        Refusal: 400, naming the field.
    """
    size = _size(head, len(body))
    try:
        request = _DECODER.decode(memoryview(body)[:size])
    except RecursionError:
        raise Refusal(400, "the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise Refusal(400, "the body is not UTF-8") from None
    except msgspec.MsgspecError as error:
        raise Refusal(400, f"the body is no inference request: {error}") from error
    return Question(request, _batch(request, memoryview(body)[size:], signature, most))


def _size(head: str | None, size: int) -> int:
    if head is None:
        return size
    if not head.isdecimal() or len(head) > 12 or int(head) > size:
        raise Refusal(400, f"{HEAD} is {head[:20]!r}, the body has {size} bytes")
    return int(head)


def _batch(request: Request, tail: memoryview, signature: Signature, most: int) -> Batch:
    arrays: dict[str, NDArray[Any]] = {}
    for tensor in request.inputs:
        if tensor.name in arrays:
            raise tensor.refused("it comes twice")
        size = tensor.size()
        if size is None:
            arrays[tensor.name] = from_json(tensor, most)
            continue
        if size > len(tail):
            raise tensor.refused(f"binary_data_size is {size}, {len(tail)} bytes are left")
        arrays[tensor.name] = from_bytes(tensor, tail[:size], most)
        tail = tail[size:]
    if len(tail):
        raise Refusal(400, f"{len(tail)} bytes are left behind the last tensor")
    return Batch(_fitted(arrays, signature))


def _fitted(arrays: Mapping[str, NDArray[Any]], signature: Signature) -> dict[str, NDArray[Any]]:
    """A column for each input; a scalar may come as a column of shape (n, 1)."""
    fitted: dict[str, NDArray[Any]] = {}
    for name, field in signature.inputs.items():
        array = arrays.get(name)
        if array is None:
            raise Refusal(
                400,
                f"input {name!r} is missing: the model wants {tuple(signature.inputs)}",
                details={"field": name},
            )
        if not field.shape and array.shape[1:] == (1,):
            array = array[:, 0]
        if array.shape[1:] != field.shape:
            raise Refusal(
                400,
                f"input {name!r} has rows of shape {list(array.shape[1:])}, the model wants {list(field.shape)}",
                details={"field": name},
            )
        fitted[name] = array
    unknown = next((name for name in arrays if name not in fitted), None)
    if unknown is not None:
        raise Refusal(
            400,
            f"there is no input {unknown[:80]!r}: the model wants {tuple(signature.inputs)}",
            details={"field": unknown[:80]},
        )
    lengths = {len(array) for array in fitted.values()}
    if len(lengths) > 1:
        raise Refusal(400, "inputs differ in their number of rows")
    if not max(lengths):
        raise Refusal(400, "the inputs have no rows")
    return fitted


class Answer(NamedTuple):
    """A response.

    Attributes:
        body: of it.
        head: how long its JSON is, if bytes follow.
    """

    body: bytes
    head: int | None


def answer(
    name: str,
    request: Request,
    result: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    binary: bool = True,
) -> Answer:
    """The response for what a model gave.

    Args:
        name: of the model.
        request: that is answered.
        result: for its batch.
        parameters: of the response.
        binary: tensors may follow the JSON as bytes, if the request wants that.

    Raises:
        Refusal: 400, an output is asked for that there is none of.
        PipelineError: the operator has made something else than a batch of a batch.
    """
    if not isinstance(result, Batch):
        raise PipelineError(f"{name} has made a {type(result).__name__} of a batch, not a batch")
    outputs = result.drop(*[told for told in TOLD if told in result.columns])
    wanted = request.outputs or [Output(each) for each in outputs.names]
    everywhere = bool(request.parameters.get("binary_data_output", False))
    tensors: list[dict[str, Any]] = []
    tail: list[bytes] = []
    for output in wanted:
        if output.name not in outputs.columns:
            raise Refusal(
                400, f"there is no output {output.name[:80]!r}: the model gives {outputs.names}"
            )
        array = _column(outputs, output.name)
        told: dict[str, Any] = {
            "name": output.name,
            "shape": list(array.shape),
            "datatype": datatype(array),
        }
        if binary and output.parameters.get("binary_data", everywhere):
            tail.append(to_bytes(array))
            told["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            told["data"] = to_list(array)
        tensors.append(told)
    message: dict[str, Any] = {"model_name": name, "outputs": tensors}
    if len(result) and "version" in result.columns and result[0]["version"]:
        message["model_version"] = result[0]["version"]
    if request.id is not None:
        message["id"] = request.id
    if parameters:
        message["parameters"] = parameters
    encoded = to_json(message)
    return Answer(b"".join([encoded, *tail]), len(encoded) if tail else None)


def _column(outputs: Batch, name: str) -> NDArray[Any]:
    column = outputs.columns[name]
    return (
        column
        if isinstance(column, np.ndarray)
        else np.array([str(each[name]) for each in outputs], object)
    )
