"""`rxml draw module:flow`."""

from __future__ import annotations

import inspect
from typing import Any, cast

from rxml.cli.failure import CommandError, blamed, kind
from rxml.cli.target import load
from rxml.flow.flowable import Flowable
from rxml.flow.node import Node
from rxml.flow.svg import svg as picture


def draw(target: str, *, svg: bool, budget: bool) -> None:
    """Print the graph of a flow, as Mermaid text or as a picture, and what a run may hold."""
    found = load(target)
    flow: Any = _made(target, found)
    known = cast("Flowable[Any]", flow)
    if not isinstance(flow, Flowable):
        raise CommandError(f"{target} is {kind(known)}, not a Flowable")
    print(picture(known) if svg else known.draw())
    if budget:
        print(f"\n{known.budget()}")


def _made(target: str, found: Any) -> Any:
    if isinstance(found, Node) or not callable(found):
        return found
    try:
        inspect.signature(found).bind()
    except (TypeError, ValueError) as error:
        raise CommandError(
            f"{target} wants arguments; name a flow, or a function that makes one without any"
        ) from error
    with blamed(f"{target} failed"):
        return found()
