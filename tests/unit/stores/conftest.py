"""What tests of stores share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from rxml.facts import FactLog
from rxml.stores import DirectoryStore, PostgresStore, SqliteStore
from tests.unit.stores.postgres import fresh, started

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from rxml.stores.sqlstore import SqlStore


@pytest.fixture(scope="session")
def server() -> Generator[Any]:
    """A PostgreSQL server; it takes less than a second."""
    with started() as running:
        yield running


@pytest.fixture
def dsn(server: Any) -> str:
    """Of a place in PostgreSQL where nothing is yet."""
    return fresh(server)


@pytest.fixture(params=["sqlite", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., SqlStore]:
    """Makes a store in a database, the same one each time."""
    if request.param == "sqlite":
        return partial(SqliteStore, tmp_path / "store.db")
    return partial(PostgresStore, request.getfixturevalue("dsn"))


@pytest.fixture
def store(make: Callable[..., SqlStore]) -> SqlStore:
    """A store in a database."""
    return make()


@pytest.fixture(params=["sqlite", "postgres", "directory"])
def apart(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Any]:
    """Makes a store, with or without sinks, at the same place each time, as other processes may."""
    if request.param == "postgres":
        return partial(PostgresStore, request.getfixturevalue("dsn"))
    kind = {"sqlite": SqliteStore, "directory": DirectoryStore}[request.param]
    return partial(kind, tmp_path / "store")


@pytest.fixture(params=["sqlite", "postgres", "directory", "log"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Callable[[], Any]]:
    """Makes a store, with or without sinks, at the same place each time, in one process."""
    if request.param == "postgres":
        yield partial(PostgresStore, request.getfixturevalue("dsn"))
    elif request.param == "log":
        with FactLog(tmp_path / "facts.db") as log:
            yield log.checkpoints
    else:
        kind = {"sqlite": SqliteStore, "directory": DirectoryStore}[request.param]
        yield partial(kind, tmp_path / "store")
