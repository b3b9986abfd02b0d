"""Moves of an alias, decided on what it shows when the log is locked: compare, then set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from rxml.errors import AliasMovedError, UnknownModelError
from rxml.models.registry.state import Promoted, RolledBack
from rxml.models.registry.version import Version

if TYPE_CHECKING:
    from rxml.models.registry.references import Reference
    from rxml.models.registry.state import Event, State

Expected: TypeAlias = str | int | Version | None
"""The version that an alias must show; None: there must be no such alias."""

ANYWHERE: Final = "*"
"""Whatever an alias shows."""


class Promotion:
    """An alias is to show a version.

    Args:
        meant: name and version.
        alias: of the name.
        expect: the version that it must show; None: there must be none; `ANYWHERE`.
    """

    def __init__(self, meant: Reference, alias: str, expect: Expected) -> None:
        self._meant = meant
        self._alias = alias
        self._expect = expect

    def __call__(self, state: State) -> Event | None:
        """The fact, or None if it shows that version already."""
        version = state.find(self._meant).version
        current = state.named(self._meant.name).current(self._alias)
        _require(str(replace(self._meant, version="", alias=self._alias)), current, self._expect)
        return None if current == version else Promoted(self._alias, version, current)


class Rollback:
    """An alias is to show what it showed before.

    Args:
        meant: name and alias.
        expect: the version that it must show; `ANYWHERE`.

    Attributes:
        version: that it shows since.
    """

    def __init__(self, meant: Reference, expect: Expected) -> None:
        self._meant = meant
        self._expect = expect
        self.version: str = ""

    def __call__(self, state: State) -> Event:
        """The fact."""
        current = state.find(self._meant).version
        _require(str(self._meant), current, self._expect)
        shown = state.named(self._meant.name).shown[self._meant.alias]
        if len(shown) == 1:
            raise UnknownModelError(
                f"{self._meant} has shown {current} from the first: there is nothing to go back to"
            )
        self.version = shown[-2]
        return RolledBack(self._meant.alias, self.version, current)


def _require(where: str, current: str, expect: Expected) -> None:
    said = expect.version if isinstance(expect, Version) else expect
    wanted = "" if said is None else str(said)
    if wanted not in {ANYWHERE, current}:
        raise AliasMovedError(
            f"{where} shows {current or 'nothing'}, not {wanted or 'nothing'}: somebody has moved it"
        )
