"""Facts out to a file and in again, as NDJSON; what is exported, imported and exported again is the same to the byte."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol

from rxml.errors import FactError
from rxml.facts.lines import fact_of, line_of
from rxml.facts.table import facts_batch, facts_of
from rxml.facts.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from rxml.batch import Batch
    from rxml.facts.fact import Fact
    from rxml.facts.outcome import Outcomes
    from rxml.facts.views import Scannable

ROWS: Final = 8192
"""Facts that an import holds at most before it appends them."""

LONGEST: Final = 16 * 2**20
"""Bytes that a line, or the lines of facts that are held, may have."""

PROBLEMS: Final = 1000
"""Problems that a report lists at most; it counts all."""


class Appendable(Protocol):
    """What takes facts, such as a `FactLog`."""

    def append_batch(self, batch: Batch) -> Outcomes:
        """Store a batch of facts, and say what became of each."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """A line, or a row, that is no fact.

    Attributes:
        line: its number, from 1.
        reason: why.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's facts.

    Attributes:
        stored: how many are new.
        duplicates: how many the log had already.
        rejected: how many lines are no facts.
        problems: the first 1,000 of those.
    """

    stored: int
    duplicates: int
    rejected: int
    problems: tuple[Problem, ...]


def export_ndjson(facts: Scannable | View, file: str | Path | IO[bytes]) -> int:
    """Write facts as lines of JSON (`rxml.facts.lines`), in the order of the log or view; a batch is held at a time.

    Args:
        facts: a log, or a view of one.
        file: a path, where the file stands when it is whole and not before; or an open binary file.

    Returns:
        How many facts were written.
    """
    view = facts if isinstance(facts, View) else View(facts)
    count = 0
    with written(file) as out:
        for batch in view.batches():
            out.writelines(line_of(fact) + b"\n" for fact in facts_of(batch))
            count += len(batch)
    return count


def import_ndjson(
    log: Appendable,
    file: str | Path | IO[bytes],
    on_problem: Callable[[Problem], None] | None = None,
) -> Imported:
    """Append the facts of lines of JSON; lines that are none are told and left out, blank ones mean nothing.

    Holds up to 8,192 facts and 16 MiB of lines.

    Args:
        log: takes the facts, in the order of the lines.
        file: a path, or an open binary file.
        on_problem: told of each line that is no fact, as it is found; see `Imported.problems`, too.
    """
    intake = Intake(log, on_problem)
    with _opened(file) as lines:
        for number, line in _lines(lines):
            intake.take(number, line)
    return intake.done()


class Intake:
    """Gathers facts, hands them to the log a batch at a time, and counts what becomes of them."""

    def __init__(self, log: Appendable, on_problem: Callable[[Problem], None] | None) -> None:
        self._log = log
        self._on_problem = on_problem
        self._facts: list[Fact] = []
        self._numbers: list[int] = []
        self._bytes = 0
        self._stored = self._duplicates = self._rejected = 0
        self._problems: list[Problem] = []

    def take(self, number: int, line: bytes | None) -> None:
        """A line and its number; None for one that was too long."""
        if line is None:
            self.refuse(number, f"longer than {LONGEST // 2**20} MiB")
            return
        try:
            self.add(number, fact_of(line), len(line))
        except FactError as error:
            self.refuse(number, str(error))

    def add(self, number: int, fact: Fact, size: int) -> None:
        """A fact, the number of its line, and what that weighs in bytes."""
        self._facts.append(fact)
        self._numbers.append(number)
        self._bytes += size
        if len(self._facts) >= ROWS or self._bytes >= LONGEST:
            self._append()

    def refuse(self, number: int, reason: str) -> None:
        """Tell and count a line that is no fact."""
        self._rejected += 1
        problem = Problem(number, reason)
        if len(self._problems) < PROBLEMS:
            self._problems.append(problem)
        if self._on_problem is not None:
            self._on_problem(problem)

    def done(self) -> Imported:
        """Append the rest; what became of all."""
        self._append()
        counts = self._stored, self._duplicates, self._rejected
        return Imported(*counts, tuple(sorted(self._problems, key=lambda each: each.line)))

    def _append(self) -> None:
        if not self._facts:
            return
        outcomes = self._log.append_batch(facts_batch(self._facts))
        self._stored += outcomes.stored
        self._duplicates += outcomes.duplicates
        for row, reason in outcomes.reasons.items():
            self.refuse(self._numbers[row], reason)
        self._facts, self._numbers, self._bytes = [], [], 0


@contextmanager
def written(file: str | Path | IO[bytes]) -> Generator[IO[bytes]]:
    """A binary file to write to; one that has a path takes its place when all has been written."""
    if not isinstance(file, str | Path):
        yield file
        return
    path = Path(file)
    part = path.with_name(path.name + ".part")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no directory {path.parent}")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _opened(file: str | Path | IO[bytes]) -> Generator[IO[bytes]]:
    if not isinstance(file, str | Path):
        yield file
        return
    with Path(file).open("rb") as found:
        yield found


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank, and their numbers; None for one that is too long to be held."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST)
            yield number, None
        elif line.strip():
            yield number, line
