"""Distributions as extension values: the name of the kind, then its parameters by name; those not there are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from rxml.uncertain import KINDS

if TYPE_CHECKING:
    from rxml.uncertain import Rows
    from rxml.wire.reader import Reader
    from rxml.wire.writer import Writer

DISTRIBUTION: Final = 16


def write_distribution(writer: Writer, rows: Rows) -> None:
    """Append a column of distributions, or a scalar."""
    parameters = {name: array for name, array in rows.parameters().items() if array is not None}
    start = writer.open()
    writer.value([rows.kind, parameters])
    writer.close(start, DISTRIBUTION)


def read_distribution(reader: Reader, depth: int) -> Rows:
    """The column that the payload holds, checked as whatever comes from anybody.

    Raises:
        ValueError, TypeError: there is no such kind, or the parameters make no such column.
    """
    kind, parameters = cast("tuple[Any, Any]", reader.value(depth))
    if kind not in KINDS:
        raise ValueError(f"a distribution of kind {kind!r}: there are {sorted(KINDS)}")
    return KINDS[kind].rebuilt(**parameters)
