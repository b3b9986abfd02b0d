"""What PostgreSQL refuses, in words that say what would be right.

Codes are those of the manual's appendix A, "PostgreSQL Error Codes". A server that does not let one in sends its code,
but libpq keeps its words only.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rxml.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Generator

_STANDS: Final = "the checkpoint before stands, and the next run goes on from it"
_BY_CODE: Final = {
    "25006": "is read-only: give the address of a primary, not of a standby",
    "3F000": "has no schema to make tables in: name one that is there (options=-csearch_path=NAME), or create it",
    "42501": "does not let this role do that: GRANT it CREATE and USAGE on the schema, or take the role that made the tables",
    "42P07": "has a table or view of that name that is not of this store: give the sink another name, or the store a "
    "schema of its own (options=-csearch_path=NAME)",
    "53100": f"has no room on its disk; {_STANDS}: make room",
}
_BY_WORDS: Final = {
    "password authentication failed": "does not take this user's password: put the right one into the dsn, PGPASSWORD or ~/.pgpass",
    "no password supplied": "wants a password: put it into the dsn, PGPASSWORD or ~/.pgpass",
    'role "': "does not know this role: create it (CREATE ROLE ... LOGIN), or give another user",
    'database "': "has no such database: create it (CREATE DATABASE), or give the name of another",
    "too many": "has no connection left: raise max_connections, or let go of some",
    "starting up": "is starting up: try again in a moment",
}
_AWAY: Final = "cannot be reached: see that the server runs, and that host and port are right"


@contextmanager
def explained(name: str, wait: float, kind: type[Exception]) -> Generator[None]:
    """Turns what psycopg says into errors that say what would be right.

    Args:
        name: of the database, as people know it.
        wait: seconds for which something may be locked.
        kind: `psycopg.Error`.
    """
    try:
        yield
    except kind as error:
        raise CheckpointError(f"{name} {_explanation(error, wait)} ({_words(error)})") from error


def _explanation(error: Exception, wait: float) -> str:
    code: str = getattr(error, "sqlstate", None) or ""
    if code == "55P03":
        return f"was kept locked by another program for {wait:g} seconds"
    if not code or code.startswith(("08", "57P")):
        return f"is gone, or the connection to it is lost; {_STANDS}"
    return _BY_CODE.get(code, f"cannot be used; {_STANDS}")


def unreached(error: Exception) -> str:
    """Why there is no connection, and what would be right."""
    words = _words(error)
    found = [text for part, text in _BY_WORDS.items() if part in words]
    return f"{found[0] if found else _AWAY} ({words})"


def _words(error: Exception) -> str:
    """What it said, in one line."""
    return " ".join(str(error).split())
