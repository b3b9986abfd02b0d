"""Message: what comes over a WebSocket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What came: text or binary."""

    data: bytes
    text: bool
