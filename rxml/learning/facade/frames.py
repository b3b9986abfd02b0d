"""Frames: what passes between a facade and its trainer. Words and numbers; rows and models lie in files of the job's folder.

What the trainer says is taken for what a stranger may have sent.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, TypeAlias, TypeVar

import msgspec

from rxml.errors import ProtocolError
from rxml.models.artefacts.manifest import (  # noqa: TC001 - msgspec reads annotations
    Coverage,
    FactRange,
    RecipeForm,
)

HEAD: Final = Struct("<BxxxI")
"""Kind, and size of the body in bytes."""

MOST: Final = 2**20
"""Bytes of a body: of hyperparameters, or of the words and recipe of a model, without what is in files."""

DATA: Final = "data"
"""File of the rows."""

MODEL: Final = "model"
"""File of the model."""


class Kind(IntEnum):
    """What a frame says."""

    ORDER = 1
    PROGRESS = 2
    MADE = 3
    FAILED = 4


class Order(msgspec.Struct, array_like=True):
    """What is to be trained; see `LearningConfig`. The hyperparameters are a message."""

    trainer: str
    hyperparameters: bytes
    facts: FactRange | None
    seed: int
    memory: int | None
    folder: str
    checkpoints: str
    data: bool


class Told(msgspec.Struct, array_like=True):
    """See `Progress`."""

    done: float
    total: float
    metrics: dict[str, float]


class Made(msgspec.Struct, array_like=True):
    """The model, of which the bytes are in a file, and what is known of it; see `Trained`."""

    format: str
    recipe: RecipeForm
    digest: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    coverage: Coverage | None
    features: str
    notes: str


class Failed(msgspec.Struct, array_like=True):
    """What the trainer raised."""

    kind: str
    words: str


Answer: TypeAlias = Told | Made | Failed
"""What a trainer says."""

_ANSWERS: Final[dict[Kind, type[Answer]]] = {
    Kind.PROGRESS: Told,
    Kind.MADE: Made,
    Kind.FAILED: Failed,
}
_KINDS: Final[dict[type[object], Kind]] = {
    Order: Kind.ORDER,
    Told: Kind.PROGRESS,
    Made: Kind.MADE,
    Failed: Kind.FAILED,
}

S = TypeVar("S", bound=msgspec.Struct)


def frame(body: Order | Answer) -> bytes:
    """A whole frame.

    Raises:
        ValueError: it would be larger than `MOST`.
    """
    data = msgspec.msgpack.encode(body)
    if len(data) > MOST:
        raise ValueError(
            f"{len(data):,} bytes are more than the {MOST:,} that may be said: put them into a file"
        )
    return HEAD.pack(_KINDS[type(body)], len(data)) + data


def head(data: bytes) -> tuple[Kind, int]:
    """Kind and size of what follows.

    Raises:
        ProtocolError: it is no head.
    """
    kind, size = HEAD.unpack(data)
    if size > MOST or kind not in Kind.__members__.values():
        raise ProtocolError(f"a frame of kind {kind} and {size} bytes is none of ours")
    return Kind(kind), size


def answer(kind: Kind, body: bytes) -> Answer:
    """What a trainer has said.

    Raises:
        ProtocolError: it is nothing that one may say.
    """
    if kind not in _ANSWERS:
        raise ProtocolError(f"a trainer said {kind!r}")
    return body_of(body, _ANSWERS[kind])


def body_of(body: bytes, kind: type[S]) -> S:
    """The body of a frame.

    Raises:
        ProtocolError: it is none of that kind.
    """
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProtocolError(f"no {kind.__name__} came from the other process: {error}") from error
