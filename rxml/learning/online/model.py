"""OnlineModel: what predicts, and learns from what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch import Batch, Schema


@runtime_checkable
class OnlineModel(Protocol):
    """Predicts rows, and is better at it with each label that it is told.

    Laws: predicting changes nothing, and a batch is predicted as its rows are, one by one.
    """

    @property
    def inputs(self) -> Schema:
        """The columns that it reads; may be none."""
        ...

    def predict(self, batch: Batch) -> Batch:
        """The outputs, one row for each; the first column is the prediction.

        Before it knows enough, a number is NaN, a class None, a distribution says that nothing is known.
        """
        ...

    def learn(self, batch: Batch, labels: Sequence[Any]) -> None:
        """Learn from rows, in their order or at once as the model is; called with one row unless a mini-batch was asked for.

        If it raises it has learned nothing of them: then it is asked about each half, until it is known which rows it refuses.
        A model that cannot promise that, since it learns row by row, has an attribute `stepwise` that is true, and is
        given one row at a time.

        Args:
            batch: the inputs, n >= 1 rows.
            labels: the truth, n of them.
        """
        ...

    def copied(self) -> OnlineModel:
        """One that knows as much, and then goes its own way."""
        ...

    def snapshot(self) -> Any:
        """The state, as plain values and arrays, which `rxml.wire` takes.

        Raises:
            CheckpointError: it cannot be told in such.
        """
        ...

    def restore(self, state: Any) -> None:
        """Go on from a state that `snapshot` gave."""
        ...
