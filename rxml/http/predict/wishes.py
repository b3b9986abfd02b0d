"""Wishes: what a client says beside its rows: until when, how urgent, and what it calls its request."""

from __future__ import annotations

import re
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.service import Service
    from rxml.http.predict.forms import Forms

TIMEOUT: Final = "X-Request-Timeout-Ms"
PRIORITY: Final = "X-Request-Priority"
IDENTITY: Final = "X-Request-Id"
LONGEST: Final = 30.0
"""Seconds that a client may have its request wait."""

_IDENTITY: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Wishes(NamedTuple):
    """What a client wants beside an answer.

    Attributes:
        within: seconds in which it wants it; of a stream, for each row.
        priority: larger is more urgent.
        identity: of the request.
    """

    within: float
    priority: int
    identity: str


class Terms(NamedTuple):
    """How the rows of one client are answered.

    Attributes:
        service: answers them.
        forms: checks them.
        wishes: of the client, for each of them.
    """

    service: Service[Any, Any]
    forms: Forms
    wishes: Wishes


class Wishing:
    """Reads wishes from headers.

    Args:
        deadline: seconds in which an answer is wanted where the client says nothing.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._prefix = token_hex(4)
        self._numbers = count()

    def of(self, headers: Mapping[str, str]) -> Wishes:
        """What these say. A name that is no plain word is as none: the request gets one of ours.

        Raises:
            Refusal: 400, a number is none, or out of its range.
        """
        return self.named(self.read(headers))

    def named(self, wishes: Wishes) -> Wishes:
        """The same with a name: a request without one gets one of ours."""
        if wishes.identity:
            return wishes
        return Wishes(wishes.within, wishes.priority, f"{self._prefix}-{next(self._numbers)}")

    def read(self, headers: Mapping[str, str]) -> Wishes:
        """What these say, the same whenever they say it: without a name if they give none.

        Raises:
            Refusal: 400, a number is none, or out of its range.
        """
        within, priority = headers.get(TIMEOUT), headers.get(PRIORITY)
        given = headers.get(IDENTITY)
        return Wishes(
            self._deadline
            if within is None
            else _number(TIMEOUT, within, 1, 1000 * LONGEST) / 1000,
            0 if priority is None else int(_number(PRIORITY, priority, -100, 100)),
            given if given is not None and _IDENTITY.fullmatch(given) else "",
        )


def _number(name: str, given: str, least: float, most: float) -> float:
    try:
        value = float(given)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise Refusal(400, f"{name} is a number from {least:g} to {most:g}, got {given[:40]!r}")
    return value
