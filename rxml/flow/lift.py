"""Lift: how `pipe` applies what it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable


def applied(flow: Flowable[Any], operator: Any) -> Flowable[Any]:
    """The flow with the operator behind it."""
    return operator(flow)
