"""Inquiry: one request and its answer, without a task or a future for each row."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from typing_extensions import override

from rxml.errors import WireError
from rxml.flow.asked import Ticket
from rxml.http.lane import Reply
from rxml.http.post import JSON, MSGPACK
from rxml.http.predict.answers import encoded, refusal_of
from rxml.http.predict.wishes import IDENTITY
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.service import Service
    from rxml.http.predict.forms import Asked
    from rxml.http.predict.wishes import Wishes

logger: Final = logging.getLogger("rxml.http")

B = TypeVar("B")


def refused(refusal: Refusal) -> Reply:
    """The reply that a refusal is."""
    return Reply(
        refusal.status, refusal.body(), {"Content-Type": JSON, **refusal.headers}, refusal.shed
    )


class Inquiry:
    """What one request asks, until all of it is answered.

    Args:
        wishes: of the client.
        longest: seconds of a `Retry-After`.
        msgpack: the answer is; else JSON.
        done: told the reply, once.
        gone: whether the client has left.
    """

    __slots__ = ("_asked", "_done", "_left", "_longest", "_msgpack", "_results", "_wishes", "gone")

    def __init__(
        self,
        wishes: Wishes,
        longest: int,
        done: Callable[[Reply], None],
        gone: Callable[[], bool],
        *,
        msgpack: bool,
    ) -> None:
        self._wishes = wishes
        self._longest = longest
        self._msgpack = msgpack
        self._done = done
        self.gone: Callable[[], bool] = gone

    def begin(self, service: Service[Any, Any], asked: Asked) -> None:
        """Ask for all that is asked."""
        self._asked = asked
        self._left = len(asked.elements)
        self._results: list[Any] = [None] * self._left
        within, priority, identity = self._wishes
        for index, element in enumerate(asked.elements):
            row: _Row[Any] = _Row(service, within, self, index)
            refusal = service.enter(element, row, priority, identity)
            if refusal is not None:
                row.refuse(refusal)

    def told(self, index: int, result: Any) -> None:
        """What became of one element: its answer, or the Refusal that it is."""
        self._results[index] = result
        self._left -= 1
        if not self._left:
            self._done(self._reply())

    def failed(self, index: int, error: Exception) -> None:
        """One element has no answer."""
        self.told(index, refusal_of(error, self._longest))

    def _reply(self) -> Reply:
        results = self._results
        failures = [each for each in results if each.__class__ is Refusal]
        if len(failures) == len(results):
            return refused(failures[0])
        identity = self._wishes.identity
        try:
            body = encoded(self._asked.form, results, identity, msgpack=self._msgpack)
        except (TypeError, WireError, ValueError, OverflowError, RecursionError) as error:
            logger.error("an answer cannot be sent: %s", error)  # noqa: TRY400 - says all there is to say
            return refused(refusal_of(error, self._longest))
        return Reply(
            207 if failures else 200,
            body,
            {"Content-Type": MSGPACK[0] if self._msgpack else JSON, IDENTITY: identity},
        )


class _Row(Ticket[B], Generic[B]):
    """One element of an inquiry."""

    __slots__ = ("_index", "_inquiry", "_over")

    def __init__(
        self, service: Service[Any, B], within: float, inquiry: Inquiry, index: int
    ) -> None:
        super().__init__(service, within)
        self._inquiry = inquiry
        self._index = index
        self._over = False

    @property
    @override
    def gone(self) -> bool:
        return self._over or self._inquiry.gone()

    @override
    def told(self, result: B) -> None:
        self._over = True
        self._inquiry.told(self._index, result)

    @override
    def refused(self, error: Exception) -> None:
        self._over = True
        self._inquiry.failed(self._index, error)
