"""Verdict: what the supervisor says about an element that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.supervision import DeadLetter, Directive, noted

if TYPE_CHECKING:
    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node


def verdict(
    env: Env, node: Node, error: Exception, item: Any, context: Context | None
) -> Exception | None:
    """None if the element is left out, and was buried; else the error that the stream fails with.

    That is the error itself as `noted` has it, or what the supervisor's own functions raised. In any case the element has
    ended, and its context is settled.
    """
    env.meter(node).failed += 1
    error = noted(error, env.where(node))
    letter = DeadLetter(item, error, node.spec.name, context)
    directive, error = env.supervisor.handle(error, [letter])
    return None if directive is not Directive.STOP else noted(error, env.where(node))
