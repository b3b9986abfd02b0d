"""`rxml draw module:flow`."""

from __future__ import annotations

from rxml.cli.failure import CommandError
from rxml.cli.target import load
from rxml.flow.flowable import Flowable
from rxml.flow.svg import svg as picture


def draw(target: str, *, svg: bool, budget: bool) -> None:
    """Print the graph of a flow, as Mermaid text or as a picture, and what a run may hold."""
    found = load(target)
    flow = found if isinstance(found, Flowable) or not callable(found) else found()
    if not isinstance(flow, Flowable):
        message = f"{target} is a {type(flow).__name__}, not a Flowable"
        raise CommandError(message)
    print(picture(flow) if svg else flow.draw())
    if budget:
        print(f"\n{flow.budget()}")
