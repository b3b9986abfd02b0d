"""PromoteStage: elements pass, and tell which of two models is better."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.errors import RxmlError, SchemaError
from rxml.eventtime.reading import label_of, read
from rxml.learning.label import without_labels
from rxml.learning.promoting.kernel import Pair
from rxml.learning.retraining.beside import JobStage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.reading import Column
    from rxml.flow.chunk import Chunk
    from rxml.flow.node import Env, Node
    from rxml.learning.promoting.kernel import Promotion
    from rxml.learning.promoting.trial import Trial, Verdict

_LOG: Final = logging.getLogger("rxml.learning")
_AT_ONCE: Final = 16
"""Labelled elements of a turn: one takes some 0.2 ms."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Where the losses of elements are; see `ops.promote`.

    Attributes:
        champion: its loss; or the loss of whoever answered, if there is an arm.
        challenger: its loss; or None.
        arm: who answered, the alias of one of them; None: both did.
        propensity: with which it was that one.
        versions: of champion and challenger by which an element was answered, "" for any; None: not asked.
    """

    champion: Column
    challenger: Column | None
    arm: Column | None
    propensity: Column
    versions: Callable[[Any], tuple[str, str]] | None


class PromoteStage(JobStage):
    """See `ops.promote`.

    Args:
        env: of the run.
        node: the stage.
        promotion: decides.
        losses: of elements.
    """

    def __init__(self, env: Env, node: Node, promotion: Promotion, losses: Losses) -> None:
        super().__init__(env, node)
        self._promotion = promotion
        self._losses = losses
        self._trial: Trial = promotion.trial(parted=losses.arm is not None)
        self._pair: Pair | None = None
        self._proven: tuple[Pair, Verdict] | None = None
        self._looked = False
        self._due = 0.0

    @override
    async def pull(self, n: int) -> Chunk[Any]:
        if not self._looked:
            self._take(await asyncio.to_thread(self._promotion.pair))
            if self._proven is not None:
                self.start(self._look)
        return await super().pull(n)

    def _take(self, pair: Pair | None) -> None:
        """These are compared now; what is known of others counts for nothing."""
        self._looked = True
        self._due = self.env.clock.time() + self._promotion.check
        if pair != self._pair:
            self._pair = pair
            self._trial = self._promotion.trial(parted=self._losses.arm is not None)
        self._conclude(self._trial.verdict())  # it may have been proven when the run was saved

    def _conclude(self, verdict: Verdict | None) -> None:
        pair = self._pair
        if pair is not None and verdict is not None:
            self._pair, self._proven, self._due = None, (pair, verdict), -inf

    @override
    def turn(self, items: Sequence[Any]) -> int:
        if self._pair is None or len(items) <= _AT_ONCE:
            return len(items)
        try:
            labelled = self._labelled(items)
        except Exception:  # noqa: BLE001 - whoever looks at them says so
            return _AT_ONCE
        return len(items) if len(labelled) <= _AT_ONCE else labelled[_AT_ONCE]

    def _labelled(self, items: Sequence[Any]) -> Sequence[int]:
        rows = without_labels(items)
        if rows is not items:
            return range(len(items))
        return np.flatnonzero(~np.isnan(self._values(rows)).any(axis=0)).tolist()

    def _values(self, rows: Sequence[Any]) -> list[NDArray[np.float64]]:
        columns = (self._losses.champion, self._losses.challenger)
        return [_numbers(rows, each) for each in columns if each is not None]

    @override
    def see(self, items: Sequence[Any]) -> None:
        rows = without_labels(items)
        differences = self._differences(rows, self._pair) if len(rows) else []
        if self._pair is not None:
            self._conclude(self._trial.hear(differences))
        if not self.busy and self.env.clock.time() >= self._due:
            self._due = self.env.clock.time() + self._promotion.check
            self.start(self._look)

    def _differences(self, rows: Sequence[Any], pair: Pair | None) -> list[float]:
        """Of the rows that have their label, and are of the versions that are compared."""
        losses = self._losses
        values = self._values(rows)
        labelled = np.flatnonzero(~np.isnan(values).any(axis=0)).tolist()
        which = [at for at in labelled if self._is_of(rows[at], pair)]
        if losses.arm is None:
            return [self._trial.paired(float(values[0][at]), float(values[-1][at])) for at in which]
        return self._parted(rows, values[0], which, losses.arm)

    def _parted(
        self, rows: Sequence[Any], values: NDArray[np.float64], which: Sequence[int], arm: Column
    ) -> list[float]:
        arms = list(read(rows, arm))
        shares = _numbers(rows, self._losses.propensity)
        ours = (self._promotion.champion, self._promotion.challenger)
        return [
            self._trial.parted(
                float(values[at]), float(shares[at]), challenger=bool(arms[at] == ours[1])
            )
            for at in which
            if arms[at] in ours
        ]

    def _is_of(self, row: Any, pair: Pair | None) -> bool:
        versions = self._losses.versions
        if versions is None or pair is None:
            return True
        wanted = (pair.champion, pair.challenger)
        return all(
            not given or given == each for given, each in zip(versions(row), wanted, strict=True)
        )

    async def _look(self) -> None:
        """Do what is proven, and see what is compared from now on. What cannot be done is tried again at the next look."""
        try:
            while True:
                if self._proven is not None:
                    report = await asyncio.to_thread(self._promotion.act, *self._proven)
                    self._proven = None
                    self._promotion.tell(report)
                found = await asyncio.to_thread(self._promotion.pair)
                if self._proven is None:
                    return self._take(found)
        except RxmlError as error:
            _LOG.warning("%s: the registry: %s", self.node.spec.name, error)

    @override
    def snapshot(self) -> Any:
        pair = self._pair if self._proven is None else self._proven[0]
        return [None if pair is None else [pair.champion, pair.challenger], self._trial.snapshot()]

    @override
    def restore(self, state: Any) -> None:
        pair, trial = state
        self._pair = None if pair is None else Pair(*pair)
        self._trial.restore(trial)


def _numbers(rows: Sequence[Any], column: Column) -> NDArray[np.float64]:
    """A column as numbers, NaN where there is none yet."""
    try:
        found = np.asarray(read(rows, column), np.float64)  # None becomes NaN
    except (TypeError, ValueError) as error:
        raise SchemaError(f"{label_of(column)} is to be a loss, a number: {error}") from error
    if found.ndim != 1:
        raise SchemaError(f"{label_of(column)} is to be a loss, a number, not of {found.shape[1:]}")
    return found
