"""One row for each of reactivex's operators: two are in `apart`, since what they give is no Observable."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

from tests.lift.sample import Sample, now, timed
from tests.lift.untyped import R, Subject, rx, schedulers


class Once:
    """True the first `count` times that it is asked."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self, _: Any = None) -> bool:
        self.left -= 1
        return self.left >= 0


class Failing:
    """Fails the first `count` times that it meets an element, then passes it on."""

    def __init__(self, count: int, element: int) -> None:
        self.left, self.element = count, element

    def __call__(self, x: int) -> int:
        if x == self.element and self.left > 0:
            self.left -= 1
            raise ValueError(x)
        return x


class Seen:
    """An observer that says nothing."""

    def on_next(self, value: Any) -> None: ...
    def on_error(self, error: Exception) -> None: ...
    def on_completed(self) -> None: ...


def lists() -> Any:
    """Inner observables as lists, in the order in which they end."""
    return R.flat_map(lambda inner: inner.pipe(R.to_list()))


def even(x: int) -> bool:
    return x % 2 == 0


def inner(x: int) -> Any:
    """An observable that takes x tenths of a second."""
    return rx.timer(x / 10).pipe(R.map(lambda _: x))


def tick(seconds: float) -> Any:
    return rx.timer(seconds)


PAIRS = [(1, 2), (3, 4)]
BOOM = ValueError("boom")

