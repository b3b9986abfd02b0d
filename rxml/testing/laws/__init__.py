"""The law book: a family a file; importing this package fills `rxml.testing.law.LAWS`, in the order of trial."""

from __future__ import annotations

from rxml.testing.laws import bounds, cancel, chunks, errors, protocol, state

__all__ = ["bounds", "cancel", "chunks", "errors", "protocol", "state"]
