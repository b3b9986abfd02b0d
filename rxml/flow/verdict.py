"""Verdict: what the supervisor says about an element that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.supervision import DeadLetter, Directive, annotate

if TYPE_CHECKING:
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node


def verdict(
    env: Env, node: Node, error: Exception, item: Any, context: Context | None
) -> Exception | None:
    """None if the element is left out, and was buried; else the error that the stream fails with.

    That is the error itself with a note of where it happened, or what the supervisor's own functions raised. A
    StopIteration becomes the cause of a RuntimeError, since no coroutine can raise one (PEP 479). In any case the
    element has ended, and its context is settled.
    """
    env.meter(node).failed += 1
    error = _raisable(error, node)
    annotate(error, env.where(node))
    letter = DeadLetter(item, error, node.spec.name, context)
    directive, error = env.supervisor.handle(error, [letter])
    if directive is not Directive.STOP:
        return None
    annotate(error, env.where(node))
    return error


def _raisable(error: Exception, node: Node) -> Exception:
    if not isinstance(error, StopIteration | StopAsyncIteration):
        return error
    raised = RuntimeError(f"{node.spec.name}: the function raised {type(error).__name__}")
    raised.__cause__ = error
    return raised