SAMPLES: dict[str, list[Sample]] = {
    "all": [now(lambda: R.all(even)), now(lambda: R.all(lambda x: x > 0))],
    "amb": [timed(lambda: R.amb(tick(0.5))), timed(lambda: R.amb(tick(5)))],
    "as_observable": [now(R.as_observable), now(R.as_observable, error=BOOM)],
    "average": [
        now(R.average),
        now(lambda: R.average(lambda x: x * 2)),
        now(R.average, elements=[]),
    ],
    "buffer": [timed(lambda: R.buffer(rx.interval(2.5)))],
    "buffer_toggle": [
        timed(lambda: R.buffer_toggle(rx.interval(2.2).pipe(R.take(3)), lambda _: tick(3.1)))
    ],
    "buffer_when": [timed(lambda: R.buffer_when(lambda: tick(2.5)))],
    "buffer_with_count": [
        now(lambda: R.buffer_with_count(3)),
        now(lambda: R.buffer_with_count(3, 2)),
    ],
    "buffer_with_time": [
        timed(lambda: R.buffer_with_time(2.5)),
        timed(lambda: R.buffer_with_time(2.5, 1.2)),
        now(lambda: R.buffer_with_time(1.0)),
    ],
    "buffer_with_time_or_count": [timed(lambda: R.buffer_with_time_or_count(2.5, 2))],
    "catch": [
        now(lambda: R.catch(rx.of(7, 8)), error=BOOM),
        now(lambda: R.catch(lambda error, _: rx.of(str(error))), error=BOOM),
    ],
    "combine_latest": [timed(lambda: R.combine_latest(rx.interval(1.5).pipe(R.take(3))))],
    "concat": [now(lambda: R.concat(rx.of(7), rx.of(8)))],
    "concat_all": [now(lambda: R.map(inner), R.concat_all)],
    "concat_map": [
        now(lambda: R.concat_map(inner)),
        timed(lambda: R.concat_map(lambda x: rx.of(x, x))),
    ],
    "contains": [now(lambda: R.contains(4)), now(lambda: R.contains(7))],
    "count": [now(R.count), now(lambda: R.count(even)), now(R.count, error=BOOM)],
    "debounce": [
        timed(lambda: R.debounce(0.5)),
        timed(lambda: R.debounce(1.5)),
        now(lambda: R.debounce(1)),
    ],
    "default_if_empty": [
        now(lambda: R.default_if_empty(7)),
        now(lambda: R.default_if_empty(7), elements=[]),
    ],
    "delay": [
        timed(lambda: R.delay(2.5)),
        now(lambda: R.delay(2.5)),
        timed(lambda: R.delay(2.5), error=BOOM),
    ],
    "delay_subscription": [timed(lambda: R.delay_subscription(2.5))],
    "delay_with_mapper": [
        now(lambda: R.delay_with_mapper(inner)),
        now(lambda: R.delay_with_mapper(tick(1), inner)),
    ],
    "dematerialize": [
        now(R.materialize, R.dematerialize),
        now(R.materialize, R.dematerialize, error=BOOM),
    ],
    "distinct": [now(R.distinct), now(lambda: R.distinct(even))],
    "distinct_until_changed": [now(lambda: R.distinct_until_changed(even))],
    "do": [now(lambda: R.do(Seen()))],
    "do_action": [
        now(lambda: R.do_action(lambda _: None)),
        now(lambda: R.do_action(Failing(1, 5))),
    ],
    "do_while": [now(lambda: R.do_while(Once(2)))],
    "element_at": [now(lambda: R.element_at(2)), now(lambda: R.element_at(20))],
    "element_at_or_default": [now(lambda: R.element_at_or_default(20, 7))],
    "exclusive": [timed(lambda: R.map(lambda x: inner(x * 5)), R.exclusive)],
    "expand": [timed(lambda: R.expand(lambda x: rx.of(x + 10) if x < 25 else rx.empty()))],
    "filter": [now(lambda: R.filter(even)), now(lambda: R.filter(lambda x: 1 // (x - 4)))],
    "filter_indexed": [now(lambda: R.filter_indexed(lambda _, i: i % 2))],
    "finally_action": [now(lambda: R.finally_action(lambda: None))],
    "find": [now(lambda: R.find(lambda x, *_: x > 4)), now(lambda: R.find(lambda x, *_: x > 40))],
    "find_index": [now(lambda: R.find_index(lambda x, *_: x > 4))],
    "first": [now(R.first), now(lambda: R.first(even)), now(R.first, elements=[])],
    "first_or_default": [now(lambda: R.first_or_default(lambda x: x > 10, 7))],
    "flat_map": [now(lambda: R.flat_map(inner)), now(lambda: R.flat_map(lambda x: rx.of(x, x)))],
    "flat_map_indexed": [now(lambda: R.flat_map_indexed(lambda x, i: rx.of(x * i)))],
    "flat_map_latest": [timed(lambda: R.flat_map_latest(lambda x: inner(x * 5)))],
    "fork_join": [now(lambda: R.fork_join(rx.of(7, 8)))],
    "group_by": [now(lambda: R.group_by(even), lists)],
    "group_by_until": [timed(lambda: R.group_by_until(even, None, lambda _: tick(2.5)), lists)],
    "group_join": [
        timed(
            lambda: R.group_join(
                rx.interval(1.5).pipe(R.take(4)), lambda _: tick(1), lambda _: tick(1)
            ),
            lambda: R.flat_map(lambda pair: pair[1].pipe(R.map(lambda y: (pair[0], y)))),
        )
    ],
    "ignore_elements": [now(R.ignore_elements), now(R.ignore_elements, error=BOOM)],
    "is_empty": [now(R.is_empty), now(R.is_empty, elements=[])],
    "join": [
        timed(
            lambda: R.join(rx.interval(1.5).pipe(R.take(4)), lambda _: tick(1), lambda _: tick(1))
        )
    ],
    "last": [now(R.last), now(lambda: R.last(lambda x: x < 4)), now(R.last, elements=[])],
    "last_or_default": [now(lambda: R.last_or_default(7, lambda x: x > 10))],
    "map": [
        now(lambda: R.map(str)),
        now(lambda: R.map(lambda x: 1 // (x - 4))),
        now(lambda: R.map(str), error=BOOM),
    ],
    "map_indexed": [now(lambda: R.map_indexed(lambda x, i: (x, i)))],
    "materialize": [
        now(R.materialize, lambda: R.map(str)),
        now(R.materialize, lambda: R.map(str), error=BOOM),
    ],
    "max": [now(R.max), now(lambda: R.max(lambda a, b: b - a))],
    "max_by": [now(lambda: R.max_by(lambda x: x % 5))],
    "merge": [
        timed(lambda: R.merge(rx.interval(1.5).pipe(R.take(3)))),
        now(lambda: R.map(inner), lambda: R.merge(max_concurrent=2)),
    ],
    "merge_all": [now(lambda: R.map(inner), R.merge_all)],
    "min": [now(R.min), now(R.min, elements=[])],
    "min_by": [now(lambda: R.min_by(lambda x: x % 5))],
    "multicast": [
        now(lambda: R.multicast(Subject())),
        now(
            lambda: R.multicast(
                subject_factory=lambda _: Subject(), mapper=lambda s: s.pipe(R.map(str))
            )
        ),
    ],
    "observe_on": [now(lambda: R.observe_on(schedulers.ImmediateScheduler()))],
    "on_error_resume_next": [now(lambda: R.on_error_resume_next(rx.of(7)), error=BOOM)],
    "pairwise": [now(R.pairwise), now(R.pairwise, elements=[1])],
    "pluck": [now(lambda: R.pluck("a"), elements=[{"a": 1}, {"a": 2}])],
    "pluck_attr": [now(lambda: R.pluck_attr("real"))],
    "publish": [
        now(R.publish),
        now(R.publish, R.ref_count),
        now(lambda: R.publish(lambda s: rx.zip(s, s.pipe(R.skip(1))))),
    ],
    "publish_value": [now(lambda: R.publish_value(7))],
    "reduce": [
        now(lambda: R.reduce(lambda a, b: a + b)),
        now(lambda: R.reduce(lambda a, b: a + b, 10), elements=[]),
    ],
    "ref_count": [now(R.publish, R.ref_count), timed(R.publish, R.ref_count)],
    "repeat": [now(lambda: R.repeat(3)), timed(lambda: R.repeat(2))],
    "replay": [now(R.replay), now(lambda: R.replay(mapper=lambda s: s.pipe(R.concat(s))))],
    "retry": [
        now(lambda: R.map(Failing(2, 5)), lambda: R.retry(3)),
        now(lambda: R.retry(2), error=BOOM),
    ],
    "sample": [timed(lambda: R.sample(2.5)), timed(lambda: R.sample(rx.interval(1.7)))],
    "scan": [now(lambda: R.scan(lambda a, b: a + b)), now(lambda: R.scan(lambda a, b: a + b, 10))],
    "sequence_equal": [
        now(lambda: R.sequence_equal([3, 1, 4, 1, 5, 9, 2, 6])),
        now(lambda: R.sequence_equal([3])),
    ],
    "share": [now(R.share), timed(R.share)],
    "single": [now(lambda: R.single(lambda x: x == 4)), now(R.single)],
    "single_or_default": [now(lambda: R.single_or_default(lambda x: x > 10, 7))],
    "single_or_default_async": [
        now(lambda: R.single_or_default_async(has_default=True, default_value=7), elements=[])
    ],
    "skip": [now(lambda: R.skip(3))],
    "skip_last": [now(lambda: R.skip_last(3))],
    "skip_last_with_time": [timed(lambda: R.skip_last_with_time(2.5))],
    "skip_until": [timed(lambda: R.skip_until(tick(3.5)))],
    "skip_until_with_time": [timed(lambda: R.skip_until_with_time(3.5))],
    "skip_while": [now(lambda: R.skip_while(lambda x: x < 5))],
    "skip_while_indexed": [now(lambda: R.skip_while_indexed(lambda _, i: i < 5))],
    "skip_with_time": [timed(lambda: R.skip_with_time(3.5))],
    "slice": [now(lambda: R.slice(1, -1, 2))],
    "some": [now(lambda: R.some(even)), now(R.some, elements=[])],
    "starmap": [now(lambda: R.starmap(lambda a, b: a + b), elements=PAIRS)],
    "starmap_indexed": [
        now(lambda: R.starmap_indexed(lambda a, b, i: a + b + i), elements=[(1, 2, 0), (3, 4, 1)])
    ],
    "start_with": [now(lambda: R.start_with(7, 8))],
    "subscribe_on": [now(lambda: R.subscribe_on(schedulers.ImmediateScheduler()))],
    "sum": [now(R.sum), now(lambda: R.sum(lambda x: x * 2))],
    "switch_latest": [timed(lambda: R.map(lambda x: inner(x * 5)), R.switch_latest)],
    "switch_map": [timed(lambda: R.switch_map(lambda x: inner(x * 5)))],
    "switch_map_indexed": [timed(lambda: R.switch_map_indexed(lambda x, i: inner(x * i)))],
    "take": [now(lambda: R.take(3)), now(lambda: R.take(0))],
    "take_last": [now(lambda: R.take_last(3))],
    "take_last_buffer": [now(lambda: R.take_last_buffer(3))],
    "take_last_with_time": [timed(lambda: R.take_last_with_time(2.5))],
    "take_until": [timed(lambda: R.take_until(tick(3.5)))],
    "take_until_with_time": [timed(lambda: R.take_until_with_time(3.5))],
    "take_while": [
        now(lambda: R.take_while(lambda x: x < 5)),
        now(lambda: R.take_while(lambda x: x < 5, inclusive=True)),
    ],
    "take_while_indexed": [now(lambda: R.take_while_indexed(lambda _, i: i < 5))],
    "take_with_time": [timed(lambda: R.take_with_time(3.5))],
    "tap": [now(lambda: R.tap(lambda _: None))],
    "throttle_first": [timed(lambda: R.throttle_first(2.5))],
    "throttle_with_mapper": [timed(lambda: R.throttle_with_mapper(lambda x: tick(x / 4 + 0.1)))],
    "throttle_with_timeout": [timed(lambda: R.throttle_with_timeout(0.5))],
    "time_interval": [timed(R.time_interval)],
    "timeout": [
        timed(lambda: R.timeout(1.5)),
        timed(lambda: R.timeout(0.5)),
        timed(lambda: R.timeout(0.5, rx.of(7))),
    ],
    "timeout_with_mapper": [
        timed(lambda: R.timeout_with_mapper(tick(1.5), lambda x: tick(8.5 - x)))
    ],
    "timestamp": [timed(R.timestamp)],
    "to_dict": [now(lambda: R.to_dict(lambda x: x, str))],
    "to_iterable": [now(R.to_iterable)],
    "to_list": [now(R.to_list), now(R.to_list, error=BOOM)],
    "to_marbles": [timed(lambda: R.to_marbles(0.5)), timed(lambda: R.to_marbles(0.5), error=BOOM)],
    "to_set": [now(R.to_set)],
    "while_do": [now(lambda: R.while_do(Once(2)))],
    "window": [timed(lambda: R.window(rx.interval(2.5)), lists)],
    "window_toggle": [
        timed(lambda: R.window_toggle(rx.interval(2.2).pipe(R.take(3)), lambda _: tick(3.1)), lists)
    ],
    "window_when": [timed(lambda: R.window_when(lambda: tick(2.5)), lists)],
    "window_with_count": [now(lambda: R.window_with_count(3, 2), lists)],
    "window_with_time": [timed(lambda: R.window_with_time(2.5), lists)],
    "window_with_time_or_count": [timed(lambda: R.window_with_time_or_count(2.5, 2), lists)],
    "with_latest_from": [timed(lambda: R.with_latest_from(rx.interval(1.5)))],
    "zip": [timed(lambda: R.zip(rx.interval(1.5))), now(lambda: R.zip(rx.of(7, 8)))],
    "zip_latest": [timed(lambda: R.zip_latest(rx.interval(1.5).pipe(R.take(3))))],
    "zip_with_iterable": [now(lambda: R.zip_with_iterable([7, 8, 9]))],
    "zip_with_list": [now(lambda: R.zip_with_list([7, 8, 9]))],
}

APART = {"partition", "partition_indexed", "to_future"}
"""Give no Observable: see `test_apart`."""
