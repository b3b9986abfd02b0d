"""Examples: rows that a model is warmed up with, kept with what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from rxml import wire
from rxml.batch import Batch
from rxml.errors import ArtefactError, RegistryError, WireError

if TYPE_CHECKING:
    from rxml.models.signature import Signature

ROWS: Final = 32
"""Examples of a version, at most."""

BYTES: Final = 64 * 2**10
"""That they may take."""


def examples_form(rows: Batch | None, signature: Signature) -> bytes:
    """The examples as a message of `rxml.wire`; nothing if there are none.

    Args:
        rows: 1 to 32 of them, with the inputs of the model; other columns are left out.
        signature: of the model.

    Raises:
        RegistryError: they are not what the model wants, or too many.
    """
    if rows is None:
        return b""
    refusal = _refusal(rows, signature)
    if refusal is not None:
        raise RegistryError(f"examples: {refusal}")
    message = wire.dumps(rows.select(*signature.inputs))
    if len(message) > BYTES:
        raise RegistryError(f"examples take {len(message)} bytes, at most {BYTES} are kept")
    return message


def examples_of(message: bytes, signature: Signature, where: str) -> Batch | None:
    """The examples that a manifest holds; None if there are none.

    Args:
        message: of `rxml.wire`, not to be trusted.
        signature: of the model.
        where: they stand, for errors: `price:3`.

    Raises:
        ArtefactError: they are damaged, or not what the model wants.
    """
    if not message:
        return None
    try:
        rows = wire.loads(message, limits=wire.Limits(max_bytes=BYTES))
    except WireError as error:
        raise ArtefactError(f"the examples of {where} are damaged: {error}") from error
    refusal = _refusal(rows, signature)
    if refusal is not None:
        raise ArtefactError(f"the examples of {where}: {refusal}")
    return cast("Batch", rows)


def _refusal(rows: object, signature: Signature) -> str | None:
    if not isinstance(rows, Batch):
        return f"wants a Batch, got {type(rows).__name__}"
    if not 1 <= len(rows) <= ROWS:
        return f"wants 1 to {ROWS} rows, got {len(rows)}"
    return signature.refusal(rows.schema)
