"""Which extension code stands for which type, and who writes and reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.wire.reader import Reader, ReadExtension
    from rxml.wire.writer import WriteExtension, Writer

T = TypeVar("T")

FIRST_FREE: Final = 16
LAST: Final = 127


@dataclass(frozen=True, slots=True)
class Extension:
    """One row of the table of codes.

    Attributes:
        code: on the wire, -128 to 127.
        name: for error messages.
        write: writes the whole extension value, header included.
        read: reads the payload from the reader's position up to its end; the depth is that of the payload.
    """

    code: int
    name: str
    write: WriteExtension
    read: ReadExtension


BY_TYPE: Final[dict[type, Extension]] = {}
BY_CODE: Final[dict[int, Extension]] = {}
READ: Final[dict[int, tuple[str, ReadExtension]]] = {}
read_of: Final = READ.get  # by code, the name of the type and what reads its payload


def install(extension: Extension, *types: type) -> None:
    """Add a row to the table; for the types of this room itself.

    Raises:
        ValueError: the code or one of the types is taken.
    """
    taken = BY_CODE.get(extension.code)
    if taken is not None:
        raise ValueError(
            f"extension code {extension.code} is taken by {taken.name}: choose another"
        )
    for each in types:
        if each in BY_TYPE:
            other = BY_TYPE[each].code
            raise ValueError(
                f"{each.__name__} has the extension code {other} already: register it once"
            )
    BY_CODE[extension.code] = extension
    READ[extension.code] = (extension.name, extension.read)
    BY_TYPE.update(dict.fromkeys(types, extension))


def write_of(type_: type) -> WriteExtension | None:
    """What writes values of that very type, if they are extension values."""
    extension = BY_TYPE.get(type_)
    return None if extension is None else extension.write


def register_extension(
    code: int, type_: type[T], encode: Callable[[T], object], decode: Callable[[Any], T]
) -> None:
    """Teach the wire one more type: its values travel as `encode` gives them, under a code.

    Both ends must register the same codes. Only the type itself is meant, not its subclasses.

    Args:
        code: 16 to 63 for rxml's own types, 64 to 127 for those of users.
        type_: the type of the values.
        encode: gives a value made of what the wire knows, arrays among them.
        decode: gets such a value, from whoever sends messages: it must check it. A ValueError, TypeError,
            LookupError, ArithmeticError, AttributeError or RxmlError that it raises becomes a WireError.

    Raises:
        ValueError: the code is not in 16..127, or the code or the type is taken.
    """
    if not FIRST_FREE <= code <= LAST:
        raise ValueError(f"extension code {code}: it must be {FIRST_FREE} to {LAST}")

    def write(writer: Writer, value: Any) -> None:
        start = writer.open()
        writer.value(encode(value))
        writer.close(start, code)

    def read(reader: Reader, depth: int) -> object:
        return decode(reader.value(depth))

    install(Extension(code, type_.__name__, write, read), type_)
