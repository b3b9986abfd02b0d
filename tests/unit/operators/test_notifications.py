"""Notifications are those of reactivex, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import reactivex
from reactivex import operators as rx
from typing_extensions import override

import rxml
from rxml import operators as ops
from rxml.flow.notification import OnCompleted, OnError, OnNext
from rxml.testing import run

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

ERROR = ValueError("it")


def piped(flow: rxml.Flowable[Any], *operators: Operator[Any, Any]) -> rxml.Flowable[Any]:
    return flow.pipe(*operators)


def broken(x: int) -> int:
    if x == 0:
        raise ERROR
    return x


def test_what_rxml_materialises_reactivex_takes_back() -> None:
    notifications: list[Any] = run(
        piped(rxml.of(1, 0), ops.map(broken), ops.materialize()).to_list()
    )
    found: list[Any] = []
    errors: list[Exception] = []
    reactivex.from_iterable(notifications).pipe(rx.dematerialize()).subscribe(
        found.append, errors.append
    )
    assert (found, errors) == ([1], [ERROR])


def test_what_reactivex_materialises_rxml_takes_back() -> None:
    notifications: list[Any] = []
    reactivex.of(1, 2).pipe(rx.materialize()).subscribe(notifications.append)
    assert run(piped(rxml.from_iterable(notifications), ops.dematerialize()).to_list()) == [1, 2]
    failed: list[Any] = []
    reactivex.throw(ERROR).pipe(rx.materialize()).subscribe(failed.append)
    with pytest.raises(ValueError, match="it") as caught:
        run(piped(rxml.from_iterable(failed), ops.dematerialize()).run())
    assert caught.value is ERROR


def test_after_the_end_nothing_is_taken_back() -> None:
    given: list[Any] = [OnNext(1), OnCompleted(), OnNext(2)]
    assert run(piped(rxml.from_iterable(given), ops.dematerialize()).to_list()) == [1]


def test_a_notification_of_ones_own_is_asked_what_it_does() -> None:
    class Twice(OnNext[Any]):
        @override
        def _accept(self, on_next: Any, on_error: Any = None, on_completed: Any = None) -> None:
            on_next(self.value)
            on_next(self.value)

    assert run(piped(rxml.of(Twice(1)), ops.dematerialize()).to_list()) == [1, 1]


def test_what_is_no_notification_fails() -> None:
    with pytest.raises(AttributeError, match="accept"):
        run(piped(rxml.of(1), ops.dematerialize()).to_list())


def test_an_error_becomes_an_element_and_then_the_stream_ends() -> None:
    flow = piped(rxml.throw(ERROR), ops.materialize())
    (only,) = run(flow.to_list())
    assert isinstance(only, OnError)
    assert only.exception is ERROR
