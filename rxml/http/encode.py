"""Elements as JSON and as msgpack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import numpy as np
from typing_extensions import TypeIs

from rxml.batch import Batch
from rxml.errors import WireError
from rxml.http.distributions import plain
from rxml.uncertain.rows import Rows
from rxml.wire.message import dumps

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_mapping(value: object) -> TypeIs[Mapping[Any, Any]]:
    """True for a mapping, of whatever to whatever."""
    return isinstance(value, Mapping)


def to_plain(value: Any) -> Any:
    """What JSON writes for a value that it has no place for: an `enc_hook` of msgspec.

    Numpy scalars become numbers, arrays lists, rows objects, batches lists of objects, distributions objects. NaN and infinities become null.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(value, np.generic):
        return cast("Any", value).item()
    if isinstance(value, np.ndarray):
        return cast("Any", value).tolist()
    if isinstance(value, Rows):
        return plain(value)
    if isinstance(value, Batch):
        return [dict(row) for row in value]
    if is_mapping(value):
        return dict(value)
    raise TypeError(f"cannot be sent as JSON: {type(value).__name__}")


_LEAVES: Final = (
    str,
    bytes,
    int,
    float,
    type(None),
    np.ndarray,
    np.generic,
    datetime,
    timedelta,
    Batch,
)
_ENCODER: Final = msgspec.json.Encoder(enc_hook=to_plain)


def to_json(value: Any) -> bytes:
    """The value as compact JSON, without line breaks.

    Raises:
        TypeError: it holds something that JSON has no form for.
    """
    return _ENCODER.encode(value)


def to_msgpack(value: Any) -> bytes:
    """The value as a message of `rxml.wire`; structs, dataclasses and mappings become maps.

    Raises:
        WireError: it holds something that the wire has no form for.
    """
    try:
        return dumps(value)
    except WireError:
        return dumps(_unfolded(value))


def _unfolded(value: Any) -> Any:
    """Records as maps, all the way down; what the wire knows is left as it is."""
    if isinstance(value, _LEAVES):
        return cast("Any", value)
    if isinstance(value, msgspec.Struct):
        return {name: _unfolded(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _unfolded(getattr(value, each.name)) for each in fields(value)}
    if is_mapping(value):
        return {key: _unfolded(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_unfolded(part) for part in cast("Iterable[Any]", value)]
    return value if _known(value) else msgspec.to_builtins(value)


def _known(value: Any) -> bool:
    try:
        dumps(value)
    except WireError:
        return False
    return True
