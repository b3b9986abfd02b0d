"""One comparison: a row, an input that is drawn, and both sides run on it."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from rxml.testing import virtual_time
from tests.differential.side import NEVER, Ours, Outcome, Theirs

if TYPE_CHECKING:
    from tests.differential.row import Row


def compare(row: Row) -> None:
    """Run both sides on random inputs; outputs, moments, the terminal signal and the error must be the same."""

    @given(st.data())
    def check(data: st.DataObject) -> None:
        ours, theirs = outcomes(row, data)
        assert ours.signals == theirs.signals
        if theirs.end == NEVER or (row.may_end_sooner and ours.at < theirs.at):
            assert ours.end == "end"
        else:
            assert (ours.end, ours.at) == (theirs.end, theirs.at)

    check()


def outcomes(row: Row, data: st.DataObject) -> tuple[Outcome, Outcome]:
    """What each side makes of one input that is drawn."""
    source = data.draw(row.given)
    draw: Any = data.draw
    make = row.make(draw, source)
    n = data.draw(st.sampled_from([1, 2, 1024]))

    async def theirs() -> Outcome:
        return await Theirs.run(_built(Theirs(), row, make, source))

    async def ours() -> Outcome:
        return await Ours.run(_built(Ours(), row, make, source), n)

    mine = virtual_time.run(ours(), limit_seconds=3)
    if row.timed:
        yours = virtual_time.run(theirs(), limit_seconds=3, check_leaks=False)
    else:
        yours = Theirs.now(_built(Theirs(), row, make, source))
    # In which order streams that end at one moment are told to have ended, nobody says.
    return (mine.sorted(), yours.sorted()) if row.join else (mine, yours)


def _built(side: Any, row: Row, make: Any, source: Any) -> Any:
    operators = make(side)
    stream = side.stream(source)
    for operator in operators:
        stream = operator(stream)
    return side.joined(stream, tuple) if row.join else stream
