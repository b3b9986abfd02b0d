"""Failing: errors that are signalled, not raised, on their way to where they are raised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rxml.errors import BufferOverflowError, StreamClosedError

if TYPE_CHECKING:
    from types import CodeType


_FLOW_INSIDE: Final = re.compile(r"'\w*Flowable' object is not iterable$")
"""What becomes of a flow that a function has given to an operator of reactivex: it is no `Observable` by class."""


def raisable(error: object) -> Exception:
    """The error itself, unless reactivex signals what cannot be raised as one: the cancellation of a future."""
    if isinstance(error, TypeError) and _FLOW_INSIDE.search(str(error)):
        error.args = (
            f"{error}: where an operator of reactivex wants an Observable, give it flow.to_rx()",
        )
    if isinstance(error, Exception):
        return error
    if not isinstance(error, BaseException):
        return StreamClosedError(f"an operator has failed with {error!r}, which is no exception")
    failure = StreamClosedError("a future that an operator waited for was cancelled")
    failure.__cause__ = error
    return failure


def flood(burst: int) -> BufferOverflowError:
    """The failure of an operator whose results do not fit."""
    return BufferOverflowError(
        f"more than {burst} results came at once, of an operator that cannot be slowed down; let it make fewer at a time, "
        "or use rxml.rx.lift with a larger burst"
    )


def afresh(error: Exception, raiser: CodeType) -> Exception:
    """The error with the traceback that it had before it was raised here for the first time.

    One object may be signalled in run after run (`reactivex.throw(error)` under a retry), and what it has passed on its
    way would pile up in its traceback: frames of runs that are over, and all that they hold.

    Args:
        error: about to be raised.
        raiser: the code that raises it.
    """
    kept = trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is raiser:
            kept = trace.tb_next
        trace = trace.tb_next
    return error.with_traceback(kept)
