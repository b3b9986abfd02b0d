"""Tls: the certificate of a server, and whose it wants to see."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rxml.errors import PipelineError

if TYPE_CHECKING:
    from os import PathLike


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS 1.2 and above. Answers then carry `Strict-Transport-Security`.

    Attributes:
        cert: file of the certificate, with those between it and its root; PEM.
        key: file of its private key, PEM; None: it stands in `cert`, too.
        client_ca: file of the roots by which clients must be known (mTLS); None: anybody may connect.
        minimum: the oldest version that is spoken.

    Raises:
        PipelineError: a file is not there, or the version is older than 1.2.
    """

    cert: str | PathLike[str]
    key: str | PathLike[str] | None = None
    client_ca: str | PathLike[str] | None = None
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2

    def __post_init__(self) -> None:
        """Find out early what would fail late."""
        for name in ("cert", "key", "client_ca"):
            path = getattr(self, name)
            if path is not None and not Path(path).is_file():
                raise PipelineError(f"tls: there is no file {str(path)!r} for {name}")
        if self.minimum < ssl.TLSVersion.TLSv1_2:
            raise PipelineError(f"tls: at least TLS 1.2 is wanted, got {self.minimum.name}")

    def context(self) -> ssl.SSLContext:
        """Read the files. Blocks.

        Raises:
            PipelineError: they are no certificate and key that belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = self.minimum
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        try:
            context.load_cert_chain(self.cert, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except ssl.SSLError as error:
            raise PipelineError(f"tls: {self.cert} and its key cannot be used: {error}") from error
        return context
