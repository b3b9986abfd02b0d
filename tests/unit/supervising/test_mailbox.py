"""Mailbox: the element that a child has failed at is given again or dead-lettered; none is lost, none ends twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.errors import PipelineError, StreamClosedError
from rxml.flow.context import Context, Outcome
from rxml.resilience import Backoff
from rxml.supervising import Mailbox, Supervised, SupervisionTree
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from rxml.flow.supervision import DeadLetter

AT_ONCE = Backoff(0.0)


def tree(*children: Supervised, **how: Any) -> SupervisionTree:
    return SupervisionTree(*children, restarts=10_000, backoff=AT_ONCE, **how)


def writer(votes: Mailbox[int], write: Any, name: str = "writer") -> Supervised:
    return Supervised(partial(votes.feed, write), name=name)


@given(
    bad=st.dictionaries(st.integers(0, 19), st.integers(1, 6), max_size=8),
    writers=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_each_element_ends_once_and_is_tried_as_often_as_it_may_be(
    bad: dict[int, int], writers: int, seed: int
) -> None:
    ends: Counter[tuple[int, Outcome]] = Counter()
    tries: Counter[int] = Counter()
    letters: list[DeadLetter] = []

    def end(vote: int, outcome: Outcome) -> None:
        ends[vote, outcome] += 1

    async def write(vote: int) -> None:
        tries[vote] += 1
        await asyncio.sleep(0.01)
        if tries[vote] <= bad.get(vote, 0):
            raise OSError(vote)

    async def main() -> None:
        votes: Mailbox[int] = Mailbox(4, attempts=3, dead_letters=letters.append)
        async with tree(*(writer(votes, write, f"writer {i}") for i in range(writers))):
            for vote in range(20):
                await votes.put(vote, Context(settle=partial(end, vote)))
                assert len(votes) <= 4 + writers
            await votes.drained()
        assert (votes.answered, votes.dead_lettered, len(votes)) == (
            20 - len(letters),
            len(letters),
            0,
        )

    run(main(), seed=seed)
    dead = {vote for vote, failures in bad.items() if failures >= 3}
    assert ends == Counter(
        (vote, Outcome.DEAD_LETTERED if vote in dead else Outcome.ANSWERED) for vote in range(20)
    )
    assert sorted(each.element for each in letters) == sorted(dead)
    assert tries == {vote: min(3, bad.get(vote, 0) + 1) for vote in range(20)}


def test_who_is_stopped_for_another_gives_its_element_back_and_it_counts_for_nothing() -> None:
    seen: list[int] = []

    async def slow(vote: int) -> None:
        seen.append(vote)
        await asyncio.sleep(1 if len(seen) > 3 else 100)

    async def failing() -> None:
        await asyncio.sleep(10)
        if len(seen) <= 3:
            raise OSError

    async def main() -> None:
        votes: Mailbox[int] = Mailbox(attempts=1)
        other = Supervised(failing, name="other", lasting="transient")
        async with tree(writer(votes, slow), other, strategy="one_for_all"):
            await votes.put(1)
            await votes.put(2)
            await votes.drained()
        assert (votes.answered, votes.dead_lettered) == (2, 0)

    run(main())
    assert seen == [1, 1, 1, 1, 2]


@given(
    gone=st.sets(st.tuples(st.integers(0, 29), st.integers(0, 40)), max_size=12),
    capacity=st.integers(1, 4),
    feeders=st.integers(1, 3),
)
def test_who_waits_for_room_gets_it_in_turn_whoever_gives_up(
    gone: set[tuple[int, int]], capacity: int, feeders: int
) -> None:
    taken: list[int] = []

    async def take(vote: int) -> None:
        taken.append(vote)
        await asyncio.sleep(1)

    async def main() -> set[int]:
        votes: Mailbox[int] = Mailbox(capacity)
        puts = [asyncio.create_task(votes.put(each)) for each in range(30)]
        feeds = [asyncio.create_task(votes.feed(take)) for _ in range(feeders + 1)]
        await asyncio.sleep(0)
        feeds.pop().cancel()
        for turn in range(41):
            for each in (each for each, at in gone if at == turn):
                puts[each].cancel()
            assert len(votes) <= capacity + feeders + 1
            await asyncio.sleep(0 if turn % 2 else 1)
        await asyncio.wait(puts)
        await votes.drained()
        votes.close()
        await asyncio.gather(*feeds)
        return {at for at, put in enumerate(puts) if not put.cancelled()}

    put = run(main())
    assert list(dict.fromkeys(taken)) == sorted(put)
    assert len(taken) - len(put) in (0, 1)  # what the one had who gave up feeding is taken again


def test_a_closed_mailbox_takes_no_more_and_feeding_ends() -> None:
    taken: list[int] = []

    async def take(vote: int) -> None:
        taken.append(vote)

    async def main() -> None:
        votes: Mailbox[int] = Mailbox(1)
        await votes.put(1)
        waiting = asyncio.ensure_future(votes.put(2))
        await asyncio.sleep(1)
        votes.close()
        with pytest.raises(StreamClosedError):
            await waiting
        await votes.feed(take)

    run(main())
    assert taken == [1]


def test_what_is_left_can_be_dropped_and_is_told() -> None:
    ends: list[Outcome] = []

    async def main() -> None:
        votes: Mailbox[int] = Mailbox()
        await votes.put(1, Context(settle=ends.append))
        votes.clear()
        await votes.drained()
        assert (votes.dropped, len(votes)) == (1, 0)

    run(main())
    assert ends == [Outcome.DROPPED]


def test_wrong_arguments_are_refused() -> None:
    wrong: Any = 3
    with pytest.raises(ValueError, match="capacity"):
        Mailbox(0)
    with pytest.raises(ValueError, match="attempts"):
        Mailbox(attempts=0)
    with pytest.raises(PipelineError, match="dead_letters"):
        Mailbox(dead_letters=wrong)


# Smith, Reactive Machine Learning Systems, chapter 2: votes are looked up remotely, and a supervised writer keeps them.


def test_three_remote_look_ups_take_as_long_as_the_slowest_and_no_longer_than_half_a_second() -> None:  # fmt: skip
    async def howler(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return f"after {seconds}"

    async def main() -> Any:
        flow = rxml.of(0.2, 0.49, 30.0).pipe(
            ops.fallback(ops.Rung(howler, within=0.5), default="none", concurrency=3)
        )
        answers = await flow.to_list()
        return [each.value for each in answers], asyncio.get_running_loop().time()

    values, seconds = run(main())
    assert values == ["after 0.2", "after 0.49", "none"]
    assert seconds == 0.5


def test_the_writer_loses_none_of_1000_votes_although_half_of_its_writes_fail() -> None:
    random, written = Random(7), list[int]()

    async def write(vote: int) -> None:
        if random.random() < 0.5:
            raise OSError("the database is busy")
        written.append(vote)

    async def main() -> None:
        votes: Mailbox[int] = Mailbox(10, attempts=100)
        async with tree(writer(votes, write)) as supervised:
            for vote in range(1000):
                await votes.put(vote)
            await votes.drained()
            restarts = sum(each.what == "restarting" for each in supervised.recent())
        assert restarts > 100

    run(main())
    assert written == list(range(1000))
