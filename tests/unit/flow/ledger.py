"""Ledger: elements whose contexts write down how they end, and readers that answer what they get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rxml.flow.chunk import Chunk
from rxml.flow.context import Context, Outcome
from rxml.flow.run import Run
from rxml.testing import Fail, Never, Sleep, Watermark, scripted
from rxml.testing import run as virtually

if TYPE_CHECKING:
    from rxml.testing.script import Scripted

STEPS = (Chunk, Fail, Never, Sleep, Watermark)

ANSWERED, DEAD, SHED, DROPPED = (
    Outcome.ANSWERED,
    Outcome.DEAD_LETTERED,
    Outcome.SHED,
    Outcome.DROPPED,
)


class Ledger:
    """How the elements that sources of the test have handed out have ended, each as often as that was said."""

    def __init__(self) -> None:
        self.ends: dict[str, list[Outcome]] = {}
        self._sources: list[Scripted] = []

    def context(self, element: Any) -> Context:
        """Of an element, which is its name."""
        ends = self.ends.setdefault(str(element), [])
        return Context(fact_id=str(element), settle=ends.append)

    def chunk(self, *elements: Any) -> Chunk[Any]:
        """The elements, with their contexts."""
        return Chunk(list(elements), [self.context(each) for each in elements])

    def source(self, *script: Any) -> Scripted:
        """A script in which all elements have contexts."""
        known: list[Any] = [
            step if isinstance(step, STEPS) else self.chunk(step) for step in script
        ]
        source = scripted(*known)
        self._sources.append(source)
        return source

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How each element that was handed out has ended, which must be once."""
        given = [each.chunk for source in self._sources for each in source.given]
        names = [str(each.fact_id) for chunk in given for each in chunk.contexts or ()]
        ends = {name: self.ends[name] for name in names}
        assert {name: each for name, each in ends.items() if len(each) != 1} == {}
        return {name: end for name, (end,) in ends.items()}

    def __getitem__(self, outcome: Outcome) -> str:
        """The names of those elements that have ended so, one behind the other."""
        return "".join(name for name, end in self.outcomes.items() if end is outcome)


@dataclass(frozen=True, slots=True)
class Read:
    """What came out of a run, what it failed with, and how many elements each stage has dropped, if any."""

    results: list[Any]
    error: Exception | None
    dropped: dict[str, int]


async def reading(flow: Any, n: int = 100, most: int | None = None) -> Read:
    """Answers all that comes, or at least `most`, then closes the run."""
    got: list[Any] = []
    failure: Exception | None = None
    async with Run[Any](flow) as run:
        try:
            while most is None or len(got) < most:
                chunk = await run.subscription.request(n)
                if chunk.end:
                    break
                got += chunk.elements
                for context in chunk.contexts or ():
                    context.settled(ANSWERED)
        except Exception as error:  # noqa: BLE001 - looked at by the tests
            failure = error
    stages = run.statistics().stages
    return Read(got, failure, {each.name: each.dropped for each in stages if each.dropped})


def read(flow: Any, n: int = 100, most: int | None = None) -> Read:
    """`reading` under virtual time."""
    return virtually(reading(flow, n, most))
