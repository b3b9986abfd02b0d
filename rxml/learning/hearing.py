"""Hearing: kernels that predict element by element, and learn from labels that come in between."""

from __future__ import annotations

from abc import abstractmethod
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import PipelineError
from rxml.eventtime.keyed.keyed_kernel import KeyedKernel
from rxml.eventtime.keying import Keying
from rxml.flow.adopt import flows
from rxml.flow.combining.beside import beside
from rxml.flow.kinds import fold, placed
from rxml.flow.node import Cardinality
from rxml.flow.placing import flowable, reading
from rxml.flow.supervision import Unusable
from rxml.learning.label import Label, labels_of, require_times, with_plain_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator


def _is_label(item: object) -> bool:
    return type(item) is Label


class Hearing(KeyedKernel[Any, Any]):
    """Gives one result for each element, and none for a `Label`: that it hears.

    A chunk is taken in runs of elements and of labels, so that a label counts for what comes behind it, and for nothing
    before. Subclasses write `work` (see `KeyedKernel`) and `hear`.
    """

    @abstractmethod
    def hear(self, labels: Sequence[Label]) -> None:
        """Learn from labels, in their order; nothing is changed if it raises.

        Raises:
            Unusable: all is done, and labels that came before turn out to be of no use.
        """

    apart: ClassVar[type[Any] | None] = Label

    singly: bool = False
    """Labels are heard one by one, since what is not ours may fail for one after others have been learned from."""

    passing: bool = False
    """Labels among the elements go on when they were heard, to others behind that hear them too."""

    lenient: bool = False
    """Labels come from beside: one that is of no use stops nothing, since those who are answered must not suffer from it."""

    @staticmethod
    def sort(item: object) -> object:
        """Equal for elements that may be in one run: labels stand apart from others."""
        return _is_label(item)

    @override
    def runs(self, items: Sequence[Any]) -> Sequence[slice]:
        if isinstance(items, Batch):
            return (slice(0, len(items)),)
        runs: list[slice] = []
        for _, run in groupby(items, self.sort):
            start = runs[-1].stop if runs else 0
            stop = start + sum(1 for _ in run)
            alone = self.singly and _is_label(items[start])
            runs += (
                [slice(at, at + 1) for at in range(start, stop)] if alone else [slice(start, stop)]
            )
        return runs

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[Any]:
        self.left_out: Sequence[int] = ()
        if not _is_label(items[0]):
            return super().push_all(items)
        self.again: bool = True
        useless = self._heed([*map(with_plain_id, items)])
        if not self.passing:
            self.left_out = range(len(items))
        made: Sequence[Any] = items if self.passing else []
        if useless:
            self.again = False
            raise Unusable(useless, made, harmless=self.lenient)
        return made

    def _heed(self, labels: Sequence[Label]) -> Sequence[tuple[Any, Exception]]:
        """Hear them; those that are of no use, with what is wrong."""
        try:
            require_times(labels)
            self.hear(labels)
        except Unusable as raised:
            return raised.elements
        except Exception as error:
            if not self.lenient:
                raise
            if len(labels) == 1:
                return [(labels[0], error)]
            half = len(labels) // 2
            return [*self._heed(labels[:half]), *self._heed(labels[half:])]
        return ()


def _with(labels: Flowable[Label], made: Operator[Any, Any]) -> Operator[Any, Any]:
    return lambda source: made(beside(flowable(source, "beside"), labels))


def told(make: Callable[[], Hearing], *, lenient: bool, passing: bool) -> Callable[[], Hearing]:
    """What makes kernels that were told what to do with labels: see `Hearing`."""

    def made() -> Hearing:
        kernel = make()
        kernel.lenient, kernel.passing = lenient, passing
        return kernel

    return made


def hearing(
    name: str,
    kernel: Callable[[Flowable[Any]], Callable[[], Hearing]],
    labels: Flowable[Any] | None,
    *,
    pass_labels: bool = False,
) -> Operator[Any, Any]:
    """An operator that predicts and hears.

    Args:
        name: shown in graphs, statistics and errors.
        kernel: from the flow that the operator stands behind to what makes the state of one run.
        labels: a flow of labels beside the elements, which gives a result for each element; None: labels are among the
            elements.
        pass_labels: those among the elements go on when they were heard, so that another operator behind hears them too.

    Raises:
        PipelineError: the labels are no flow, or come beside and are to be passed on; when this is called.
    """
    if pass_labels and labels is not None:
        raise PipelineError(
            f"{name}: pass_labels=True passes on labels that are among the elements; a flow of labels beside them can be "
            "given to the next operator, too"
        )
    coming = None if labels is None else labels_of(flows(name, (labels,))[0])
    each = Cardinality.AT_MOST_ONE if coming is None else Cardinality.ONE

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        begin = told(kernel(source), lenient=coming is not None, passing=pass_labels)
        made = reading(fold(name, begin, cardinality=each, aligned=False), Keying)
        return made if coming is None else _with(coming, made)

    return placed(name, behind)
