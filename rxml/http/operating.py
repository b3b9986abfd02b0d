"""Operating: how an App is run: who may use it, over what, and where it is watched."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import PipelineError
from rxml.http.access import Access
from rxml.http.checks import instance
from rxml.http.readiness import Readiness
from rxml.http.tls import Tls

if TYPE_CHECKING:
    from rxml.http.telemetry import Telemetry

SOCKET: Final = 100
"""Bytes that the path of a Unix socket has room for on every system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """Where `/metrics`, `/live`, `/ready` and `/drain` are answered: never on the public port.

    Attributes:
        port: to listen on, 0 for any free one; None: none.
        host: address to bind; loopback unless told otherwise. Beyond loopback `/drain` wants a key.
        path: of a Unix socket, which only this user can open; instead of a port.
        linger: seconds, once the end has been asked for, in which `/ready` says 503 while clients are still taken: time for
            whoever balances the load to look elsewhere.

    Raises:
        PipelineError: neither a port nor a path, or both, or one that is none.
    """

    port: int | None = None
    host: str = "127.0.0.1"
    path: str | None = None
    linger: float = 0.0

    def __post_init__(self) -> None:
        """Find out early what would fail late."""
        if (self.port is None) == (self.path is None):
            raise PipelineError("admin wants a port or the path of a Unix socket")
        if self.port is not None and (
            self.port.__class__ is not int or not 0 <= self.port <= 65535
        ):
            raise PipelineError(f"admin wants a port from 0 to 65535, got {self.port!r}")
        if self.path is not None and len(self.path.encode()) > SOCKET:
            raise PipelineError(
                f"a Unix socket has room for {SOCKET} bytes of path, got {self.path!r}"
            )
        if isinstance(self.linger, bool) or not 0 <= self.linger < float("inf"):
            raise PipelineError(f"admin wants seconds >= 0 to linger, got {self.linger!r}")

    @classmethod
    def of(cls, given: Any) -> Admin | None:
        """An Admin from what a user gives: an `Admin`, a port, the path of a socket, or None.

        Raises:
            PipelineError: it is none of these.
        """
        if given is None or isinstance(given, Admin):
            return given
        if isinstance(given, str | Path):
            return cls(path=str(given))
        return cls(port=given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """What `App` was told of it.

    Attributes:
        access: who may do what.
        tls: None: in the clear.
        admin: None: nowhere.
        telemetry: where traces go; None: nowhere.
        readiness: the checks of the app.
    """

    access: Access = field(default_factory=Access)
    tls: Tls | None = None
    admin: Admin | None = None
    telemetry: Telemetry | None = None
    readiness: Readiness = field(default_factory=Readiness)

    @classmethod
    def of(cls, *, tls: Any, admin: Any, telemetry: Any, **access: Any) -> Operating:
        """From the arguments of `App`.

        Raises:
            PipelineError: one of them is wrong.
        """
        if tls is not None:
            instance("tls", tls, Tls)
        return cls(access=Access(**access), tls=tls, admin=Admin.of(admin), telemetry=telemetry)
