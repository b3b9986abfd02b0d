"""Stores: where runs keep their checkpoints, and tables whose rows are committed with them."""

from __future__ import annotations

from rxml.flow.checkpointing.checkpoint import Checkpoint
from rxml.stores.directory import DirectoryStore
from rxml.stores.packing import register_tuple
from rxml.stores.postgres import PostgresStore
from rxml.stores.sqlite import SqliteStore

__all__ = ["Checkpoint", "DirectoryStore", "PostgresStore", "SqliteStore", "register_tuple"]
