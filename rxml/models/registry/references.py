"""References: `price`, `price:3`, `price@champion`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from rxml.errors import RegistryError

if TYPE_CHECKING:
    from typing import Self

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_FORMS: Final = "a reference is name, name:version or name@alias"


@dataclass(frozen=True, slots=True)
class Reference:
    """Which version is meant.

    Attributes:
        name: of the model.
        version: of that name; "" if none was said.
        alias: of that name; "" if none was said. With neither the newest version is meant.
    """

    name: str
    version: str = ""
    alias: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """The reference that a text is.

        Raises:
            RegistryError: it is none.
        """
        if "@" in text:
            name, _, alias = text.partition("@")
            return cls(require_name(name), "", require_name(alias, "an alias"))
        name, colon, version = text.partition(":")
        return cls(require_name(name), require_version(version) if colon else "")

    @override
    def __str__(self) -> str:
        if self.alias:
            return f"{self.name}@{self.alias}"
        return f"{self.name}:{self.version}" if self.version else self.name


def require_name(text: object, what: str = "a name") -> str:
    """The text, if it may be a name.

    Raises:
        RegistryError: it may not.
    """
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise RegistryError(
            f"{what} has 1 to 128 letters, digits, '.', '_' and '-', the first a letter or digit, got {text!r}; {_FORMS}"
        )
    return text


def require_version(text: object) -> str:
    """The text, if it may be a version; a whole number is taken as one.

    Raises:
        RegistryError: it may not.
    """
    text = str(text) if isinstance(text, int) and not isinstance(text, bool) else text
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise RegistryError(f"a version is a whole number >= 1, got {text!r}; {_FORMS}")
    return text
