"""hedge against a simulation of its rules: whatever models take, say and fail at, whenever they are asked."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import hypothesis.strategies as st
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.testing.virtual_time import run

WITHIN, ABOVE = 3.5, 1.0


class Member(NamedTuple):
    """Takes so many seconds, and is so unsure then; None: it fails."""

    seconds: float
    doubt: float | None


MEMBERS = st.lists(
    st.builds(Member, st.sampled_from([0.31, 1.13, 2.27, 9.0]), st.sampled_from([None, 0.5, 2, 3])),
    min_size=1,
    max_size=4,
)


def apart(members: list[Member]) -> list[Member]:
    """No two things happen at one moment."""
    return [each._replace(seconds=each.seconds + 0.017 * at) for at, each in enumerate(members)]


class Simulated:
    """The rules, one moment after the other."""

    def __init__(self, members: list[Member], stagger: float) -> None:
        self.members = members
        self.stagger = stagger
        self.time = self.next = 0.0
        self.ahead = list(range(len(members)))
        self.ends: dict[int, float] = {}
        self.said: dict[int, float] = {}

    def outcome(self) -> tuple[int | None, str, float]:
        """Who answers, why it is no better, and when."""
        while not self.sure() and self.time < WITHIN and (self.ends or self.ahead):
            while self.ahead and (not self.ends or self.time >= self.next):
                at = self.ahead.pop(0)
                self.ends[at] = self.time + self.members[at].seconds
                self.next = self.time + self.stagger
            coming = [*self.ends.values(), *([self.next] if self.ahead else [])]
            self.time = min(WITHIN, *coming)
            for at in [at for at, end in self.ends.items() if end <= self.time]:
                del self.ends[at]
                doubt = self.members[at].doubt
                if doubt is not None:
                    self.said[at] = doubt
        return self.told()

    def sure(self) -> bool:
        return any(doubt <= ABOVE for doubt in self.said.values())

    def told(self) -> tuple[int | None, str, float]:
        late = bool(self.ends or self.ahead)
        failed = any(each.doubt is None for each in self.members)
        reason = "late" if late else "error: ArithmeticError" if failed else "unsure"
        best = min(self.said, key=self.said.__getitem__, default=None)
        return best, "" if self.sure() else reason, self.time


def asked(member: Member) -> Any:
    async def answer(_: Any) -> dict[str, Any]:
        await asyncio.sleep(member.seconds)
        if member.doubt is None:
            raise ArithmeticError
        return {"sd": member.doubt}

    return answer


@given(members=MEMBERS.map(apart), stagger=st.sampled_from([0.0, 0.7, 5.0]))
def test_it_is_what_the_rules_say(members: list[Member], stagger: float) -> None:
    models = {str(at): asked(each) for at, each in enumerate(members)}
    hedge = ops.hedge(
        models, when="sd", above=ABOVE, within=WITHIN, stagger=stagger, default={"sd": -1.0}
    )

    async def main() -> tuple[int | None, str, float]:
        (row,) = await rxml.of({"x": 1}).pipe(hedge).to_list()
        name = None if row["rung"] == "default" else int(row["rung"])
        return name, row["reason"], round(asyncio.get_running_loop().time(), 6)

    name, reason, time = Simulated(members, stagger).outcome()
    assert run(main()) == (name, reason, round(time, 6))
