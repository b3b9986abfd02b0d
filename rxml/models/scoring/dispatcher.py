"""Dispatcher: gives idle workers what waits, and sees to what comes back."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from rxml.errors import WorkerLostError
from rxml.flow.clock import LONG
from rxml.models.scoring.isolation import Group, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.flow.clock import Clock
    from rxml.models.scoring.cost import Cost
    from rxml.models.scoring.crew import Crew
    from rxml.models.scoring.waiting import Ask, Waiting

_LOSSES: Final = 2
"""Workers that may die under a row that was alone with them."""

_TOGETHER: Final = 32
"""Elements that are looked at together for one that does not fit: one by one a thousand would hold the loop."""

_BELIEF: Final = 0.5
"""Seconds after which what was learnt of a model's cost is no reason to drop anything: it may be over by now."""


class Desk(Protocol):
    """Told how each element ends: each in exactly one way."""

    def answer(self, asks: list[Ask], answers: list[Any]) -> None:
        """These were scored; what stands for one may be the error that it failed with."""
        ...

    def fail(self, ask: Ask, error: Exception) -> None:
        """This one cannot be scored."""
        ...

    def drop(self, ask: Ask) -> None:
        """This one was too late, or nobody waits for it any more."""
        ...

    def part(self, ask: Ask) -> list[Ask]:
        """The rows of a slab, each by itself from now on; of anything else, itself."""
        ...

    def split(self, slab: Ask, rows: int) -> Ask:
        """The first so many rows of a slab, as one of its own; it keeps the others."""
        ...


