"""Contests: workers that serve, fail, die or are not there; cases that agree with one another."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from benchmarks import contest as contest_module
from benchmarks.__main__ import main
from benchmarks.case import PROJECT, Contestant, Outcome
from benchmarks.cases import NAMES, load
from benchmarks.contest import Record, Worker, WorkerError, attempt, contest, opened, take
from benchmarks.verdict import wrong
from benchmarks.worker import answer

SIZES = {"latency": 5, "columns": 3, "wire": 3, "recovery": 1, "predict_64": 64, "idle": 1}
LONG = ("predict_1", "swap")
"""Those that take as long as those of seconds; predict_1 has the servers of predict_64."""

WORKING = [name for name in NAMES if load(name).unit != "seconds" and name not in LONG]


@pytest.mark.timeout(120)  # some write to a disk that others write to as well
@pytest.mark.parametrize("name", WORKING)
def test_all_contestants_of_a_case_get_the_same_results(name: str) -> None:
    case = load(name)
    size = SIZES.get(name, 1500)
    runnable = {n: c for n, c in case.contestants.items() if c.environment == PROJECT}
    answers = {n: answer(contestant, size) for n, contestant in runnable.items()}
    assert {n: found.get("traceback") for n, found in answers.items()} == dict.fromkeys(runnable)
    records = {n: Record("", [], found["checksum"]) for n, found in answers.items()}
    assert wrong(case, records) == []
    for found in answers.values():
        assert {"seconds", *case.shown} <= {*found["measures"]}


@pytest.mark.parametrize("name", NAMES)
def test_every_case_says_what_its_limit_is_and_has_us_in_it(name: str) -> None:
    case = load(name)
    assert case.limit
    assert "rxml" in case.contestants
    assert case.quick < case.size
    for must in case.musts:
        assert must.kind == "within" or must.against in case.contestants


def test_an_unknown_case_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no case is called 'chian'; there are: chain"):
        load("chian")
    with pytest.raises(SystemExit):
        main(["chian"])
    assert "no case is called chian" in capsys.readouterr().err


def test_a_failing_run_is_reported_with_its_trace() -> None:
    def fail(size: int) -> Outcome:
        raise OSError(f"no {size}")

    found = answer(Contestant(fail, ""), 3)
    assert found["error"] == "OSError: no 3"
    assert "in fail" in found["traceback"]


def test_rounds_are_taken_in_turns_and_a_missing_peer_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(contest_module, "PEERS", contest_module.ROOT / ".venv-none")
    turns: list[str] = []

    def noted(self: Worker, size: int) -> dict[str, object]:
        turns.append(str(self.hello["python"]))
        return {"checksum": 1, "measures": {"seconds": 1.0}}

    monkeypatch.setattr(Worker, "run", noted)
    records = contest(load("chain"), size=100, rounds=2)
    assert records["bytewax"].failure == (
        "not installed: run `make bench` to make .venv-none/bytewax/bin/python"
    )
    assert not records["bytewax"].installed
    assert [len(records[name].rounds) for name in ("rxml", "hand", "reactivex")] == [2, 2, 2]
    assert len(turns) == 9  # three warm-ups, then two rounds of three


def test_a_worker_answers_and_keeps_what_is_printed_apart() -> None:
    worker = Worker(Path(sys.executable), "handoff", "lists")
    try:
        record = Record("lists")
        take(worker, 1000, record)
        take(worker, 1000, record)
        assert record.failure is None
        assert record.checksum == sum(range(1000))
        assert len(record.rounds) == 2
        take(worker, 10, record)
        assert record.failure == "gave 499500, then 45, for the same work"
    finally:
        worker.close()


def test_a_worker_that_does_not_start_is_an_error() -> None:
    with pytest.raises(WorkerError, match="status 1"):
        Worker(Path("/bin/false"), "chain", "hand")


def test_a_worker_that_dies_takes_no_other_with_it() -> None:
    case, record = load("handoff"), Record("lists")
    with opened(case, "lists", record) as worker:
        assert worker is not None
        os.kill(worker.pid, signal.SIGKILL)
        assert attempt(worker, 10, record) is None
    assert record.failure is not None


def test_a_worker_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(load("handoff_one"), "queue", Record("queue")) as worker:
        assert worker is not None
        monkeypatch.setattr(contest_module, "RUN_LIMIT_SECONDS", 0.1)
        with pytest.raises(WorkerError, match=r"limit 0\.1 s"):
            worker.run(10_000_000)
