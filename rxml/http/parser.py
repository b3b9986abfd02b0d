"""Which parser of HTTP reads what strangers send."""

from __future__ import annotations

import os
from typing import Final

from aiohttp.http import HttpRequestParser

from rxml.errors import PipelineError

ALLOW: Final = "RXML_ALLOW_PYTHON_PARSER"
"""Set to 1 to serve with the parser in Python, for debugging."""


def require_fast_parser() -> None:
    """Refuse to serve without aiohttp's parser in C: the other one is slow, and has been the more lenient one
    (CVE-2025-69224 and others).

    Raises:
        PipelineError: it is not there.
    """
    if HttpRequestParser.__module__ == "aiohttp._http_parser" or os.environ.get(ALLOW) == "1":
        return
    raise PipelineError(
        "aiohttp runs here without its parser in C: AIOHTTP_NO_EXTENSIONS is set, or its wheel is not that of this "
        f"platform. {ALLOW}=1 serves all the same, for debugging"
    )
