"""From the bytes of a message to values, refusing whatever does not add up.

msgpack's own unpacker is not used for this: it has no limit of depth or of total items, keeps the last of two
equal keys, copies extension payloads, and cannot say at which byte it failed. Here a length is believed
only when the bytes left can hold it, nothing is allocated ahead of what has been read, and extension
payloads are taken where they lie, so an array costs the same whatever its size.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import RxmlError, WireError
from rxml.wire.tokens import MAP_COUNTS, READ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rxml.wire.limits import Limits

    ReadExtension = Callable[["Reader", int], object]
    FindExtension = Callable[[int], tuple[str, ReadExtension] | None]

_REFUSED: Final = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RxmlError)
_FLOAT64: Final = 0xCB
_FLOAT_RUN: Final = np.dtype([("head", "u1"), ("value", ">f8")])
_SHORTEST_RUN: Final = 8
_LONGEST_UNPACKED: Final = 64  # beyond that numpy is as quick


class Reader:
    """Reads one value after the other from a message, between `position` and `end`."""

    __slots__ = ("_containers", "_items", "_read_of", "data", "end", "limits", "position")

    def __init__(self, data: bytes, limits: Limits, read_of: FindExtension) -> None:
        """Begin at the first byte, given the name and reader of each extension code that is known.

        Raises:
            WireError: the message is longer than the limit.
        """
        if len(data) > limits.max_bytes:
            text = f"a message of {len(data)} bytes, the limit is {limits.max_bytes}"
            raise WireError(text, limits.max_bytes)
        self.data: bytes = data
        self.position: int = 0
        self.end: int = len(data)
        self.limits: Limits = limits
        self._read_of = read_of
        self._items = 0
        self._containers = 0

    def whole(self) -> Any:
        """The one value that the bytes up to the end hold.

        Raises:
            WireError: naming the first byte that could not be taken.
        """
        return self._last(0)

    def behind(self, position: int, values: int) -> Any:
        """As `whole`, of a message of which a map was begun, with so many values, of which this is the last.

        Raises:
            WireError: see `whole`.
        """
        self._enter(values, values // 2, 0, 0)
        self.position = position
        return self._last(1)

    def _last(self, depth: int) -> Any:
        value = self.value(depth)
        if self.position != self.end:
            raise WireError(f"{self.end - self.position} bytes after the value", self.position)
        return value

    def value(self, depth: int) -> Any:
        """The next value, which lies in `depth` containers.

        Raises:
            WireError: naming the first byte that could not be taken.
        """
        at = self.position
        if at >= self.end:
            raise WireError("the message ends where a value should begin", at)
        head = self.data[at]
        self.position = at + 1
        if head < 0x80:
            return head
        if 0xA0 <= head < 0xC0 and (text := self._short(at, at + head - 0x9F)) is not None:
            return text
        return READ[head](self, head, at, depth)

    def _short(self, at: int, stop: int) -> str | None:
        """A short string, as most keys are; None if it must be looked at more closely."""
        if stop > self.end or stop - at > self.limits.max_str:
            return None
        raw = self.data[at + 1 : stop]
        if not raw.isascii():
            return None
        self.position = stop
        return raw.decode()

    def take(self, length: int, at: int) -> int:
        """Step over that many bytes and give the position of the first.

        Raises:
            WireError: there are fewer; at the byte given.
        """
        start = self.position
        if length > self.end - start:
            raise self._too_short(length, at)
        self.position = start + length
        return start

    def _too_short(self, length: int, at: int) -> WireError:
        left = self.end - self.position
        return WireError(f"{length} bytes are announced, {left} are left", at)

    def number(self, form: struct.Struct, at: int) -> Any:
        """A number of that form."""
        start = self.position
        if form.size > self.end - start:
            raise self._too_short(form.size, at)
        self.position = start + form.size
        return form.unpack_from(self.data, start)[0]

    def text(self, length: int, at: int) -> str:
        """A string of that many bytes."""
        start = self.position
        stop = start + length
        if length > self.limits.max_str or stop > self.end:
            self._limit(length, self.limits.max_str, "bytes of a string", at)
            raise self._too_short(length, at)
        self.position = stop
        try:
            return self.data[start:stop].decode()
        except UnicodeDecodeError as error:
            raise WireError(
                f"a string that is not UTF-8: {error.reason}", start + error.start
            ) from None

    def binary(self, length: int, at: int) -> bytes:
        """That many bytes, copied."""
        self._limit(length, self.limits.max_bin, "bytes of a binary value", at)
        start = self.take(length, at)
        return self.data[start : start + length]

    def array(self, count: int, at: int, depth: int) -> list[Any]:
        """That many values."""
        self._enter(count, count, at, depth)
        if count >= _SHORTEST_RUN and self._is_float_run(count):
            return self._float_run(count)
        value, within = self.value, depth + 1
        return [value(within) for _ in range(count)]

    def _is_float_run(self, count: int) -> bool:
        stop = self.position + count * _FLOAT_RUN.itemsize
        if self.data[self.position] != _FLOAT64 or stop > self.end:
            return False
        return self.data[self.position : stop : _FLOAT_RUN.itemsize].count(_FLOAT64) == count

    def _float_run(self, count: int) -> list[Any]:
        at = self.position
        self.position = at + count * _FLOAT_RUN.itemsize
        if count <= _LONGEST_UNPACKED:
            return list(_floats(count).unpack_from(self.data, at))
        values: list[Any] = np.frombuffer(self.data, _FLOAT_RUN, count, at)["value"].tolist()
        return values

    def map(self, count: int, at: int, depth: int) -> dict[Any, Any]:
        """That many pairs of key and value."""
        self._enter(2 * count, count, at, depth)
        pairs: dict[Any, Any] = {}
        unsalted = 0
        value, within = self.value, depth + 1
        for _ in range(count):
            start = self.position
            key = value(within)
            if type(key) is not str:
                key = _as_key(key)
                unsalted += type(key) is not bytes
                self._limit(unsalted, self.limits.max_unsalted_keys, "keys without text", start)
            if _is_key_of(key, pairs, start):
                raise WireError(f"a second value for the key {_shown(key)}", start)
            pairs[key] = value(within)
        return pairs

    def columns(self, depth: int) -> Iterator[tuple[str, int, Any]]:
        """The pairs of a map whose keys are distinct strings, each with where the value begins."""
        at = self.position
        names: set[str] = set()
        within = depth + 1
        for _ in range(self._columns_count(at, depth)):
            name_at = self.position
            name = self.value(within)
            if type(name) is not str or name in names:
                raise WireError("a column's name must be a string, and the only one such", name_at)
            names.add(name)
            start = self.position
            yield name, start, self.value(within)

    def _columns_count(self, at: int, depth: int) -> int:
        head = self.data[at] if at < self.end else 0
        self.position += 1
        if head & 0xF0 == 0x80:
            count = head & 0x0F
        elif head in MAP_COUNTS:
            count = self.number(MAP_COUNTS[head], at)
        else:
            raise WireError("a batch must be a map of columns", at)
        self._enter(2 * count, count, at, depth)
        return count

    def count(self, items: int, at: int) -> None:
        """Take note of values beside those in plain containers.

        Raises:
            WireError: there are more than the limit in all.
        """
        self._items += items
        self._limit(self._items, self.limits.max_items, "values in a message", at)

    def _enter(self, values: int, count: int, at: int, depth: int) -> None:
        limits = self.limits
        if values > self.end - self.position:
            text = f"{count} elements are announced, {self.end - self.position} bytes are left"
            raise WireError(text, at)
        if depth >= limits.max_depth:
            self._limit(depth + 1, limits.max_depth, "levels of containers", at)
        self._containers += 1
        if self._containers > limits.max_containers:
            self._limit(self._containers, limits.max_containers, "containers", at)
        self._items += values
        if self._items > limits.max_items:
            self._limit(self._items, limits.max_items, "values in a message", at)

    @staticmethod
    def _limit(size: int, limit: int, what: str, at: int) -> None:
        if size > limit:
            raise WireError(f"{size} {what}, the limit is {limit}", at)

    def extension(self, length: int, at: int, depth: int) -> Any:
        """An extension value whose type byte is next, with that many bytes of payload."""
        limits, start = self.limits, self.position + 1
        if length > limits.max_ext or depth >= limits.max_depth:
            self._limit(length, limits.max_ext, "bytes of an extension", at)
            self._limit(depth + 1, limits.max_depth, "levels of containers", at)
        if length > self.end - start:
            raise self._too_short(length + 1, at)
        code = self.data[start - 1]
        known = self._read_of(code - ((code & 0x80) << 1))
        if known is None:
            raise WireError(f"an extension of the unknown type {code - ((code & 0x80) << 1)}", at)
        outer, stop = self.end, start + length
        self.position, self.end = start, stop
        try:
            value = known[1](self, depth + 1)
        except _REFUSED as error:
            if isinstance(error, WireError) and error.position is not None:
                raise
            raise WireError(f"no {known[0]}: {error}", start) from error
        if self.position != stop:
            raise WireError(f"{stop - self.position} bytes after the {known[0]}", self.position)
        self.end = outer
        return value


@lru_cache(maxsize=_LONGEST_UNPACKED)
def _floats(count: int) -> struct.Struct:
    return struct.Struct(">" + "xd" * count)


def _is_key_of(key: Any, pairs: dict[Any, Any], at: int) -> bool:
    try:
        return key in pairs
    except _REFUSED:  # not hashable, or not comparable: two units of time may be so far apart
        raise WireError(f"a {type(key).__name__} cannot be the key of a map", at) from None


def _shown(key: Any) -> str:
    try:
        return repr(str(key)[:40])
    except _REFUSED:
        return f"of type {type(key).__name__}"


def _as_key(value: Any) -> Any:
    # a tuple travels as an array; only as a key can it be told that it was one
    if type(value) is list:
        return _as_tuple(value)  # pyright: ignore[reportUnknownArgumentType]
    return value


def _as_tuple(values: list[Any]) -> tuple[Any, ...]:
    return tuple(map(_as_key, values))
