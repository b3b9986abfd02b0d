"""What express needs of the connection that it stands before, and of the server."""

from __future__ import annotations

from typing import Any, Protocol


class Counting(Protocol):
    """What express tells of each request, and asks; see `rxml.http.answering.Answering`."""

    def last(self) -> bool:
        """Whether a connection ends with the answer that it is given now."""
        ...

    def begun(self) -> None:
        """One is being answered."""
        ...

    def refused(self, path: str, status: int, shed: str | None) -> None:
        """One has been, as soon as it came."""
        ...

    def ended(self, path: str, status: int, shed: str | None, seconds: float) -> None:
        """It has been."""
        ...


class Connection(Protocol):
    """What a sieve needs of its connection."""

    transport: Any

    @property
    def waits(self) -> bool:
        """See `Handler.waits`."""
        ...

    def now(self) -> float:
        """See `Handler.now`."""
        ...

    def asks(self) -> float:
        """See `Handler.asks`."""
        ...

    def back(self, *, last: bool) -> None:
        """See `Handler.back`."""
        ...

    def enough(self) -> None:
        """See `Handler.enough`."""
        ...

    def more(self) -> None:
        """See `Handler.more`."""
        ...

    def long_way(self, messages: list[tuple[Any, Any]]) -> None:
        """See `Handler.long_way`."""
        ...
