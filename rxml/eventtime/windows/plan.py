"""Plan: all that is decided about windows when the pipeline is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rxml.aggregates.aggregate import named
from rxml.aggregates.possible.early import Foretelling
from rxml.errors import PipelineError
from rxml.eventtime.event_time import EventTime
from rxml.eventtime.windows.count_engine import CountEngine
from rxml.eventtime.windows.emission import Close, Early, Every
from rxml.eventtime.windows.every_engine import EveryEngine
from rxml.eventtime.windows.firing import Firing
from rxml.eventtime.windows.firing_engine import FiringEngine
from rxml.eventtime.windows.panes import Layout
from rxml.eventtime.windows.rolling_engine import RollingEngine
from rxml.eventtime.windows.session_engine import SessionEngine
from rxml.eventtime.windows.sliding_engine import SlidingEngine
from rxml.eventtime.windows.spans import Newest, Oldest
from rxml.eventtime.windows.tumbling_engine import TumblingEngine
from rxml.eventtime.windows.windowing import Count, Global, Session, Sliding
from rxml.flow.chunk import CHUNK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.aggregates.aggregate import Aggregate
    from rxml.eventtime.keying import Keying
    from rxml.eventtime.windows.emission import Accumulation, Emission
    from rxml.eventtime.windows.engine import Engine
    from rxml.eventtime.windows.keys import Keys
    from rxml.eventtime.windows.pool import Pool
    from rxml.eventtime.windows.windowing import Windowing


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user says of windows.

    Attributes:
        windowing: which elements belong together.
        emission: when results come.
        accumulation: what a further result of a window holds.
        lateness: for how long behind a window's end elements still count, ns.
        late: what becomes of those that come later: they are counted, they fail the stream, or they come out.
        capacity: states of keys and spans that may be open at once.
    """

    windowing: Windowing
    emission: Emission
    accumulation: Accumulation
    lateness: int
    late: Literal["count", "error", "emit"]
    capacity: int

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            PipelineError: it does not; the message says what would.
        """
        kind = type(self.windowing).__name__.lower()
        if isinstance(self.windowing, Count) and not isinstance(self.emission, Close):
            raise PipelineError("window(count(n)) tells when it is full: leave emit out")
        if isinstance(self.windowing, Count) and self.lateness:
            raise PipelineError(
                "window(count(n)) knows no late elements: leave allowed_lateness out"
            )
        if isinstance(self.emission, Every) and not self._even:
            message = (
                f"emit=every(period) goes with tumbling and global windows, not with {kind} ones"
            )
            raise PipelineError(f"{message}; use on_update(), after_count(n) or early(period)")
        if isinstance(self.emission, Every) and self.lateness:
            raise PipelineError(
                "emit=every(period) tells what is complete: leave allowed_lateness out"
            )

    @property
    def _even(self) -> bool:
        windowing = self.windowing
        if isinstance(windowing, Sliding):
            return windowing.size == windowing.every
        return isinstance(windowing, Global)

    @property
    def most(self) -> int:
        """Results that may be at hand at once: those of all that is open, or of a chunk."""
        overlap = self.windowing.overlap if isinstance(self.windowing, Sliding) else 1
        return overlap * (self.capacity + (2 * CHUNK if self.several else 0))

    @property
    def several(self) -> bool:
        """A window may have several panes."""
        return not isinstance(self.emission, Close) or self.lateness > 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a user says, and what is known of the elements.

    Attributes:
        settings: see `Settings`.
        aggregates: by name.
        keying: of the elements, or None.
        event_time: of the elements, or None for windows that need none.
    """

    settings: Settings
    aggregates: Mapping[str, Aggregate]
    keying: Keying | None
    event_time: EventTime | None

    @property
    def states(self) -> list[Aggregate]:
        """Of what a window keeps the state."""
        listed = [*self.aggregates.values(), *(each.seen for _, each in self.foretelling)]
        return (
            [*listed, Oldest(), Newest()] if isinstance(self.settings.windowing, Count) else listed
        )

    @property
    def foretelling(self) -> list[tuple[int, Foretelling]]:
        """The aggregates that tell early what may still come, and the place of their first column."""
        found: list[tuple[int, Foretelling]] = []
        place = 0
        for each in self.aggregates.values():
            if isinstance(each, Foretelling) and each.early:
                found.append((place, each))
            place += 1 + len(each.beside)
        return found

    @property
    def words(self) -> str:
        """All of it in words, the same in every process, so that what was saved can be compared."""
        computed = ", ".join(f"{name}={each!r}" for name, each in self.aggregates.items())
        key = "" if self.keying is None else f" by {self.keying.name}"
        settings = self.settings
        rest = f"{settings.emission!r}, {settings.accumulation}, lateness {settings.lateness}"
        return f"{computed} over {settings.windowing!r}{key} ({rest})"

    @property
    def times(self) -> tuple[EventTime, ...]:
        """What is known of the times of results."""
        if self.event_time is None:
            return ()
        if isinstance(self.settings.windowing, Sliding | Session):
            return (EventTime("time"),)
        caveat = "results of global_() and count(n) have the time of their newest element, which the stream may have passed"
        return (EventTime("time", caveat=caveat),)

    @property
    def layout(self) -> Layout:
        """The columns of results."""
        settings, timed = self.settings, self.event_time is not None
        spans = timed and not isinstance(settings.windowing, Global)
        retracting = settings.several and settings.accumulation == "retracting"
        return Layout(self._names, spans, timed, settings.several, retracting)

    @property
    def _names(self) -> tuple[str, ...]:
        """Of all columns of the aggregates."""
        pairs = self.aggregates.items()
        return tuple(name for given, each in pairs for name in named(given, each))

    def check(self) -> None:
        """Refuse bounds of `key_by` that windows cannot keep, and names of aggregates that results have already.

        Raises:
            PipelineError: there is one.
        """
        self._check_bounds()
        self._check_early()
        own, key = self.layout.columns(None), None if self.keying is None else self.keying.name
        if key in own:
            message = (
                f"window: results have columns {', '.join(own)}, and so can have no key {key!r}"
            )
            raise PipelineError(f"{message}; give key_by a function of another name")
        taken = self.layout.columns(key)
        for name in self._names:
            if name in taken or self._names.count(name) > 1:
                message = (
                    f"window(...).aggregate({name}=...): results have a column {name!r} already"
                )
                raise PipelineError(
                    f"{message}, beside {', '.join(taken)}; give the aggregate another name"
                )

    def _check_early(self) -> None:
        settings = self.settings
        fits = isinstance(settings.windowing, Sliding) and isinstance(settings.emission, Early)
        if self.foretelling and not (fits and settings.accumulation == "accumulating"):
            message = "aggregates with early=True want windows that end at a known time, tumbling or sliding"
            raise PipelineError(f"{message}, emit=early(period), and what is accumulating")

    def _check_bounds(self) -> None:
        """Windows give up the state of a key by their end, and by nothing else."""
        keying, windowing = self.keying, self.settings.windowing
        endless = isinstance(windowing, Count | Global)
        if keying is None or (keying.max_keys is None and not (endless and keying.ttl)):
            return
        bound = "ttl" if keying.max_keys is None else "max_keys"
        raise PipelineError(
            f"window({windowing!r}) keeps the state of a key until its windows end, and cannot give it up by {bound}: "
            f"leave {bound} out of key_by, or put a second key_by without it in front of the window"
        )

    @property
    def gaps(self) -> bool:
        """There are instants that are in no window."""
        windowing = self.settings.windowing
        return isinstance(windowing, Sliding) and windowing.every > windowing.size

    def engine(self, keys: Keys, pool: Pool) -> Engine:
        """What keeps these windows."""
        settings, windowing = self.settings, self.settings.windowing
        firing = Firing(pool, self.states, settings.accumulation)
        if isinstance(windowing, Count):
            overlapping = windowing.n > windowing.step
            return (RollingEngine if overlapping else CountEngine)(keys, pool, windowing)
        emission, lateness = settings.emission, settings.lateness
        if isinstance(windowing, Session):
            return SessionEngine(keys, windowing.gap, firing, emission, lateness)
        spans = None if isinstance(windowing, Global) else windowing
        if isinstance(emission, Every):
            return EveryEngine(keys, spans, firing, emission.period)
        if spans is None or settings.several:
            return FiringEngine(keys, spans, firing, emission, lateness)
        kind = TumblingEngine if spans.size == spans.every else SlidingEngine
        return kind(keys, pool, spans)

    @property
    def ticks(self) -> float | None:
        """Seconds of the run's clock after which windows tell what is new, or None."""
        emission = self.settings.emission
        return emission.seconds if isinstance(emission, Early) else None
