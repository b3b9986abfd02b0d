"""Outcome: what became of the elements of one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.http.replies import Refusal, reply

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.http.limits import Limits


class Outcome:
    """Counts elements, and lists the first errors by the index of their element.

    Attributes:
        accepted: elements that were handed over.
        rejected: elements that do not fit.
        seen: elements whose fate is known.
    """

    def __init__(self, limits: Limits) -> None:
        self.accepted: int = 0
        self.rejected: int = 0
        self.seen: int = 0
        self._errors: list[dict[str, Any]] = []
        self._most = limits.errors

    def accept(self, count: int) -> None:
        """The next `count` elements were handed over."""
        self.accepted += count
        self.seen += count

    def reject(self, message: str) -> None:
        """The next element does not fit."""
        if len(self._errors) < self._most:
            self._errors.append({"index": self.seen, "error": message})
        self.rejected += 1
        self.seen += 1

    def details(self) -> dict[str, Any]:
        """The fields of an answer."""
        return {"accepted": self.accepted, "rejected": self.rejected, "errors": self._errors}

    def response(self) -> web.Response:
        """The answer when each element was accepted (202) or rejected (207 if only some, 422 if all)."""
        if not self.rejected:
            return reply(202, self.details())
        return reply(207 if self.accepted else 422, self.details())

    def stopped(self, refusal: Refusal) -> Refusal:
        """The answer when it went only so far: `next` is the index of the first element that was not taken."""
        details = {**refusal.details, **self.details(), "next": self.seen}
        return Refusal(refusal.status, refusal.reason, headers=refusal.headers, details=details)
