"""The command line: `rxml demo | serve | tail | draw`. It begins in `main`."""

from __future__ import annotations
