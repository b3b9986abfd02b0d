"""Checks of what the user of a store says."""

from __future__ import annotations

import re
from typing import Final

from rxml.errors import PipelineError

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def require_keep(what: str, keep: object) -> None:
    """Raises a ValueError if this is no number of checkpoints."""
    if type(keep) is not int or keep < 1:
        raise ValueError(f"{what}(keep=) wants an int >= 1, got {keep!r}")


def require_table(what: str, table: object, longest: int) -> None:
    """Raises a PipelineError if this is no name of a table, of at most so many letters."""
    if not isinstance(table, str) or _NAME.fullmatch(table) is None:
        raise PipelineError(
            f"{what}(table) wants a word of letters, digits and underscores that begins with a letter, got {table!r}"
        )
    if len(table) > longest:
        raise PipelineError(
            f"{what}(table) wants at most {longest} letters, got {len(table)}: {table!r}"
        )
    if table.lower().startswith("sqlite_"):
        raise PipelineError(
            f"{what}(table): SQLite keeps names that begin with sqlite_ for itself, got {table!r}: take another"
        )
