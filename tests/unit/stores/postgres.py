"""A real PostgreSQL server, in a directory of its own, reached by a socket."""

from __future__ import annotations

import tempfile
import warnings
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from collections.abc import Generator

_NUMBERS: Final = count(1)


@contextmanager
def started() -> Generator[Any]:
    """A server that is gone, with all that it has, when this ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where a runtime directory is not set
        from pgserver import postgres_server
    with tempfile.TemporaryDirectory(prefix="rxml-pg", ignore_cleanup_errors=True) as folder:
        server = postgres_server.get_server(folder, cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


def fresh(server: Any) -> str:
    """The dsn of a schema with nothing in it."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"{server.get_uri()}&options=-csearch_path%3D{name}"
