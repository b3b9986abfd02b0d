"""Payloads of a batch that is to be stored: as the columns that they come in, or as one column of mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from rxml.batch.column import is_array
from rxml.errors import FactError
from rxml.facts.distributions import is_distribution, why_not_known
from rxml.facts.plain import frozen_payload
from rxml.facts.table import PREFIX, objects, payloads_of, values_of_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rxml.batch import Batch
    from rxml.batch.column import AnyArray

_NONE: Final = type(None)


def payload_columns(batch: Batch, reasons: dict[int, str]) -> dict[str, Any]:
    """The columns of the payloads; why a payload is none is noted under the number of its row.

    Columns of objects that are not texts, nor bytes, become one column of mappings together with all others: so each
    row is judged by itself, whatever chunk it comes in.

    Raises:
        FactError: a column has values of a sort that no payload has, so that they could never be read.
    """
    names = [name for name in batch.names if name.startswith(PREFIX)]
    if not names:
        return {"payload": _mappings(batch["payload"], reasons)} if "payload" in batch.names else {}
    for name in names:
        _require_plain(name, batch[:1])
    if all(map(_is_storable, (batch[name] for name in names))):
        return {name: batch[name] for name in names}
    return {"payload": objects(_checked(payloads_of(batch), reasons))}


def _mappings(column: Any, reasons: dict[int, str]) -> AnyArray:
    if not is_array(column) or column.dtype.kind != "O" or column.ndim != 1:
        form = f"{column.dtype} of shape {column.shape}" if is_array(column) else column.kind
        raise FactError(f"the column 'payload' is {form}: give one mapping a row")
    return objects(_checked(cast("list[Any]", column.tolist()), reasons))


def _checked(payloads: Iterable[Any], reasons: dict[int, str]) -> list[Any]:
    return noted(payloads, reasons, frozen_payload)


def noted(
    values: Iterable[Any], reasons: dict[int, str], check: Callable[[Any], object]
) -> list[Any]:
    """What the check makes of each value; the reasons of those that it refuses are noted, the first for each row."""
    made: list[Any] = []
    for row, value in enumerate(values):
        try:
            made.append(check(value))
        except FactError as error:
            reasons.setdefault(row, str(error))
            made.append(None)
    return made


def _require_plain(name: str, first: Batch) -> None:
    """Look at a value of a column in which all are of one sort."""
    column = first[name]
    if not len(first) or is_distribution(column) or (is_array(column) and column.dtype.kind == "O"):
        return  # what is wrong with one of these is so in its row
    try:
        frozen_payload({name.removeprefix(PREFIX): next(iter(values_of_column(column)))})
    except FactError as error:
        dtype = column.dtype if is_array(column) else column.kind
        raise FactError(
            f"the column {name!r} is {dtype}, which could not be read: {error}"
        ) from error


def _is_storable(column: Any) -> bool:
    """Whether it can be stored as it is, and comes back as it was."""
    if not is_array(column):
        return not is_distribution(column) or why_not_known(column) is None
    if column.dtype.kind != "O":
        return True
    values: list[Any] = column.ravel().tolist()
    types = set(map(type, values)) - {_NONE}
    if types == {str}:
        return _is_encodable([text for text in values if text is not None])
    return types in (set(), {bytes})


def _is_encodable(texts: Sequence[str]) -> bool:
    whole = "".join(texts)
    try:
        return whole.isascii() or bool(whole.encode())
    except UnicodeEncodeError:
        return False
