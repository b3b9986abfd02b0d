"""Where a key holds: behind all that lets elements through, and never silently no more."""

from __future__ import annotations

from typing import Any

import pytest

import rxml
from rxml import Flowable
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.errors import PipelineError
from rxml.eventtime.keying import Keying, keying_of
from rxml.flow.traits import lost
from rxml.testing.virtual_time import run
from rxml.windows import tumbling

ROWS: list[Any] = [{"k": key, "t": time} for time, key in enumerate("abab")]
KEYED: Any = rxml.from_iterable(ROWS).pipe(ops.key_by("k"))
OTHER: Any = rxml.empty()


def key(row: Any) -> Any:
    return row["k"]


def count(row: Any) -> int:
    number: int = row["n"]
    return number


def one(row: Any) -> Flowable[Any]:
    return rxml.of(row)


def last(_: Any, row: Any) -> Any:
    return row


def add(total: int, number: int) -> int:
    return total + number


def truth(item: Any) -> bool:
    return bool(item)


THROUGH: list[Any] = [
    ops.amb(KEYED),
    ops.catch(KEYED),
    ops.concat(KEYED, KEYED),
    ops.debounce(1),
    ops.deduplicate("k", 1, time="t"),
    ops.delay(1),
    ops.distinct(key_mapper=key),
    ops.distinct_until_changed(),
    ops.do_action(lambda _: None, on_error=lambda _: None),
    ops.element_at(1),
    ops.filter(truth),
    ops.finally_action(lambda: None),
    ops.first(truth),
    ops.ignore_elements(),
    ops.last(),
    ops.latest(time="t"),
    ops.merge(KEYED.pipe(ops.filter(truth))),
    ops.on_error_resume_next(KEYED),
    ops.on_overflow("drop_oldest", capacity=9),
    ops.prefetch(2),
    ops.repeat(2),
    ops.replay(2),
    ops.retry(1),
    ops.rows(),
    ops.sample(OTHER),
    ops.share(),
    ops.skip(1),
    ops.skip_last(1),
    ops.skip_until(OTHER),
    ops.skip_until_with_time(1),
    ops.skip_while(truth),
    ops.supervise("resume"),
    ops.take(2),
    ops.take_last(2),
    ops.take_until(OTHER),
    ops.take_until_with_time(1),
    ops.take_while(truth),
    ops.throttle(5),
    ops.timeout(5),
    ops.timeout(5, KEYED),
    ops.with_event_time("t", unit="s"),
]


@pytest.mark.parametrize("operator", THROUGH, ids=repr)
def test_a_key_holds_behind_what_lets_elements_through(operator: Any) -> None:
    flow = KEYED.pipe(operator)
    assert keying_of(flow) == Keying("k")
    assert lost(flow, Keying) is None


OTHERS: list[Any] = [
    ops.buffer(2),
    ops.concat(OTHER),
    ops.catch(lambda _, source: source),
    ops.default_if_empty(),
    ops.flat_map(one),
    ops.map(key),
    ops.merge(rxml.from_iterable(ROWS).pipe(ops.key_by("t"))),
    ops.pairwise(),
    ops.start_with({"k": "c", "t": 0}),
    ops.timeout(5, OTHER),
]


@pytest.mark.parametrize("operator", OTHERS, ids=repr)
def test_a_key_that_was_given_in_vain_is_not_lost_silently(operator: Any) -> None:
    flow = KEYED.pipe(operator, ops.filter(truth))
    name = flow.sources[0].spec.name
    keyed: list[Any] = [ops.aggregate(n=agg.count()), ops.scan(last), ops.latest(time="t")]
    for each in keyed:
        with pytest.raises(PipelineError) as caught:
            _ = flow.pipe(each)
        assert str(caught.value).startswith(
            f"key_by(k) says the key of elements that are gone here: behind {name}, built at {__file__}"
        )
        assert "put key_by behind it, or leave it out" in str(caught.value)
    behind = flow.pipe(ops.key_by("other"))
    assert keying_of(behind) == Keying("other")


def test_a_merge_without_the_key_of_one_input_is_named_itself() -> None:
    merged = rxml.from_iterable(ROWS).pipe(ops.merge(KEYED), ops.map(truth))
    with pytest.raises(PipelineError, match=r"behind merge, .* of inputs that do not all have"):
        _ = merged.pipe(ops.scan(last))


def test_what_has_used_the_key_may_be_put_together_without() -> None:
    counts = KEYED.pipe(ops.aggregate(n=agg.count()), ops.map(count))
    assert run(counts.pipe(ops.scan(add)).to_list()) == [1, 2, 4, 6]
    newest = KEYED.pipe(ops.latest(time="t"), ops.map(key))
    assert run(newest.pipe(ops.scan(max)).to_list()) == ["a", "b", "b", "b"]


def test_windows_behind_a_key_and_event_time_have_the_key() -> None:
    timed = KEYED.pipe(ops.with_event_time("t", unit="s"))
    rows: list[Any] = run(timed.pipe(ops.window(tumbling(60)).aggregate(n=agg.count())).to_list())
    assert [(row["k"], row["n"]) for row in rows] == [("a", 2), ("b", 2)]


def test_many_merges_take_no_deep_stack() -> None:
    flow = KEYED
    for _ in range(3_000):
        flow = flow.pipe(ops.merge(KEYED))
    assert keying_of(flow) == Keying("k")
    for _ in range(40):
        flow = flow.pipe(ops.merge(flow))
    assert keying_of(flow) == Keying("k")
