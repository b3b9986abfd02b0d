"""What the server logs, as lines in the terminal of the one who started it."""

from __future__ import annotations

import logging
import sys

from typing_extensions import override

from rxml.cli.plain import plain_lines


class _Terminal(logging.Handler):
    """Prints messages, without anything that the terminal would obey."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        text = plain_lines(self.format(record))
        if text.startswith("draining"):
            text += "; Ctrl-C again cuts"
        print(text, file=sys.stderr, flush=True)


def log_to_terminal() -> None:
    """Print what rxml has to say from warnings on; whoever has set up logging keeps what they have."""
    logger = logging.getLogger("rxml")
    if not logger.hasHandlers():
        logger.addHandler(_Terminal())
