"""Namesakes whose result depends on when elements come: compared to the moment, under virtual time.

All moments are different: elements come every 1, 0.617, 1.371 or 0.293 seconds, and what is given in seconds is odd.
"""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.differential.draws import anything, functions, inputs, paired, parity
from tests.differential.row import Make, Row, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.side import Input, Side

main = inputs(anything, spacing=1.0)
PACES = [0.617, 1.371, 0.293]
seconds = st.sampled_from([0.0501, 0.5003, 1.5007, 2.7011])


def beside(
    make: Callable[[Side, list[Any]], Any], count: int = 1, *, fails: bool = True, **options: Any
) -> Row:
    """Given further streams, each with a pace of its own."""

    def drawn(draw: st.DrawFn, _: Input) -> Make:
        others = [
            draw(inputs(anything, spacing=PACES[i], most=6, fails=fails)) for i in range(count)
        ]
        return lambda side: [make(side, [side.stream(each) for each in others])]

    return Row(drawn, inputs(anything, spacing=1.0, fails=fails), timed=True, **options)


def inner(name: str, most: int = 3, *, fails: bool = True) -> Row:
    """Given a function from an element to a stream."""

    def make(draw: st.DrawFn, given: Input) -> Make:
        others = [draw(inputs(anything, spacing=pace, most=most, fails=False)) for pace in PACES]
        function = draw(functions(given, paired))

        def project(side: Side) -> Callable[[Any], Any]:
            checked, calls = function.on(side) if fails else paired, iter(range(100))
            return lambda x: checked(x) and side.stream(others[next(calls) % len(others)])

        return lambda side: [getattr(side.operators, name)(project(side))]

    return Row(make, inputs(anything, spacing=1.0, most=5, fails=fails), timed=True)


def passing(name: str) -> Row:
    """Given a number of seconds."""
    return plain(name, seconds, given=main, timed=True)


def _timeout(draw: st.DrawFn, _: Input) -> Make:
    limit, second = draw(seconds), draw(st.none() | inputs(anything, spacing=0.617))
    return lambda side: [
        side.operators.timeout(limit, None if second is None else side.stream(second))
    ]


def _partition(draw: st.DrawFn, given: Input) -> Make:
    function = draw(functions(given, parity))

    def parts(side: Side) -> Callable[[Any], Any]:
        def both(stream: Any) -> Any:
            yes, no = side.operators.partition(function.on(side))(stream)
            marked = no.pipe(side.operators.map(lambda x: ("no", x)))
            return yes.pipe(side.operators.map(lambda x: ("yes", x)), side.operators.merge(marked))

        return both

    return lambda side: [parts(side)]


ROWS: dict[str, list[Row]] = {
    "amb": [beside(lambda side, others: side.operators.amb(*others))],
    "buffer": [beside(lambda side, others: side.operators.buffer(*others))],
    "combine_latest": [
        beside(lambda side, others: side.operators.combine_latest(*others), 2, may_end_sooner=True)
    ],
    # reactivex takes all elements as they come and lets their errors overtake; rxml asks for one at a time.
    "concat_map": [inner("concat_map", fails=False)],
    "debounce": [passing("debounce")],
    "delay": [passing("delay")],
    "flat_map": [inner("flat_map")],
    "fork_join": [beside(lambda side, others: side.operators.fork_join(*others), 2)],
    "merge": [beside(lambda side, others: side.operators.merge(*others), 2)],
    "partition": [Row(_partition, main, timed=True)],
    "sample": [
        passing("sample"),
        beside(lambda side, others: side.operators.sample(*others), may_end_sooner=True),
    ],
    "skip_until": [beside(lambda side, others: side.operators.skip_until(*others))],
    "skip_until_with_time": [passing("skip_until_with_time")],
    "switch_map": [inner("switch_map")],
    "take_until": [beside(lambda side, others: side.operators.take_until(*others))],
    "take_until_with_time": [passing("take_until_with_time")],
    "timeout": [Row(_timeout, main, timed=True)],
    "window": [beside(lambda side, others: side.operators.window(*others), join=True)],
    "with_latest_from": [beside(lambda side, others: side.operators.with_latest_from(*others), 2)],
    # An input's failure comes behind its elements, and zip asks for them one by one: reactivex lets it overtake.
    "zip": [beside(lambda side, others: side.operators.zip(*others), 2, fails=False)],
    "zip_latest": [beside(lambda side, others: side.operators.zip_latest(*others), 2)],
}
