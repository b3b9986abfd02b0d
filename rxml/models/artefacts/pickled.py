"""Pickled models: only for one who says which bytes they trust, since unpickling runs whatever the file says."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from rxml.batch.extras import extra_module
from rxml.errors import ArtefactError
from rxml.models.artefacts.digests import digest_of

if TYPE_CHECKING:
    from rxml.models.artefacts.trust import Trust


def load_pickled(data: bytes, trust: Trust) -> Any:
    """What a file of pickle or joblib holds.

    Args:
        data: the very bytes that are unpickled: they are not read again behind the check.
        trust: `trusted`, and the digest of these bytes.

    Raises:
        ArtefactError: no trust was given, or for other bytes; then nothing has run. Or they cannot be unpickled.
        ModuleNotFoundError: joblib is not installed.
    """
    require_trust("pickle and joblib", data, trust)
    library = extra_module("joblib", "sklearn")
    try:
        return library.load(io.BytesIO(data))
    except Exception as error:
        raise ArtefactError(f"the pickle cannot be loaded: {error!r}") from error


def require_trust(what: str, data: bytes, trust: Trust) -> None:
    """See that the caller trusts these bytes.

    Raises:
        ArtefactError: not, or not these.
    """
    found = digest_of(data)
    if not (trust.trusted and trust.digest):
        raise ArtefactError(
            f"{what} can run anything when loaded: if you made it yourself, say trust=True and digest={found!r}"
        )
    if trust.digest != found:
        raise ArtefactError(
            f"the digest is {found}, you trust {trust.digest}: these are other bytes"
        )
