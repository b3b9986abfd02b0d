"""Lane: how one path answers small requests that are all here, and what it answers; see `rxml.http.express`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Reply(NamedTuple):
    """An answer.

    Attributes:
        status: of HTTP.
        body: of it.
        headers: beside those of every answer.
        shed: why it is a refusal, in a word; see `Refusal`.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    shed: str | None = None


class Lane(Protocol):
    """Answers the requests to one path."""

    @property
    def path(self) -> str:
        """Of the URL."""
        ...

    def takes(self, headers: Mapping[str, str], size: int) -> bool:
        """Whether a body of so many bytes with these headers may go this way."""
        ...

    def read(self, headers: Mapping[str, str]) -> Any:
        """What it needs of a head; the same for each request with that head."""
        ...

    def refuses(self, terms: Any) -> Reply | None:
        """The answer to a request of which nothing more than its head need be known."""
        ...

    def take(
        self,
        terms: Any,
        body: bytes,
        done: Callable[[Reply], None],
        gone: Callable[[], bool],
    ) -> None:
        """Answer a request; `done` is told the reply, once, perhaps before this returns.

        Args:
            terms: that `read` has found.
            body: of the request.
            done: told the reply.
            gone: whether nobody waits for it any more.
        """
        ...
