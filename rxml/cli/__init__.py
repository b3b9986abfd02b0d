"""The command line: `rxml demo | serve | tail | draw`."""

from __future__ import annotations

from rxml.cli.main import main

__all__ = ["main"]
