"""Message: what comes over a WebSocket."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """What came: text or binary."""

    data: bytes
    text: bool
