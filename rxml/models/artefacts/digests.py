"""Digests: what tells any bytes from all others (SHA-256, FIPS 180-4)."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from rxml.errors import ArtefactError

PREFIX: Final = "sha256:"
_FORM: Final = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return PREFIX + sha256(data).hexdigest()


def is_digest(text: str) -> bool:
    """Whether the text is a digest."""
    return _FORM.fullmatch(text) is not None


def require_digest(text: str) -> str:
    """The text, if it is a digest.

    Raises:
        ArtefactError: it is none.
    """
    if not is_digest(text):
        raise ArtefactError(f"a digest is sha256: and 64 hex digits in lower case, got {text!r}")
    return text
