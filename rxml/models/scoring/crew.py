"""Crew: one model at work, with all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.batch import Batch
from rxml.errors import ModelError
from rxml.models.prediction import Stamp, predictions
from rxml.models.scoring.cost import Cost
from rxml.models.scoring.intake import Intake, intake_of
from rxml.models.scoring.keeping import all_kept, kept
from rxml.models.scoring.on_loop import LoopWorkers
from rxml.models.scoring.scales import Scales

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.models.model import Model, Release
    from rxml.models.scoring.place import Workers
    from rxml.models.scoring.waiting import Ask
    from rxml.models.signature import Signature

_WORTH: Final = 64
"""Rows of a batch that is worth a call of its own: fewer had better wait for others."""

_LEARNS: Final = 8
"""Of so many prompt answers that took no time of note, one is measured: the cost is much the same each time."""


def _is_row(ask: Ask) -> bool:
    return ask.rows == 1 and not isinstance(ask.item, Batch)


class Crew:
    """A model and the workers that have it.

    Args:
        model: what it is.
        release: which one it is.
        workers: that have it.
        budget: seconds that a batch may take.
        most: rows of a batch.
        keep: columns of elements that answers have beside their own.

    Attributes:
        model: as given.
        signature: of the model.
        release: as given.
        workers: as given.
        intake: makes columns for it.
        scales: weigh what it is given and gives.
        cost: what is known of how long it takes.
    """

    def __init__(
        self,
        model: Model,
        release: Release,
        workers: Workers,
        budget: float,
        most: int,
        *,
        keep: tuple[str, ...] = (),
    ) -> None:
        self.model: Model = model
        self.signature: Signature = model.signature
        self.release: Release = release
        self.workers: Workers = workers
        self.intake: Intake = intake_of(model.signature)
        self.scales: Scales = Scales(model.signature)
        self.cost: Cost = Cost(budget, most)
        self._stamp = Stamp(release)
        self._keep = keep
        self._quick = budget / 4
        self._prompted = 0

    def answers(self, asks: Sequence[Ask], result: Batch) -> list[Any]:
        """What each element is answered, or the ModelError of those whose outputs are none.

        Raises:
            ModelError: the whole result is not what the signature promises.
        """
        result = self.signature.conformed(result, sum(ask.rows for ask in asks))
        if all(ask.item.__class__ is dict or _is_row(ask) for ask in asks):
            answers: list[Any] = list(predictions(result, self.signature, self.release))
        else:
            answers = self._parts(asks, result)
        if self._keep:
            answers = all_kept(asks, answers, self._keep)
        holes = self.signature.holes(result)
        if holes is not None:
            start = 0
            for i, ask in enumerate(asks):
                if holes[start : start + ask.rows].any():
                    answers[i] = self._hole(result[start : start + ask.rows])
                start += ask.rows
        return answers

    def prompt(self, batch: Batch) -> Batch | None:
        """The answer to a batch, where it is asked; None if it had better wait for a worker.

        So it had if no worker is the loop itself, if it has few rows, and if anything is wrong with it or with what the
        model makes of it: whose fault that is, those find out who have more time.
        """
        workers, rows = self.workers, len(batch)
        if not isinstance(workers, LoopWorkers) or rows < _WORTH:
            return None
        try:
            result, seconds = workers.now(self.intake.columns(batch))
            if isinstance(result, Exception):
                return None
            result = self.signature.conformed(result, rows)
        except Exception:  # noqa: BLE001 - it is raised again where it is told
            return None
        if self.signature.holes(result) is not None:
            return None
        if self._keep and any(name not in batch for name in self._keep):
            return None
        self._prompted += 1
        if seconds > self._quick or not self._prompted % _LEARNS:
            self.cost.record(rows, seconds)
        answer = self._stamp.on(result)
        return kept(batch, answer, self._keep) if self._keep else answer

    def _parts(self, asks: Sequence[Ask], result: Batch) -> list[Any]:
        answers: list[Any] = []
        start = 0
        for ask in asks:
            part = result[start : start + ask.rows]
            start += ask.rows
            if isinstance(ask.item, Batch):
                answers.append(self._stamp.on(part))
            else:
                answers += predictions(part, self.signature, self.release)
        return answers

    def _hole(self, part: Batch) -> ModelError:
        shown = {name: part.columns[name] for name in self.signature.outputs}
        return ModelError(
            f"{self.release.name or 'the model'} gave {shown}: an output that is not nullable must be finite"
        )