class Dispatcher:
    """Work-conserving: an idle worker begins at once with what there is; while all are busy, elements gather.

    Args:
        waiting: what gathers.
        desk: is told how each element ends.
        clock: of the run.
        later: has a function called on a later turn of the loop.

    Attributes:
        busy: batches under way.
    """

    def __init__(
        self,
        waiting: Waiting,
        desk: Desk,
        clock: Clock,
        later: Callable[[Callable[[], None]], object],
    ) -> None:
        self._waiting = waiting
        self._desk = desk
        self._clock = clock
        self._later = later
        self._parts: deque[Group] = deque()
        self._crew: Crew | None = None
        self._running = False
        self._deferred = False
        self._learnt = 0.0
        self.busy: int = 0

    def staff(self, crew: Crew | None) -> None:
        """From now on these do the work; those before finish what they have."""
        self._crew = crew
        self.run()

    def clear(self) -> list[Ask]:
        """All that is not under way, which is forgotten."""
        asks = [ask for group in self._parts for ask in group.asks]
        self._parts.clear()
        return asks + self._waiting.clear()

    def run(self) -> None:
        """Have idle workers begin."""
        if self._running or self._deferred:
            return
        self._running = True
        began = self._clock.busy()
        try:
            while (crew := self._crew) is not None and crew.workers.idle > 0 and self._pending:
                self._next(crew)
                if self._clock.busy() - began > LONG and self._pending:
                    self._deferred = True
                    self._later(self._go_on)
                    return
        finally:
            self._running = False
        if crew is not None and self._waiting:
            crew.workers.pressure(self._waiting.oldest(self._clock.time()))

    def prompt(self, batch: Batch) -> Batch | None:
        """The answer to a batch at once; None if others are to be scored first, or the crew does not do so."""
        crew = self._crew
        if crew is None or self._running or self._deferred or self.busy:
            return None
        if self._parts or self._waiting.entries:
            return None
        answer = crew.prompt(batch)
        if answer is not None:
            self._learnt = self._clock.time()
        return answer

    def _go_on(self) -> None:
        self._deferred = False
        self.run()

    @property
    def _pending(self) -> bool:
        return bool(self._parts or self._waiting.entries)

    def _next(self, crew: Crew) -> None:
        now = self._clock.time()
        if self._parts:
            group = self._parts.popleft()
            group.asks = self._wanted(group.asks, now)
        else:
            self._drop_late(crew.cost, now)
            group = Group(self._wanted(self._waiting.take(crew.cost.size, now), now))
        if group.asks:
            self._send(crew, self._fitting(group, crew.cost.size))

    def _fitting(self, group: Group, size: int) -> Group:
        """No more rows of a slab than are to go at a time; the others go next."""
        first = group.asks[0]
        if not first.slab or first.rows <= size:
            return group
        self._parts.appendleft(group)
        return Group([self._desk.split(first, size)], group.trial)

    def _drop_late(self, cost: Cost, now: float) -> None:
        """Those that cannot be answered in time, unless that was learnt long ago: then some of them have to tell anew."""
        waiting = self._waiting
        ready = now + cost.expected(min(cost.size, waiting.rows))
        if waiting.earliest < ready and now - self._learnt > _BELIEF:
            cost.forget()
            ready = now
        for ask in waiting.late(ready):
            self._desk.drop(ask)

    def _wanted(self, asks: list[Ask], now: float) -> list[Ask]:
        """Those for whom somebody still waits."""
        wanted: list[Ask] = []
        for ask in asks:
            if ask.gone or ask.deadline < now:
                self._desk.drop(ask)
            else:
                wanted.append(ask)
        return wanted

    def _send(self, crew: Crew, group: Group) -> None:
        try:
            batch = crew.intake.batch([ask.item for ask in group.asks])
        except Exception as error:  # noqa: BLE001 - told to those whose fault it is
            return self._unfit(crew, group, error)
        self.busy += 1
        crew.workers.start(batch, partial(self._came, crew, group))
        return None

    def _unfit(self, crew: Crew, group: Group, error: Exception) -> None:
        """Something among these is not what the model wants: it fails alone."""
        asks = self._parted(group.asks)
        if len(asks) == 1:
            return self._desk.fail(asks[0], error)
        fit: list[Ask] = []
        for start in range(0, len(asks), _TOGETHER):
            fit += self._fit(crew, asks[start : start + _TOGETHER])
        # If each of them fits, they do not fit together.
        parts = [fit] if len(fit) < len(asks) else [[ask] for ask in fit]
        self._parts.extendleft(Group(part, group.trial) for part in reversed(parts) if part)
        return None

    def _fit(self, crew: Crew, asks: list[Ask]) -> list[Ask]:
        """Those of a few that are what the model wants; the others fail."""
        if _refusal(crew, asks) is None:
            return asks
        refusals = [_refusal(crew, [ask]) for ask in asks]
        fit = [ask for ask, refusal in zip(asks, refusals, strict=True) if refusal is None]
        for ask, refusal in zip(asks, refusals, strict=True):
            if refusal is not None:
                self._desk.fail(ask, refusal)
        return fit

    def _came(self, crew: Crew, group: Group, result: Batch | Exception, seconds: float) -> None:
        self.busy -= 1
        if isinstance(result, WorkerLostError):
            self._lost(group, result)
        elif isinstance(result, Exception):
            self._failed(group, result)
        else:
            self._learnt = self._clock.time()
            crew.cost.record(sum(ask.rows for ask in group.asks), seconds)
            self._answered(crew, group, result)
        self.run()

    def _answered(self, crew: Crew, group: Group, result: Batch) -> None:
        try:
            answers = crew.answers(group.asks, result)
        except Exception as error:  # noqa: BLE001 - the model broke its promise, perhaps for one of them
            return self._failed(group, error)
        if group.trial is not None:
            group.trial.succeeded()
        holed = [
            ask
            for ask, answer in zip(group.asks, answers, strict=True)
            if ask.slab and isinstance(answer, Exception)
        ]
        if holed:
            self._parts.append(Group(self._parted(group.asks), group.trial))
        else:
            self._desk.answer(group.asks, answers)
        return None

    def _failed(self, group: Group, error: Exception) -> None:
        asks = self._parted(group.asks)
        trial = group.trial or Trial(len(asks))
        trial.failed(len(asks))
        if trial.hopeless:
            asks += self._others(trial)
        elif len(asks) > 1:
            first, second = Group(asks, trial).halves()
            self._parts.extendleft((second, first))
            return
        elif not trial.proven:
            self._probe(trial)
        for ask in asks:
            self._desk.fail(ask, error)

    def _probe(self, trial: Trial) -> None:
        """Next goes a row out of the largest part, since bad rows are often neighbours."""
        groups = [group for group in self._parts if group.trial is trial and len(group.asks) > 1]
        if groups:
            largest = max(groups, key=lambda group: len(group.asks))
            self._parts.remove(largest)
            first, second = largest.halves()
            single = Group(second.asks[:1], trial)
            second.asks = second.asks[1:]
            self._parts.extendleft(each for each in (second, first, single) if each.asks)

    def _others(self, trial: Trial) -> list[Ask]:
        """What else waits of a batch whose model is to blame."""
        others = [group for group in self._parts if group.trial is trial]
        self._parts = deque(group for group in self._parts if group.trial is not trial)
        return [ask for group in others for ask in self._parted(group.asks)]

    def _lost(self, group: Group, error: WorkerLostError) -> None:
        """The first time it was bad luck; the second time one of the rows may be what workers die of."""
        for ask in group.asks:
            ask.losses += 1
        if all(ask.losses < _LOSSES for ask in group.asks):
            self._parts.append(group)
        else:
            self._failed(group, error)

    def _parted(self, asks: list[Ask]) -> list[Ask]:
        if not any(ask.slab for ask in asks):
            return asks
        return [each for ask in asks for each in self._desk.part(ask)]


def _refusal(crew: Crew, asks: list[Ask]) -> Exception | None:
    try:
        crew.intake.batch([ask.item for ask in asks])
    except Exception as error:  # noqa: BLE001 - users' rows may do anything when they are read
        return error
    return None
