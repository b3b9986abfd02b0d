"""Namesakes whose result does not depend on time."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.differential.draws import (
    NAN,
    anything,
    boxed,
    chained,
    falsy,
    functions,
    hashable,
    inputs,
    letter,
    no,
    numbers,
    paired,
    pairs,
    parity,
)
from tests.differential.row import Make, Row, plain
from tests.differential.side import Theirs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.side import Input, Side

counts = st.integers(0, 4)
numeric = inputs(numbers)


def called(
    name: str,
    *bodies: Callable[..., Any],
    given: st.SearchStrategy[Input] | None = None,
    **options: Any,
) -> Row:
    """The only argument is a function of the element."""

    def make(draw: st.DrawFn, drawn: Input) -> Make:
        function = draw(functions(drawn, *bodies))
        return lambda side: [getattr(side.operators, name)(function.on(side))]

    return Row(make, inputs(anything) if given is None else given, **options)


def other(make: Callable[[Side, Any], Any]) -> Row:
    """Given a further stream."""

    def drawn(draw: st.DrawFn, _: Input) -> Make:
        second = draw(inputs(anything))
        return lambda side: [make(side, side.stream(second))]

    return Row(drawn)


def first_of(name: str, *rest: Any) -> Row:
    """A predicate and a default, by position, or neither."""

    def make(draw: st.DrawFn, given: Input) -> Make:
        function = draw(st.none() | functions(given, parity, falsy, no))
        drawn = [draw(each) for each in rest]
        return lambda side: [
            getattr(side.operators, name)(None if function is None else function.on(side), *drawn)
        ]

    return Row(make)


def _last_or_default(draw: st.DrawFn, given: Input) -> Make:
    function, default = draw(functions(given, parity, no)), draw(anything)
    return lambda side: [side.operators.last_or_default(default, function.on(side))]


def _seeded(name: str) -> Row:
    def make(draw: st.DrawFn, given: Input) -> Make:
        function = draw(functions(given, chained))
        seed = draw(st.just(()) | st.tuples(anything))
        return lambda side: [getattr(side.operators, name)(function.on(side), *seed)]

    return Row(make)


def _distinct(name: str, *keys: Callable[..., Any]) -> Row:
    def make(draw: st.DrawFn, given: Input) -> Make:
        key = draw(functions(given, *keys))
        compared = draw(st.booleans())
        return lambda side: [
            getattr(side.operators, name)(
                key.on(side), *([lambda a, b: repr(a) == repr(b)] if compared else [])
            )
        ]

    return Row(make)


def _compared(name: str) -> Row:
    def make(draw: st.DrawFn, given: Input) -> Make:
        function = draw(
            st.none() | functions(given, lambda a, b: b - a, lambda a, b: abs(a) - abs(b))
        )
        return lambda side: [
            getattr(side.operators, name)(*([] if function is None else [function.on(side)]))
        ]

    return Row(make, inputs(numbers | st.just(NAN)))


def _keyed(name: str) -> Row:
    def make(draw: st.DrawFn, given: Input) -> Make:
        function = draw(st.none() | functions(given, lambda x: x * 2))
        return lambda side: [
            getattr(side.operators, name)(*([] if function is None else [function.on(side)]))
        ]

    return Row(make, numeric | inputs(anything, most=3))


def _take_while(draw: st.DrawFn, given: Input) -> Make:
    function, inclusive = draw(functions(given, parity, falsy)), draw(st.booleans())
    return lambda side: [side.operators.take_while(function.on(side), inclusive)]


def _do_action(draw: st.DrawFn, given: Input) -> Make:
    function = draw(functions(given, paired))
    return lambda side: [side.operators.do_action(function.on(side))]


def _dematerialize(_: st.DrawFn, __: Input) -> Make:
    return lambda side: [side.operators.materialize(), side.operators.dematerialize()]


def _retry(draw: st.DrawFn, given: Input) -> Make:
    count, function = draw(st.integers(1, 3)), draw(functions(given, paired))
    return lambda side: [side.operators.map(function.on(side)), side.operators.retry(count)]


def _replay(draw: st.DrawFn, _: Input) -> Make:
    size = draw(st.none() | st.integers(1, 3))

    def make(side: Side) -> list[Any]:
        # In rxml it counts its subscribers by itself.
        counting = [side.operators.ref_count()] if isinstance(side, Theirs) else []
        return [side.operators.replay(size), *counting]

    return make


def _group_by(draw: st.DrawFn, given: Input) -> Make:
    key = draw(functions(given, letter, parity))
    return lambda side: [side.operators.group_by(key.on(side))]


def _starmap(draw: st.DrawFn, given: Input) -> Make:
    function = draw(functions(given, lambda a, b: [b, a]))
    return lambda side: [side.operators.starmap(function.on(side))]


def _concat_map(draw: st.DrawFn, given: Input) -> Make:
    inner = draw(inputs(anything, most=3))
    function = draw(functions(given, paired))

    def project(side: Side) -> Callable[[Any], Any]:
        checked = function.on(side)
        return lambda x: checked(x) and side.stream(inner)

    return lambda side: [side.operators.concat_map(project(side))]


ROWS: dict[str, list[Row]] = {
    "all": [called("all", parity, falsy, lambda _: True)],
    "average": [_keyed("average")],
    "catch": [
        other(lambda side, second: side.operators.catch(second)),
        other(lambda side, second: side.operators.catch(lambda error, source: second)),
        Row(
            lambda draw, _: (
                lambda side: [
                    side.operators.catch(lambda error, source: source.pipe(side.operators.take(0)))
                ]
            )
        ),
    ],
    "concat": [other(lambda side, second: side.operators.concat(second, second)), plain("concat")],
    "concat_map": [Row(_concat_map)],
    "contains": [plain("contains", hashable), plain("contains", anything)],
    "count": [first_of("count")],
    "default_if_empty": [plain("default_if_empty", anything), plain("default_if_empty")],
    "dematerialize": [Row(_dematerialize)],
    "distinct": [_distinct("distinct", letter, boxed, paired)],
    "distinct_until_changed": [_distinct("distinct_until_changed", letter, boxed, paired)],
    "do_action": [Row(_do_action)],
    "element_at": [plain("element_at", counts)],
    "element_at_or_default": [plain("element_at_or_default", counts, anything)],
    "filter": [called("filter", parity, falsy)],
    "finally_action": [plain("finally_action", lambda: None)],
    "first": [first_of("first")],
    "first_or_default": [first_of("first_or_default", anything)],
    "group_by": [Row(_group_by, join=True)],
    "ignore_elements": [plain("ignore_elements")],
    "is_empty": [plain("is_empty")],
    "last": [first_of("last")],
    "last_or_default": [Row(_last_or_default), plain("last_or_default", anything)],
    "map": [called("map", paired, repr), plain("map")],
    "materialize": [plain("materialize")],
    "max": [_compared("max")],
    "min": [_compared("min")],
    "on_error_resume_next": [
        other(lambda side, second: side.operators.on_error_resume_next(second))
    ],
    "pairwise": [plain("pairwise")],
    "reduce": [_seeded("reduce")],
    "repeat": [plain("repeat", st.integers(1, 3))],
    "replay": [Row(_replay)],
    "retry": [Row(_retry), plain("retry", st.integers(1, 3))],
    "scan": [_seeded("scan")],
    "share": [plain("share")],
    "skip": [plain("skip", counts)],
    "skip_last": [plain("skip_last", counts)],
    "skip_while": [called("skip_while", parity, falsy)],
    "some": [first_of("some")],
    "starmap": [Row(_starmap, inputs(pairs)), plain("starmap", given=inputs(pairs))],
    "start_with": [plain("start_with", anything, anything), plain("start_with")],
    "sum": [_keyed("sum")],
    "take": [plain("take", counts)],
    "take_last": [plain("take_last", counts)],
    "take_while": [Row(_take_while)],
    "to_list": [plain("to_list")],
}
