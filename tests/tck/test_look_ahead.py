"""What a subscriber hears that asks for no more: the end, and failures (rules 1.4, 1.5, 2.9, 2.10)."""

# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.reactive_streams import to_publisher
from rxml.testing import virtual_time
from tests.tck.manual import Environment, settle

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from tests.tck.manual import ManualSubscriber


def heard(flow: Flowable[Any], *requests: int, look_ahead: bool = True) -> ManualSubscriber:
    """A subscriber that has asked for so many elements, one time after the other."""

    async def main() -> ManualSubscriber:
        env = Environment()
        sub = await env.subscribed(to_publisher(flow, look_ahead=look_ahead))
        for n in requests:
            sub.request(n)
            await settle()
        env.verify_no_errors()
        sub.cancel()
        await settle()
        return sub

    return virtual_time.run(main())


FINITE: dict[str, Flowable[Any]] = {
    "a list": rxml.of(0, 1, 2),
    "take": rxml.range(10).pipe(ops.take(3)),
    "take behind reactivex": rxml.range(10).pipe(ops.map(int), ops.take(3)),
    "a slow source": rxml.interval(0.01).pipe(ops.take(3)),
}


@pytest.mark.parametrize("name", FINITE)
def test_who_has_asked_for_exactly_what_there_is_hears_the_end(name: str) -> None:
    sub = heard(FINITE[name], 3)
    assert (sub.elements, sub.ended) == ([0, 1, 2], [None])


def test_who_has_asked_for_less_hears_no_end() -> None:
    sub = heard(rxml.range(10), 1, 2)
    assert (sub.elements, sub.ended) == ([0, 1, 2], [])


def test_an_empty_stream_ends_and_a_failed_one_fails_without_a_request() -> None:
    assert heard(rxml.empty()).ended == [None]
    assert str(heard(rxml.throw(KeyError("lost"))).ended[0]) == "'lost'"


def test_a_failure_comes_behind_the_elements_before_it_and_needs_no_request() -> None:
    sub = heard(rxml.of(2, 1, 0, 5).through(ops.map(lambda x: 2 / x)), 2)
    assert sub.elements == [1.0, 2.0]
    assert isinstance(sub.ended[0], ZeroDivisionError)


@pytest.mark.parametrize(("requests", "taken"), [((), 1), ((1,), 2), ((2, 3), 6)])
def test_one_element_more_is_taken_than_was_asked_for(
    requests: tuple[int, ...], taken: int
) -> None:
    pulled: list[int] = []
    sub = heard(rxml.range(100).pipe(ops.do_action(pulled.append)), *requests)
    assert pulled == list(range(taken))
    assert sub.elements == pulled[:-1]


def test_nothing_is_taken_beyond_what_an_operator_wants() -> None:
    pulled: list[int] = []
    heard(rxml.range(100).pipe(ops.do_action(pulled.append), ops.take(3)), 3)
    assert pulled == [0, 1, 2]


def test_without_look_ahead_nothing_is_taken_unasked_and_the_end_waits_for_a_request() -> None:
    pulled: list[int] = []
    flow = rxml.of(0, 1).pipe(ops.do_action(pulled.append))
    assert heard(flow, look_ahead=False).ended == []
    assert pulled == []
    assert heard(flow, 1, look_ahead=False).elements == pulled == [0]
    assert heard(flow, 2, look_ahead=False).ended == []
    assert heard(flow, 2, 1, look_ahead=False).ended == [None]
