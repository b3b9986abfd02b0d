"""The Protocols that rooms share; no logic. Those of a running stream are in `rxml.flow.subscription`."""

from __future__ import annotations

from typing import Any, Protocol


class SupportsNext(Protocol):
    """An observer by duck typing, as reactivex takes them."""

    def on_next(self, value: Any, /) -> None:
        """Take one element."""
        ...

    def on_error(self, error: Exception, /) -> None:
        """Take the failure that ended the stream."""
        ...

    def on_completed(self) -> None:
        """Take note that the stream ended."""
        ...
