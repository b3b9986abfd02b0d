"""Dialects: how each server wants to be asked for one row, and how it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.serving.process import HOST
from benchmarks.serving.rows import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Dialect:
    """A way to ask over HTTP.

    Attributes:
        path: of the request.
        wrap: a row as what becomes JSON.
        read: the probability in an answer's JSON; None if this server does not work it out.
        headers: more of them.
    """

    path: str
    wrap: Callable[[list[float]], Any]
    read: Callable[[Any], float] | None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def request(self, row: list[float], headers: Mapping[str, str] | None = None) -> bytes:
        """A whole request for the row."""
        body = json.dumps(self.wrap(row), separators=(",", ":")).encode()
        named = {
            "Host": HOST,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **self.headers,
            **(headers or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"POST {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def answer(self, body: bytes) -> float | None:
        """The probability in the body of an answer."""
        return None if self.read is None else self.read(json.loads(body))


def _tensor(row: list[float]) -> dict[str, Any]:
    named = {"name": "row", "shape": [1, len(row)], "datatype": "FP64", "data": row}
    return {"inputs": [named]}


def _offer(row: list[float]) -> dict[str, Any]:
    return {"x": row * 5, "worth": 1.0, "price": 0.04}  # a hundred features


BARE = Dialect("/predict", lambda row: {"features": row}, None)
PLAIN = Dialect("/predict", lambda row: {"features": row}, lambda said: said["value"])
NAMED = Dialect(
    "/predict", lambda row: dict(zip(NAMES, row, strict=True)), lambda said: said["value"]
)
SLOW = Dialect("/slow", lambda row: {"features": row}, lambda said: said["value"])
BENTO = Dialect("/predict", lambda row: {"rows": [row]}, lambda said: said[0])
TENSOR = Dialect("/v2/models/model/infer", _tensor, lambda said: said["outputs"][0]["data"][0])
OFFER = Dialect("/decide", _offer, None)
