"""Blobs: the columns of a chunk of facts as bytes, each in the shortest form that costs little.

A blob is a message of `rxml.wire`: a map from the name of each column to a list that begins with the number of its form.

| form | follows | for |
|---|---|---|
| 0 | the column | whatever has no shorter form |
| 1 | an array of one value | numbers that are all the same, NaN too |
| 2 | the least value, the differences in u1, u2 or u4 | int64, such as times |
| 3 | 16 bytes a row | ids of 32 hex digits |
| 4 | the different texts, the number of each row's | texts of which most occur again |
| 5 | a msgpack array of maps | payloads; extension values in it are distributions |
| 6 | zlib of the message of another form | where that saves a third at least |
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import numpy as np

from rxml import wire
from rxml.batch.column import is_array, sealed
from rxml.errors import FactError, WireError
from rxml.facts.distributions import unpacked_distribution
from rxml.facts.plain import frozen_payload, thawed
from rxml.facts.table import objects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rxml.batch.column import AnyArray, Column

_PLAIN, _CONSTANT, _SMALL, _HEX, _NUMBERED, _MAPS, _DEFLATED = range(7)
_SHORT: Final = frozenset({_CONSTANT, _HEX})
_DIGITS: Final = 32
_NUMERIC: Final = frozenset("biuf")
_WIDTHS: Final = ((2**8, np.uint8), (2**16, np.uint16), (2**32, np.uint32))
_LEAST: Final = 4096
_WORTH: Final = 0.67
_AGAIN: Final = 64
_LIMITS: Final = wire.Limits(
    max_bytes=2**31,
    max_items=2**31,
    max_containers=2**31,
    max_str=2**20,
    max_bin=2**31,
    max_ext=2**31,
)
_pack: Final = msgspec.msgpack.Encoder(enc_hook=thawed)


class Thrift:
    """Decides which columns are deflated: zlib is tried on the first of 64 chunks, and kept for the rest if it pays.

    Args:
        level: of zlib, 1 to 9; 0 never deflates.
    """

    __slots__ = ("_left", "_level", "_pays")

    def __init__(self, level: int) -> None:
        self._level = level
        self._left: dict[str, int] = {}
        self._pays: dict[str, bool] = {}

    def saved(self, name: str, form: list[Any]) -> list[Any]:
        """The form of a column, deflated if that pays."""
        left = self._left.get(name, 0)
        self._left[name] = left - 1 if left else _AGAIN
        if not self._level or (left and not self._pays[name]):
            return form
        plain = wire.dumps(form)
        deflated = zlib.compress(plain, self._level)
        self._pays[name] = pays = len(plain) > _LEAST and len(deflated) < _WORTH * len(plain)
        return [_DEFLATED, deflated] if pays else form


def hex_bytes(ids: Sequence[str]) -> bytes | None:
    """16 bytes for each id, if all are 32 lower-case hex digits; else None."""
    joined = "".join(ids)
    if len(joined) != _DIGITS * len(ids) or set(map(len, ids)) != {_DIGITS}:
        return None
    try:
        raw = bytes.fromhex(joined)
    except ValueError:
        return None
    return raw if raw.hex() == joined else None


def encode(
    columns: Mapping[str, AnyArray | Column], known: Mapping[str, list[Any]], thrift: Thrift
) -> bytes:
    """The blob of a chunk.

    Args:
        columns: all of them.
        known: forms of some of the columns, if there are any already.
        thrift: decides what is deflated.

    Raises:
        FactError: a column is none that the wire has.
    """
    forms: dict[str, list[Any]] = {}
    try:
        for name, column in columns.items():
            form = known.get(name) or _form(name, column)
            forms[name] = form if form[0] in _SHORT else thrift.saved(name, form)
        return wire.dumps(forms)
    except WireError as error:
        raise FactError(f"a column cannot be stored: {error}") from error


def hex_form(raw: bytes | None) -> dict[str, list[Any]]:
    """The form of the column `id`, if its bytes are known."""
    return {} if raw is None else {"id": [_HEX, raw]}


def _form(name: str, column: AnyArray | Column) -> list[Any]:
    if not is_array(column):
        return [_PLAIN, column]
    if name == "payload":
        listed: list[Mapping[str, Any]] = column.tolist()
        return [_MAPS, _pack.encode(list(map(dict, listed)))]
    if column.dtype.kind == "O":
        return _texts(column)
    if column.dtype.kind not in _NUMERIC or column.ndim != 1 or not len(column):
        return [_PLAIN, column]
    return _numbers(np.ascontiguousarray(column))


def _numbers(column: AnyArray) -> list[Any]:
    bits = column.view(f"u{column.dtype.itemsize}") if column.dtype.itemsize <= 8 else column
    if bits[0] == bits[-1] and bool((bits == bits[0]).all()):
        return [_CONSTANT, column[:1]]
    if column.dtype != np.int64:
        return [_PLAIN, column]
    least = int(column.min())
    span = int(column.max()) - least
    for most, width in _WIDTHS:
        if span < most:
            return [_SMALL, least, (column - least).astype(width)]
    return [_PLAIN, column]


def _texts(column: AnyArray) -> list[Any]:
    values: list[Any] = column.ravel().tolist()
    if column.ndim != 1 or set(map(type, values)) != {str}:
        return [_PLAIN, column]
    form = numbered(values)
    return [_PLAIN, column] if form is None else [_NUMBERED, objects(form[0]), form[1]]


def numbered(values: Sequence[str]) -> tuple[list[str], AnyArray] | None:
    """The different texts, and the number of each; None if there are so many that this is no shorter."""
    numbers: dict[str, int] = dict.fromkeys(values, 0)
    if 2 * len(numbers) > len(values) or len(numbers) > 2**16:
        return None
    different = list(numbers)
    numbers.update(zip(different, range(len(different)), strict=True))
    width = np.uint8 if len(numbers) <= 2**8 else np.uint16
    return different, np.fromiter(map(numbers.__getitem__, values), width, len(values))


def plain_form(column: AnyArray) -> list[Any]:
    """The form of a column that is kept as it is."""
    return [_PLAIN, column]


def numbered_form(name: str, form: tuple[list[str], AnyArray] | None) -> dict[str, list[Any]]:
    """The form of a column that `numbered` has looked at, if it is shorter."""
    return {} if form is None else {name: [_NUMBERED, objects(form[0]), form[1]]}


class Forms:
    """The columns of a blob, each decoded when it is asked for.

    Raises:
        WireError: it is no blob.
    """

    __slots__ = ("_forms", "rows")

    def __init__(self, blob: bytes, rows: int) -> None:
        self._forms: dict[str, list[Any]] = wire.loads(blob, limits=_LIMITS)
        self.rows: int = rows

    def column(self, name: str) -> AnyArray | Column:
        """One column, which cannot be written to."""
        return _column(self._forms[name], self.rows)

    def columns(self) -> dict[str, AnyArray | Column]:
        """All columns."""
        return {name: _column(form, self.rows) for name, form in self._forms.items()}


def _column(form: list[Any], rows: int) -> AnyArray | Column:
    code = form[0]
    if code == _DEFLATED:
        return _column(wire.loads(zlib.decompress(form[1]), limits=_LIMITS), rows)
    if code == _PLAIN:
        return cast("AnyArray | Column", form[1])
    return sealed(_array(code, form, rows))


def _array(code: int, form: list[Any], rows: int) -> AnyArray:
    if code == _CONSTANT:
        return np.repeat(form[1], rows)
    if code == _SMALL:
        times: AnyArray = form[2].astype(np.int64) + form[1]
        return times
    if code == _HEX:
        digits = form[1].hex()
        return objects([digits[at : at + _DIGITS] for at in range(0, _DIGITS * rows, _DIGITS)])
    if code == _NUMBERED:
        different: AnyArray = form[1][form[2]]
        return different
    if code == _MAPS:
        return objects(_payloads(form[1]))
    raise ValueError(f"a column in the unknown form {code}")


def _payloads(packed: bytes) -> list[Any]:
    """Payloads as plain dicts; where there are distributions, as what compares these."""
    uncertain = False

    def distribution(code: int, data: memoryview) -> object:
        nonlocal uncertain
        uncertain = True
        return unpacked_distribution(code, data, _LIMITS)

    found = msgspec.msgpack.Decoder(list[dict[str, Any]], ext_hook=distribution).decode(packed)
    return list(map(frozen_payload, found)) if uncertain else found
