"""Sayings: what a trainer's process writes, in lines, however much that is."""

from __future__ import annotations

import logging
from collections import deque
from typing import Final

_LOG: Final = logging.getLogger("rxml.learning")
_LINE: Final = 1000
_LONGEST: Final = 1 << 14
_LAST_LINES: Final = 100
_FATAL: Final = "Fatal Python error"


class Sayings:
    """Logs lines, and remembers the last of them. Of a flood only the last lines are looked at, the others are counted.

    Args:
        trainer: that says it.
    """

    def __init__(self, trainer: str) -> None:
        self._trainer = trainer
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._rest = b""

    def take(self, data: bytes) -> None:
        """It has written this; b"" is its end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST or not data:
            lines.append(self._rest)
            self._rest = b""
        skipped = len(lines) - _LAST_LINES
        if skipped > 0:
            _LOG.info("%s: %d lines that are not shown", self._trainer, skipped)
        for line in lines[-_LAST_LINES:]:
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        text = line[: 4 * _LINE].decode(errors="replace").rstrip()[:_LINE]
        if text:
            self._lines.append(text)
            _LOG.info("%s: %s", self._trainer, text)

    def worth_repeating(self) -> list[str]:
        """Why Python itself has died, else the last line; nothing if it has said nothing."""
        lines = list(self._lines)
        return [line for line in lines if line.startswith(_FATAL)][-1:] or lines[-1:]
