"""A replay gives what the live run gave, to the last byte, and time passes in it as it did."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml import wire
from rxml.errors import PipelineError
from rxml.eventtime import bounded
from rxml.facts import Fact, FactLog
from rxml.facts.replay import replayed
from rxml.testing.virtual_time import run
from rxml.virtual.paced import PacedLoop
from rxml.windows import early, sliding, tumbling

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 10**9
BASE = 10**18 + 50 * SECOND


def some_facts(n: int) -> list[Fact]:
    """Out of order by up to three seconds, with values of which sums depend on the order."""
    rng = random.Random(7)
    moments = [BASE + number * SECOND - rng.randrange(3) * SECOND for number in range(n)]
    return [
        Fact.of(
            f"s{rng.randrange(3)}",
            moment,
            id=f"{number:032x}",
            arrival_time=BASE + number * SECOND,
            lower=rng.random() * 10 ** rng.randrange(9),
            upper=1e12,
        )
        for number, moment in enumerate(moments)
    ]


def id_of(fact: Fact) -> str:
    return fact.id


def id_in(row: Any) -> Any:
    return row["id"]


def composed(*parts: Any) -> Any:
    return rxml.compose(*parts)


def pipeline() -> Any:
    return composed(
        ops.with_event_time("event_time", bounded(2)),
        ops.key_by("key"),
        ops.window(sliding(20, 5)).aggregate(
            n=agg.count(), total=agg.sum("lower"), spread=agg.var("lower")
        ),
    )


def packed(rows: list[Any]) -> list[bytes]:
    return [wire.dumps(dict(row)) for row in rows]


@pytest.fixture
def log(tmp_path: Path) -> FactLog:
    return FactLog(tmp_path / "facts.db")


def test_a_replay_is_the_live_run_to_the_last_byte(log: FactLog) -> None:
    facts = some_facts(300)

    async def live() -> list[Any]:
        """Facts come in pieces of all sizes while the log is read at its tail."""
        results: list[Any] = []
        numbers, all_seen = itertools.count(1), asyncio.Event()

        def saw(_: object) -> None:
            if next(numbers) == len(facts):
                all_seen.set()

        flow = log.tail().pipe(ops.do_action(saw), pipeline(), ops.do_action(results.append))
        sizes, rest = itertools.cycle([1, 7, 2, 40]), facts
        async with flow.start() as running:
            while rest:
                size = next(sizes)
                piece, rest = rest[:size], rest[size:]
                await asyncio.to_thread(log.append_facts, piece)
            await all_seen.wait()
            assert await running.drain(60)
        return results

    came = run(live())
    again = run(replayed(log, pipeline()).to_list())
    assert packed(again) == packed(came)
    assert len(came) > 100


def test_a_flow_that_reads_a_log_is_replayed_over_another(log: FactLog, tmp_path: Path) -> None:
    facts = some_facts(60)
    with FactLog(tmp_path / "other.db") as other:
        live = other.tail(batches=False).pipe(ops.map(id_of))
        log.append_facts(facts)
        assert run(replayed(log, live).to_list()) == [fact.id for fact in facts]


def test_a_flow_begins_where_it_says(log: FactLog) -> None:
    facts = some_facts(50)
    log.append_facts(facts)
    late = BASE + 30 * SECOND
    ids = [fact.id for fact in facts]
    late_ids = [fact.id for fact in facts if fact.event_time >= late]
    flows: list[tuple[Any, dict[str, Any], list[str]]] = [
        (log.tail(7, batches=False), {}, ids[7:]),
        (log.tail(7, batches=False), {"from_": 9}, ids[9:]),
        (log.read(7, batches=False), {"from_": 3}, ids[7:]),
        (log.tail(None, batches=False), {}, ids),
        (log.tail(from_time=late, batches=False), {}, late_ids),
        (log.tail(from_time=late, batches=False), {"from_time": BASE}, late_ids),
        (log.tail(from_time=BASE, batches=False), {"from_time": late}, late_ids),
    ]
    for flow, bounds, wanted in flows:
        again = replayed(log, flow.pipe(ops.map(id_of)), **bounds)
        assert run(again.to_list()) == wanted


def test_a_flow_of_two_logs_is_refused_by_their_names(log: FactLog, tmp_path: Path) -> None:
    log.append_facts(some_facts(3))
    (tmp_path / "link.db").symlink_to(log.path)
    with FactLog(tmp_path / "other.db") as other, FactLog(tmp_path / "link.db") as link:
        both = rxml.merge(log.read(batches=False), other.read(batches=False))
        with pytest.raises(PipelineError, match=r"facts\.db, .*other\.db: replay a flow of each"):
            _ = replayed(log, both)
        same = rxml.merge(log.read(batches=False), link.tail(batches=False))
        assert len(run(replayed(log, same).to_list())) == 6


def test_it_may_begin_later(log: FactLog) -> None:
    facts = some_facts(50)
    log.append_facts(facts)
    late = BASE + 30 * SECOND
    ids = composed(ops.rows(), ops.map(id_in))
    wanted = [fact.id for fact in facts if fact.event_time >= late]
    assert run(replayed(log, ids, from_time=late).to_list()) == wanted


def test_stages_on_the_clock_see_facts_when_they_arrived(log: FactLog) -> None:
    log.append_facts(some_facts(10))

    async def moments() -> list[float]:
        loop = asyncio.get_running_loop()

        def stamped(_: object) -> float:
            return loop.time()

        flow = replayed(log, composed(ops.delay(0.25), ops.map(stamped)))
        return await flow.to_list()

    assert run(moments()) == [number + 0.25 for number in range(10)]


def test_early_results_come_as_they_would_have(log: FactLog) -> None:
    log.append_facts(some_facts(30))
    counted = composed(
        ops.with_event_time("event_time", bounded(2)),
        ops.window(tumbling(100), emit=early(10)).aggregate(n=agg.count()),
    )
    rows = run(replayed(log, counted).to_list())
    assert [row["n"] for row in rows if row["timing"] == "early"] == [10, 20]
    assert rows[-1]["final"]


def test_what_is_no_pipeline_is_refused(log: FactLog) -> None:
    log.append_facts(some_facts(1))

    def one(_: object) -> int:
        return 1

    wrong: list[tuple[Any, str]] = [(rxml.of(1), "reads a log"), (one, "made something else")]
    for given, words in wrong:
        with pytest.raises(PipelineError, match=words):
            _ = replayed(log, given)


def test_a_paced_loop_waits_for_what_its_speed_says(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("rxml.virtual.paced.time.sleep", waited.append)
    with asyncio.Runner(loop_factory=lambda: PacedLoop(10)) as runner:
        runner.run(asyncio.sleep(60))
    assert sum(waited) == pytest.approx(6)
    assert max(waited) <= 0.05 + 1e-9


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_is_positive(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be > 0"):
        PacedLoop(speed)
