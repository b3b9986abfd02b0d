"""Batches as extension values: a msgpack map from the name of each column to the column.

Rows without columns are their number, in place of the map.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgpack import Packer, packb

from rxml.batch import Batch, Column
from rxml.errors import WireError
from rxml.wire.arrays import write_array
from rxml.wire.texts import write_texts

if TYPE_CHECKING:
    from rxml.batch.column import AnyArray
    from rxml.wire.reader import Reader
    from rxml.wire.writer import Writer

BATCH: Final = 3
_TEXT_KINDS: Final = frozenset("OT")
_WHOLE_NUMBERS: Final = frozenset({*range(0x80), *range(0xCC, 0xD0)})  # first bytes; none below 0


def write_column(writer: Writer, column: AnyArray | Column) -> None:
    """Append a numpy array of any dtype the wire has, or a distribution column.

    Raises:
        WireError: the wire has not got the dtype, or the type of column.
    """
    if not isinstance(column, np.ndarray):
        writer.value(column)
    elif column.dtype.kind in _TEXT_KINDS:
        write_texts(writer, column)
    else:
        write_array(writer, column)


def write_batch(writer: Writer, batch: Batch) -> None:
    """Append a batch.

    Raises:
        WireError: naming the column that cannot be encoded.
    """
    start = writer.open()
    rows_only = len(batch) if not batch.columns else 0
    head = bytes(packb(rows_only)) if rows_only else Packer().pack_map_header(len(batch.columns))
    writer.piece(head, len(head))
    for name, column in batch.columns.items():
        packed = _name(name)
        writer.piece(packed, len(packed))
        try:
            write_column(writer, column)
        except WireError as error:
            raise WireError(f"column {name!r}: {error}") from error
    writer.close(start, BATCH)


@lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    return bytes(packb(name))


def read_batch(reader: Reader, depth: int) -> Batch:
    """The batch that the payload holds.

    Raises:
        WireError: a value is no column, or columns differ in length; naming where it begins.
    """
    at = reader.position
    if at < reader.end and reader.data[at] in _WHOLE_NUMBERS:
        return _rows_only(reader, depth, at)
    columns: dict[str, Any] = {}
    length = 0
    for name, at, column in reader.columns(depth):
        array = type(column) is np.ndarray and column.ndim > 0
        here = len(column) if array else _length(name, column, at)
        if columns and here != length:
            raise WireError(f"column {name!r} has {here} rows, those before have {length}", at)
        length = here
        columns[name] = column
    return Batch.adopt(columns, length)


def _rows_only(reader: Reader, depth: int, at: int) -> Batch:
    rows = reader.value(depth)
    reader.count(rows, at)  # no bytes stand behind them
    return Batch.adopt({}, rows)


def _length(name: str, column: Any, at: int) -> int:
    if isinstance(column, Column):
        return len(column)
    raise WireError(f"column {name!r} is a {type(column).__name__}, or one without rows", at)
