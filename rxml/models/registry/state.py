"""State: what the facts of a registry come to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from rxml.errors import RegistryFormatError, UnknownModelError
from rxml.models.registry.version import Change, Version

if TYPE_CHECKING:
    from collections.abc import Collection

    from rxml.models.registry.references import Reference
    from rxml.models.registry.version import Loader


class Published(msgspec.Struct, frozen=True, tag_field="kind", tag="published"):
    """A version is there."""

    version: str
    digest: str
    size: int
    manifest: msgspec.Raw


class Promoted(msgspec.Struct, frozen=True, tag_field="kind", tag="promoted"):
    """An alias shows a version."""

    alias: str
    version: str
    before: str


class RolledBack(msgspec.Struct, frozen=True, tag_field="kind", tag="rolled_back"):
    """An alias shows again what it showed before."""

    alias: str
    version: str
    before: str


Event: TypeAlias = Published | Promoted | RolledBack


class Line(msgspec.Struct, frozen=True):
    """A fact as `rxml facts export` writes one, so that a log of facts can take it in."""

    id: str
    key: str
    event_time: int
    arrival_time: int
    payload: Event


_DIGITS: Final = 9
"""Of a version at most; of thousands of them Python makes no number."""

_DECODER: Final = msgspec.json.Decoder(Line)
_ENCODER: Final = msgspec.json.Encoder()


def line_of(name: str, event: Event) -> bytes:
    """The line of something that happens now, with its line break."""
    now = time.time_ns()
    return _ENCODER.encode(Line(token_hex(16), name, now, now, event)) + b"\n"


@dataclass(slots=True)
class Named:
    """What there is of one name.

    Attributes:
        versions: oldest first; version "n" is at n - 1.
        shown: for each alias the versions to which a rollback goes, the newest, which it shows, last.
        changes: all that happened, oldest first.
    """

    versions: list[Version] = field(default_factory=list[Version])
    shown: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    changes: list[Change] = field(default_factory=list[Change])

    def current(self, alias: str) -> str:
        """The version that an alias shows; "" if there is no such alias."""
        stack = self.shown.get(alias)
        return stack[-1] if stack else ""

    def has(self, version: str) -> bool:
        """Whether there is that version."""
        return len(version) <= _DIGITS and 1 <= int(version) <= len(self.versions)


class State:
    """The fold of a log. It grows by a line at a time and is never changed otherwise.

    Args:
        loader: of the versions.

    Attributes:
        names: by name, what there is.
        lines: that were folded.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.names: dict[str, Named] = {}
        self.lines: int = 0

    def fold(self, text: bytes) -> None:
        """Take in a line.

        Raises:
            RegistryFormatError: it is damaged, or cannot have happened.
        """
        self.lines += 1
        try:
            line = _DECODER.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._damaged(str(error)) from error
        named = self.names.setdefault(line.key, Named())
        event = line.payload
        if isinstance(event, Published):
            self._publish(named, line, event)
        else:
            self._move(named, line, event)

    def _publish(self, named: Named, line: Line, event: Published) -> None:
        if event.version != str(len(named.versions) + 1):
            raise self._damaged(
                f"{line.key}:{event.version} comes after {len(named.versions)} versions"
            )
        made = Version(
            line.key,
            event.version,
            event.digest,
            event.size,
            line.event_time,
            bytes(event.manifest),
            self._loader,
        )
        named.versions.append(made)
        named.changes.append(Change("published", line.key, event.version, "", "", line.event_time))

    def _move(self, named: Named, line: Line, event: Promoted | RolledBack) -> None:
        where = f"{line.key}@{event.alias}"
        if not event.version.isdecimal() or not named.has(event.version):
            raise self._damaged(f"{where} moves to version {event.version!r}, which is not there")
        if event.before != named.current(event.alias):
            raise self._damaged(f"{where} moves away from {event.before!r}, where it is not")
        kind = "promoted"
        if isinstance(event, Promoted):
            named.shown.setdefault(event.alias, []).append(event.version)
        else:
            kind = "rolled_back"
            if named.shown.get(event.alias, [])[-2:-1] != [event.version]:
                raise self._damaged(
                    f"{where} is rolled back to {event.version!r}, where it was not"
                )
            named.shown[event.alias].pop()
        named.changes.append(
            Change(kind, line.key, event.version, event.alias, event.before, line.event_time)
        )

    def _damaged(self, why: str) -> RegistryFormatError:
        return RegistryFormatError(f"line {self.lines} of the registry's log is damaged: {why}")

    def named(self, name: str) -> Named:
        """What there is of a name.

        Raises:
            UnknownModelError: nothing.
        """
        found = self.names.get(name)
        if found is None:
            raise UnknownModelError(f"no model is named {name!r}: there are {_listed(self.names)}")
        return found

    def find(self, reference: Reference) -> Version:
        """The version that is meant.

        Raises:
            UnknownModelError: there is no such name, version or alias.
        """
        named = self.named(reference.name)
        version = reference.version
        if reference.alias:
            version = named.current(reference.alias)
            if not version:
                there = _listed(named.shown)
                raise UnknownModelError(
                    f"{reference.name!r} has no alias {reference.alias!r}: there are {there}"
                )
        if not version:
            return named.versions[-1]
        if not named.has(version):
            raise UnknownModelError(
                f"{reference.name!r} has no version {version}: there are 1 to {len(named.versions)}"
            )
        return named.versions[int(version) - 1]


def _listed(names: Collection[str]) -> str:
    few = sorted(names)[:20]
    more = ", …" if len(names) > len(few) else ""
    return f"{', '.join(few)}{more}" if few else "none"
