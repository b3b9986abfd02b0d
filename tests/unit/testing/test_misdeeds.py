"""Sources that break a rule break that one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from rxml.testing import Kind, Misdeed, Timeline, non_compliant, run

if TYPE_CHECKING:
    from rxml import Chunk


def answers(misdeed: Misdeed, *demands: int, elements: tuple[Any, ...] = (1, 2, 3)) -> list[Any]:
    """What the requests give, elements and a mark for the end, or the error."""

    async def main() -> list[Any]:
        shown: list[Any] = []
        async with non_compliant(elements, misdeed).open() as subscription:
            for n in demands:
                try:
                    chunk: Chunk[Any] = await subscription.request(n)
                except ValueError as error:
                    shown.append(str(error))
                else:
                    shown.append([*chunk.elements, *(["end"] if chunk.end else [])])
            if misdeed is Misdeed.CANCEL_RAISES:
                with pytest.raises(ValueError, match="cancel raised"):
                    await subscription.cancel()
                misdeeds_done(subscription)
        return shown

    return run(main())


def misdeeds_done(subscription: Any) -> None:
    """Let a second cancel pass, so that the run can be closed."""
    subscription._misdeed = Misdeed.DEAF


@pytest.mark.parametrize(
    ("misdeed", "demands", "shown"),
    [
        (Misdeed.OVER_EMITS, (1, 1, 1), [[1, 2], [3], ["end"]]),
        (Misdeed.EMPTY_CHUNKS, (2,) * 5, [[], [], [], [1, 2], []]),
        (Misdeed.ELEMENTS_WITH_END, (2, 2), [[1, 2], [3, "end"]]),
        (Misdeed.DATA_AFTER_END, (3, 1, 1), [[1, 2, 3], ["end"], ["after the end"]]),
        (Misdeed.ERROR_AFTER_END, (3, 1, 1), [[1, 2, 3], ["end"], "after the end"]),
        (Misdeed.FAILS_TWICE, (3, 1, 1), [[1, 2, 3], "failure number 1", "failure number 2"]),
        (Misdeed.CANCEL_RAISES, (2,), [[1, 2]]),
    ],
)
def test_a_misdeed_is_what_it_says(
    misdeed: Misdeed, demands: tuple[int, ...], shown: list[Any]
) -> None:
    assert answers(misdeed, *demands) == shown


@pytest.mark.parametrize(("misdeed", "answered"), [(Misdeed.DEAF, 1), (Misdeed.SLOW_CANCEL, 0)])
def test_a_cancel_can_be_ignored_or_take_a_second(misdeed: Misdeed, answered: int) -> None:
    timeline = Timeline()

    async def main() -> tuple[float, int]:
        async with non_compliant([1, 2], misdeed, timeline=timeline).open() as subscription:
            await subscription.cancel()
            at = asyncio.get_running_loop().time()
            return at, len(await subscription.request(1))

    seconds = 1.0 if misdeed is Misdeed.SLOW_CANCEL else 0.0
    assert run(main()) == (seconds, answered)
    assert timeline.count("source", Kind.CANCEL) == 2
