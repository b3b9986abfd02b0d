"""The report of a broken law: the law, what was seen, the input, and the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.testing.marbles import LEGEND, marble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.testing.law import Law
    from rxml.testing.plan import Plan
    from rxml.testing.timeline import Timeline


def report(law: Law, operator: str, reason: str, stories: Sequence[tuple[Plan, Timeline]]) -> str:
    """The text that a developer reads.

    Args:
        law: the law that is broken.
        operator: the name of the operator that broke it.
        reason: what was seen.
        stories: the runs that show it, with their timelines.
    """
    parts = [f"{operator} breaks law {law.number} ({law.name})\n{law.sentence}", reason]
    for number, (plan, timeline) in enumerate(stories, start=1):
        title = f"--- run {number} of {len(stories)} ---\n" if len(stories) > 1 else ""
        parts.append(f"{title}{plan}\n\n{marble(timeline)}")
    if stories:
        parts.append(f"({LEGEND})")
    return "\n\n".join(parts)
