"""The law book: a family a file. Importing this package fills it."""

from __future__ import annotations

from rxml.testing.law import book, chosen
from rxml.testing.laws import bounds, cancel, chunks, conduct, errors, protocol, remains, state

__all__ = [
    "book",
    "bounds",
    "cancel",
    "chosen",
    "chunks",
    "conduct",
    "errors",
    "protocol",
    "remains",
    "state",
]
