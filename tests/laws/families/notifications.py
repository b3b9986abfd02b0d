"""Law cases of `rxml.operators.notifications`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import compose
from rxml import operators as ops
from rxml.flow.notification import Notification, OnCompleted, OnError, OnNext
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDED: Notification[int] = OnCompleted()
FAILED: Notification[int] = OnError(ValueError("an element"))


def done(notifications: list[Notification[Any]]) -> Iterator[Any]:
    for each in notifications:
        if isinstance(each, OnError):
            raise each.exception
        if isinstance(each, OnCompleted):
            return
        yield each.value


def told(notification: Notification[Any]) -> tuple[str, Any]:
    """What a notification says, in values that can be compared."""
    if isinstance(notification, OnError):
        return notification.kind, notification.exception
    return notification.kind, notification.value if notification.has_value else None


CASES = {
    "materialize": Case(
        lambda: compose(ops.materialize(), ops.map(told)),
        lambda xs: [*(("N", x) for x in xs), ("C", None)],
        options={"handles_errors": True},
    ),
    "dematerialize": Case(
        ops.dematerialize,
        done,
        st.one_of(
            st.integers().map(OnNext),
            st.integers().map(OnNext),
            st.just(ENDED),
            st.just(FAILED),
        ),
    ),
}
