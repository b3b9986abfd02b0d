"""A drained run comes to its end behind operators that would subscribe again and again."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from rxml.reactive_streams import from_publisher
from rxml.rx import from_future
from rxml.testing import virtual_time
from tests.lift.untyped import R, rx
from tests.tck.manual import ManualPublisher
from tests.unit.operators.loose import ops, rxml

if TYPE_CHECKING:
    from collections.abc import Callable

AGAIN: dict[str, Callable[[Any], Any]] = {
    "repeat": lambda flow: flow.pipe(R.repeat()),
    "repeat, then delay": lambda flow: flow.pipe(R.repeat(), R.delay(5.0)),
    "repeat, then a timeout": lambda flow: flow.pipe(R.repeat(), R.timeout(3.0)),
    "repeat, then inner timers": lambda flow: flow.pipe(
        R.repeat(), R.flat_map(lambda x: rx.timer(5.0).pipe(R.map(lambda _: x)))
    ),
    "retry": lambda flow: flow.pipe(ops.concat(rxml.throw(KeyError("again"))), R.retry()),
    "do_while": lambda flow: flow.pipe(R.do_while(lambda _: True)),
}


@pytest.mark.parametrize("name", AGAIN)
def test_a_drained_run_ends_after_what_it_holds(name: str) -> None:
    async def main() -> tuple[bool, float]:
        went_in: list[Any] = []
        came_out: list[Any] = []
        flow = rxml.interval(1.0).pipe(ops.take(3), ops.do_action(went_in.append))
        clock = asyncio.get_running_loop().time
        async with AGAIN[name](flow).pipe(ops.do_action(came_out.append)).start() as run:
            run.drive()
            await asyncio.sleep(7.5)
            began = clock()
            drained = await run.drain(60)
            assert came_out == went_in
            assert len(went_in) >= 7
        return drained, clock() - began

    drained, seconds = virtual_time.run(main())
    assert drained
    assert seconds <= 5.5


def test_what_ends_by_itself_is_not_cut_short() -> None:
    async def main() -> list[Any]:
        out: list[Any] = []
        flow = rxml.range(3).pipe(R.delay(1.0), R.repeat(2), ops.do_action(out.append))
        async with flow.start() as run:
            run.drive()
            await run.wait()
        return out

    assert virtual_time.run(main()) == [0, 1, 2, 0, 1, 2]


ERROR = KeyError("the same object, run after run")


class Rejecting(ManualPublisher):
    """Signals one error object to all."""

    @override
    def subscribe(self, subscriber: Any) -> None:
        super().subscribe(subscriber)
        asyncio.get_running_loop().call_soon(subscriber.on_error, ERROR)


async def failed() -> None:
    raise ERROR


SIGNALLED: dict[str, Callable[[], Any]] = {
    "an operator of reactivex": lambda: rxml.of(1).pipe(R.flat_map(lambda _: rx.throw(ERROR))),
    "a publisher": lambda: from_publisher(Rejecting()),
    "a future": lambda: from_future(asyncio.ensure_future(failed())),
}


@pytest.mark.parametrize("name", SIGNALLED)
def test_an_error_that_is_signalled_again_and_again_keeps_the_traceback_of_one_run(
    name: str,
) -> None:
    async def main() -> list[int]:
        lengths: list[int] = []
        for _ in range(5):
            with pytest.raises(KeyError) as caught:
                await SIGNALLED[name]().to_list()
            assert caught.value is ERROR
            lengths.append(len(traceback.extract_tb(ERROR.__traceback__)))
        return lengths

    lengths = virtual_time.run(main())
    assert len(set(lengths[1:])) == 1, lengths
