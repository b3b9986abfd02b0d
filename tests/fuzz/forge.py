"""Messages forged part by part: extension values whose heads are well formed and whose contents lie.

Bytes changed at random seldom get past the name of a dtype. Here every choice is one of a few that matter: all units
of time and multipliers, offsets and sizes at the ends of C's int, shapes that claim what no byte stands behind.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import msgpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Choose: TypeAlias = Callable[[int], int]  # one of 0 to n - 1

T = TypeVar("T")

UNITS: Final = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "")
MULTIPLIERS: Final = ("", "1", "0", "7", "60", "1000", "999999999", "00", "01", "4294967296")
EDGES: Final = (0, 1, 2, 3, 4, 8, 12, 16, 64, 2**31 - 1, 2**31 - 8, 2**31, 2**32, 2**63, -1, -8)
LENGTHS: Final = (0, 1, 2, 3, 5, 255, 10**6, 2**31 - 1, 2**31, 2**40)
PLAIN: Final = (
    *((f"{order}{code}{size}", size) for order in "<>" for code in "iu" for size in (1, 2, 4, 8)),
    *((f"{order}f{size}", size) for order in "<>" for size in (2, 4, 8, 16)),
    *((f"<{code}{width}", width * unit) for code, unit in (("U", 4), ("S", 1)) for width in (0, 3)),
    *((f"|{code}{width}", width) for code in "SV" for width in (0, 1, 8)),
    ("|b1", 1),
    ("<c8", 8),
    ("|O", 8),
    ("str", 3),
    ("bytes", 3),
)
NUMBERS: Final = (0, 1, 5, -1, -(2**63), 2**63 - 1, 2**62, 10**15, -(10**12))


def forged(choose: Choose, depth: int = 0) -> bytes:
    """One value, which others may lie in."""
    forms = (_scalar, _array, _texts, _map, _batch, _list, _scalar, _map)
    return forms[choose(len(forms) if depth < 2 else 3)](choose, depth + 1)


def _one(choose: Choose, among: Sequence[T]) -> T:
    return among[choose(len(among))]


def extension(code: int, payload: bytes) -> bytes:
    """An extension value."""
    return struct.pack(">BIb", 0xC9, len(payload), code) + payload


def scalar(name: bytes, data: bytes) -> bytes:
    """A numpy scalar of a dtype's name and bytes."""
    return extension(4, struct.pack("<H", len(name)) + name + data)


def array(name: bytes, shape: Sequence[int], data: bytes) -> bytes:
    """An array of a dtype's name, a shape and bytes."""
    head = struct.pack(f"<BBH{len(shape)}Q", len(shape), 0, len(name), *shape)
    return extension(1, head + name + data)


def _scalar(choose: Choose, _: int) -> bytes:
    name, size = dtype(choose)
    return scalar(name, _data(choose, size))


def _array(choose: Choose, _: int) -> bytes:
    name, size = dtype(choose)
    shape = [_one(choose, LENGTHS) for _ in range(choose(4))]
    count = 1
    for length in shape:
        count *= length
    return array(name, shape, _data(choose, size * count))


def _data(choose: Choose, size: int) -> bytes:
    """Bytes for a value of that size, or fewer where that would be many."""
    wanted = size + (1 - choose(3) if choose(8) == 0 else 0)
    number = struct.pack("<q", _one(choose, NUMBERS))
    return (number * (min(max(wanted, 0), 4096) // 8 + 1))[: max(wanted, 0)]


def dtype(choose: Choose) -> tuple[bytes, int]:
    """The name of a dtype, and the size of its elements."""
    form, size = _form(choose, 0)
    return (form.encode() if isinstance(form, str) else bytes(msgpack.packb(form))), size


def _form(choose: Choose, depth: int) -> tuple[Any, int]:
    sort = choose(6 if depth < 3 else 4)
    if sort < 2:
        return _one(choose, PLAIN)
    if sort < 4:
        unit, multiplier = _one(choose, UNITS), _one(choose, MULTIPLIERS)
        return f"{_one(choose, '<>')}{_one(choose, 'mM')}8" + f"[{multiplier}{unit}]" * bool(
            unit
        ), 8
    if sort == 4 and depth:
        inner, size = _form(choose, depth + 1)
        shape = [_one(choose, LENGTHS) for _ in range(choose(3))]
        return ["array", inner, shape], size * (shape[0] if len(shape) == 1 else 1)
    return _fields(choose, depth)


def _fields(choose: Choose, depth: int) -> tuple[Any, int]:
    fields: list[list[Any]] = []
    end = 0
    for number in range(choose(4)):
        inner, size = _form(choose, depth + 1)
        offset = end if choose(2) else _one(choose, EDGES)
        fields.append([f"f{number}", inner, offset, *[f"t{number}"] * (choose(5) == 0)])
        end = max(0, min(offset + size, 2**40))
    size = _one(choose, EDGES) if choose(3) == 0 else end + choose(2)
    return ["fields", min(size, 2**63), fields], max(0, min(size, 2**20))


def _texts(choose: Choose, _: int) -> bytes:
    shape = [_one(choose, LENGTHS) for _ in range(choose(4))]
    values = [_one(choose, ("a", "x" * 20, None, b"a", 1)) for _ in range(choose(4))]
    head = struct.pack(f"<BB{len(shape)}Q", choose(5), len(shape), *shape)
    return extension(2, head + bytes(msgpack.packb(values)))


def _map(choose: Choose, depth: int) -> bytes:
    """A map whose keys are often alike, or alike but for their units."""
    keys = [forged(choose, depth + 1) for _ in range(2)]
    if choose(4) == 0:
        keys[1] = keys[0]
    if choose(4) == 0:
        keys = [b"\x91" + key for key in keys]
    return b"\x82" + keys[0] + b"\xc0" + keys[1] + b"\xc0"


def _batch(choose: Choose, depth: int) -> bytes:
    columns = [_one(choose, (_array, _texts, _scalar))(choose, depth) for _ in range(choose(3))]
    named = b"".join(bytes(msgpack.packb(f"c{at}")) + each for at, each in enumerate(columns))
    if choose(4) == 0:
        return extension(3, bytes(msgpack.packb(_one(choose, LENGTHS))))
    return extension(3, bytes([0x80 + len(columns)]) + named)


def _list(choose: Choose, depth: int) -> bytes:
    values = [forged(choose, depth) for _ in range(choose(3))]
    return bytes([0x90 + len(values)]) + b"".join(values)
