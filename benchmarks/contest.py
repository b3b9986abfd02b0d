"""Contest: the rounds of one case, taken in turns by worker processes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import PROJECT

if TYPE_CHECKING:
    from collections.abc import Generator

    from benchmarks.case import Case

ROOT: Final = Path(__file__).resolve().parent.parent
PEERS: Final = ROOT / ".venv-peers"
RUN_LIMIT_SECONDS: Final = 300.0
WARM_UP_SHARE: Final = 10


@dataclass(slots=True)
class Record:
    """What a contestant has done.

    Attributes:
        how: what it is, in a few words.
        rounds: its measures, one mapping a round.
        checksum: of its results, the same in every round; None if it compares them itself.
        failure: why it has no rounds, or no more; None if all is well.
        installed: False if its environment is missing.
        versions: of the libraries in its environment.
        trace: of the failure.
    """

    how: str
    rounds: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    checksum: float | None = None
    failure: str | None = None
    installed: bool = True
    versions: dict[str, str] = field(default_factory=dict[str, str])
    trace: str = ""

    def values(self, measure: str) -> list[float]:
        """One measure over the rounds; none where it was not taken."""
        return [measures[measure] for measures in self.rounds if measure in measures]


class WorkerError(Exception):
    """A worker could not be started, died, or took too long."""


class Worker:
    """A worker process and the pipes to it."""

    def __init__(self, python: Path, case: str, contestant: str) -> None:
        command = [str(python), "-m", "benchmarks.worker", case, contestant]
        self._process = subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pid = self._process.pid
        try:
            self.hello = self._read()
        except WorkerError:
            self.close()
            raise

    def run(self, size: int) -> dict[str, Any]:
        """One run; its measures and checksum, or its error."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"size": size}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        timer = threading.Timer(RUN_LIMIT_SECONDS, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            code = self._process.wait()
            raise WorkerError(f"the worker ended with status {code} (limit {RUN_LIMIT_SECONDS} s)")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process and wait for it."""
        self._process.kill()
        self._process.communicate()


def interpreter(environment: str) -> Path:
    """The Python that runs contestants of an environment; it may not exist."""
    if environment == PROJECT:
        return Path(sys.executable)
    return PEERS / environment / "bin" / "python"


@contextmanager
def opened(case: Case, name: str, record: Record) -> Generator[Worker | None]:
    """A warm worker for a contestant, or None, with the reason in its record."""
    contestant = case.contestants[name]
    python = interpreter(contestant.environment)
    record.installed = python.exists()
    if not record.installed:
        record.failure = f"not installed: run `make bench` to make {python.relative_to(ROOT)}"
    if record.failure:
        yield None
        return
    try:
        worker = Worker(python, case.name, name)
    except (OSError, WorkerError) as error:
        record.failure = str(error)
        yield None
        return
    record.versions = worker.hello["versions"]
    try:
        yield worker
    finally:
        worker.close()


def attempt(worker: Worker | None, size: int, record: Record) -> dict[str, Any] | None:
    """One run; None if it failed now or before, with the reason in the record."""
    if worker is None or record.failure is not None:
        return None
    try:
        result = worker.run(size)
    except (OSError, WorkerError) as error:
        result = {"error": str(error)}
    if "error" not in result:
        return result
    record.failure, record.trace = result["error"], result.get("traceback", "")
    return None


def take(worker: Worker | None, size: int, record: Record, tolerance: float = 0.0) -> None:
    """A round of one contestant, into its record; its results may differ by `tolerance`, relative."""
    result = attempt(worker, size, record)
    if result is None:
        return
    record.rounds.append(result["measures"])
    before, now = record.checksum, result["checksum"]
    if before is None or now is None:
        record.checksum = now
    elif not math.isclose(before, now, rel_tol=tolerance):
        record.failure = f"gave {before}, then {now}, for the same work"


def contest(case: Case, *, size: int, rounds: int) -> dict[str, Record]:
    """All rounds of a case, in turns: every contestant once, then every contestant once more, ...

    Each contestant is warmed up before, all in the same way.

    Args:
        case: what to run.
        size: of each run, in the unit of the case.
        rounds: how many, >= 1.

    Returns:
        A record for each contestant, also for those that failed or are not installed.
    """
    records = {name: Record(contestant.how) for name, contestant in case.contestants.items()}
    (_in_new_processes if case.fresh else _in_one_process_each)(case, records, size, rounds)
    return records


def _in_one_process_each(case: Case, records: dict[str, Record], size: int, rounds: int) -> None:
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(opened(case, name, record))
            for name, record in records.items()
        }
        for name, record in records.items():
            attempt(workers[name], max(1, size // WARM_UP_SHARE), record)
        for _ in range(rounds):
            for name, record in records.items():
                take(workers[name], size, record, case.tolerance)


def _in_new_processes(case: Case, records: dict[str, Record], size: int, rounds: int) -> None:
    for _ in range(rounds):
        for name, record in records.items():
            with opened(case, name, record) as worker:
                # Nothing but loads what it needs: what is measured here never shrinks again.
                attempt(worker, 0, record)
                take(worker, size, record, case.tolerance)
