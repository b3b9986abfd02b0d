"""Partitions read as one: a merge by the number that every fact got when it was given to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.facts.picking import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rxml.batch import Batch

SEQUENCE: Final = "sequence"


def in_sequence(parts: Sequence[Iterator[Batch]]) -> Iterator[Batch]:
    """The rows of all parts in the order of their column `sequence`; holds a batch of each.

    Args:
        parts: each gives batches in which the numbers grow, from one to the next too; no number is in two of them.

    Returns:
        Batches that together have all rows, each with what is known to come before all the rest.
    """
    heads = [head for part in parts if (head := _next(part)) is not None]
    while heads:
        bound = min(int(batch.array(SEQUENCE)[-1]) for batch, _ in heads)
        taken: list[Batch] = []
        left: list[tuple[Batch, Iterator[Batch]]] = []
        for batch, part in heads:
            cut = int(np.searchsorted(batch.array(SEQUENCE), bound, "right"))
            if cut:
                taken.append(batch[:cut])
            head = (batch[cut:], part) if cut < len(batch) else _next(part)
            if head is not None:
                left.append(head)
        heads = left
        yield _sorted(taken)


def _next(part: Iterator[Batch]) -> tuple[Batch, Iterator[Batch]] | None:
    batch = next((batch for batch in part if len(batch)), None)
    return None if batch is None else (batch, part)


def _sorted(taken: list[Batch]) -> Batch:
    if len(taken) == 1:
        return taken[0]
    whole = joined(taken)
    return whole.take(np.argsort(whole.array(SEQUENCE), kind="stable"))
