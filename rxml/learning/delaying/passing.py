"""Passing: kernels that hear labels and may let them go on, to others that hear them too."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import PipelineError, SchemaError
from rxml.eventtime.event_time import event_time_of
from rxml.eventtime.keyed.keyed_kernel import Where
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.check import require_function
from rxml.flow.kinds import fold, placed
from rxml.flow.node import Cardinality
from rxml.flow.placing import reading
from rxml.learning.hearing import Hearing
from rxml.learning.label import Label, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.learning.delaying.waiting import Waiting


class Passing(Hearing):
    """A `Hearing` that keeps something of each element until its label comes, and may give labels back when it has heard them.

    Args:
        where: the key of an element, and its time if labels expire.
        waiting: what is kept; this run's own.
        passing: whether labels go on.
    """

    def __init__(self, where: Where, waiting: Waiting, *, passing: bool) -> None:
        super().__init__(where)
        self._waiting = waiting
        self._passing = passing

    @override
    def runs(self, items: Sequence[Any]) -> Sequence[slice]:
        """Labels that will never be known apart from others, so that all are heard in their order."""
        if isinstance(items, Batch):
            return super().runs(items)
        runs: list[slice] = []
        for _, run in groupby(items, _sort):
            start = runs[-1].stop if runs else 0
            runs.append(slice(start, start + sum(1 for _ in run)))
        return runs

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[Any]:
        results = super().push_all(items)
        if not self._passing or not len(self.left_out):
            return results
        self.left_out: Sequence[int] = ()
        return items

    @override
    def advance(self, watermark: int) -> Sequence[Any]:
        self._waiting.advance(watermark)
        try:
            slots = self._roster.advance(watermark)
        finally:
            self.count()
        gone = slots.tolist()
        self._waiting.forget(gone)
        self.give_up(gone)
        return ()

    def give_up(self, slots: Sequence[int]) -> None:
        """Time has run out for the keys that have these slots: let go of what is kept of them."""


def key_and_time(
    name: str, by: Column | None, *, timed: bool, labels: object, passing: bool
) -> Callable[[Flowable[Any]], Where]:
    """Where elements of a flow have their key, and their time if that is asked for.

    Args:
        name: of the operator.
        by: the key; None: that of `key_by`.
        timed: whether their time is asked for.
        labels: a flow beside, or None.
        passing: whether labels are to go on.

    Raises:
        TypeError: `by` is neither a column nor a function.
        PipelineError: labels that come from beside cannot go on.
    """
    if by is not None and not isinstance(by, str):
        require_function(f"{name}(by)", by, "gives the key of an element")
    _require_among(name, labels, passing=passing)

    def where(source: Flowable[Any]) -> Where:
        keying = keying_of(source) if by is None else Keying(by, None, None, None)
        asked = timed or (keying is not None and keying.ttl is not None)
        return Where(keying, event_time_of(name, source) if asked else None)

    return where


def one_for_each(
    name: str, kernel: Callable[[Flowable[Any]], Callable[[], Passing]]
) -> Operator[Any, Any]:
    """An operator that gives a result for each element, and lets labels among them pass.

    Args:
        name: shown in graphs, statistics and errors.
        kernel: from the flow that the operator stands behind to what makes the state of one run; it passes labels on.
    """

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        made = fold(name, kernel(source), cardinality=Cardinality.ONE, aligned=False)
        return reading(made, Keying)

    return placed(name, behind)


def _require_among(name: str, labels: object, *, passing: bool) -> None:
    if passing and labels is not None:
        raise PipelineError(
            f"{name}(pass_labels=True) passes on labels that are among the elements; a flow of labels beside them can be "
            "given to the next operator, too"
        )


def require_rows(items: Sequence[Any]) -> None:
    """Refuse elements that no column can be put beside, before anything is learned of them.

    Raises:
        SchemaError: one is no mapping.
    """
    for row, item in enumerate(() if isinstance(items, Batch) else items):
        if not isinstance(item, Mapping):
            kind = type(item).__name__
            raise SchemaError(
                f"element {row} is a {kind}: columns are put beside those of mappings"
            )


def _sort(item: object) -> int:
    return 0 if type(item) is not Label else 2 if missing(item) else 1
