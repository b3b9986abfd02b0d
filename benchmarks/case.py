"""Case: what is measured, by whom, and what must come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OURS = "rxml"
PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a contestant gives.

    Attributes:
        checksum: of the results; must be equal among all contestants of a case. None: it did but a part of the work, and has
            compared what came of that itself.
        measures: what it has measured itself, by name, beside the seconds that the worker measures.
    """

    checksum: int | float | None
    measures: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work of a case.

    Attributes:
        run: does it once for a size, and returns when all of it is done.
        how: in a few words, for the report.
        environment: `project`, or the name of the peer whose own environment runs it.
    """

    run: Callable[[int], Outcome]
    how: str
    environment: str = PROJECT


@dataclass(frozen=True, slots=True)
class Must:
    """A bound on how rxml compares.

    Attributes:
        kind: `speed` is other / ours >= bound; `cost` is ours / other <= bound; both medians over the
            rounds of the ratio within a round. `within` is our measure <= bound times our other measure.
        against: the other contestant; for `within` the name of the other measure.
        bound: see `kind`.
        measure: which measure; for `speed`, less of it must be better.
    """

    kind: Literal["speed", "cost", "within"]
    against: str
    bound: float
    measure: str = "seconds"

    @property
    def text(self) -> str:
        """The bound, as a reader writes it."""
        sign = ">=" if self.kind == "speed" else "<="
        return f"{sign} {self.bound:g}x"


@dataclass(frozen=True, slots=True)
class Case:
    """One benchmark.

    Attributes:
        name: as on the command line.
        what: one line.
        limit: what bounds any implementation, in words; where it can be run it is a contestant.
        size: how much work a run is, in `unit`; `quick` is a smaller one.
        unit: of the size.
        contestants: by name; `rxml` is ours.
        musts: what must come out.
        shown: measures that the report shows, seconds or others; a peer that does but a part of the work lacks some.
        fresh: a new process for each round, for measures that only grow, as peak memory does.
        most_rounds: for a case that takes minutes a round; None is as many as are asked for.
        tolerance: by which checksums may differ, relative; 0 for whole numbers.
    """

    name: str
    what: str
    limit: str
    size: int
    quick: int
    unit: str
    contestants: Mapping[str, Contestant]
    musts: tuple[Must, ...]
    shown: tuple[str, ...] = ("seconds",)
    fresh: bool = False
    most_rounds: int | None = None
    tolerance: float = 0.0
