"""The command line: `rxml demo | serve | tail | draw`, also as `python -m rxml`. It begins in `main`."""

from __future__ import annotations
