"""Passing: kernels that hear labels and may let them go on, to others that hear them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.learning.hearing import Hearing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.learning.delayed_waiting import Waiting
    from rxml.learning.label import Label


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
        self._waiting.forget(slots.tolist())
        return ()


def require_among(name: str, labels: object, *, passing: bool) -> None:
    """Refuse to pass on labels that are not among the elements.

    Raises:
        PipelineError: they come beside.
    """
    if passing and labels is not None:
        raise PipelineError(
            f"{name}(pass_labels=True) passes on labels that are among the elements; a flow of labels beside them can be "
            "given to the next operator, too"
        )


def missing(label: Label) -> bool:
    """Whether it says that nobody will ever know."""
    value = label.value
    return value is None or value != value  # noqa: PLR0124 - NaN is not itself
