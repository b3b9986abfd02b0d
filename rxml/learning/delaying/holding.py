"""Holding: kernels that keep what they need of each element until its label comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.eventtime.keying import Keying
from rxml.flow.kinds import fold, placed
from rxml.flow.node import Cardinality
from rxml.flow.placing import reading
from rxml.learning.hearing import Hearing, told
from rxml.learning.label import Label, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.learning.delaying.waiting import Waiting


class Holding(Hearing):
    """A `Hearing` that keeps any values of each element until its label comes, and lets go of what a key had when that is gone.

    Args:
        where: the key of an element, and its time if labels expire.
        waiting: what is kept; this run's own.
    """

    def __init__(self, where: Where, waiting: Waiting) -> None:
        super().__init__(where)
        self._waiting = waiting

    @staticmethod
    @override
    def sort(item: object) -> object:
        """Labels that will never be known stand apart from others, too, so that all are heard in their order."""
        return 0 if type(item) is not Label else 2 if missing(item) else 1

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


def one_for_each(
    name: str, kernel: Callable[[Flowable[Any]], Callable[[], Holding]]
) -> Operator[Any, Any]:
    """An operator that gives a result for each element, and lets labels among them pass.

    Args:
        name: shown in graphs, statistics and errors.
        kernel: from the flow that the operator stands behind to what makes the state of one run.
    """

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        made = fold(
            name,
            told(kernel(source), lenient=False, passing=True),
            cardinality=Cardinality.ONE,
            aligned=False,
        )
        return reading(made, Keying)

    return placed(name, behind)


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
