"""Law cases of `rxml.operators.effects`."""

from __future__ import annotations

from typing import Any

from rxml import operators as ops
from tests.laws.case import Case


def refuse(x: int) -> float:
    return 1 / x


def nothing(*_: Any) -> None:
    """Does nothing."""


def seen(xs: list[int]) -> Any:
    for x in xs:
        refuse(x)
        yield x


async def later() -> None:
    """Does nothing, in a coroutine."""


CASES = {
    "do_action": Case(lambda: ops.do_action(refuse), seen),
    "do_action:all": Case(lambda: ops.do_action(nothing, nothing, nothing), iter),
    "do_action:nothing": Case(ops.do_action, iter),
    "finally_action": Case(lambda: ops.finally_action(nothing), iter),
    "finally_action:async": Case(lambda: ops.finally_action(later), iter),
}
