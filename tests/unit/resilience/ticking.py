"""Ticking: a state machine with a clock, in quarters of a second so that sums are exact."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, rule

FEW = settings(max_examples=30, stateful_step_count=40, deadline=None)


class Ticking(RuleBasedStateMachine):
    """Time passes by a rule of its own; subclasses read `now`."""

    def __init__(self) -> None:
        super().__init__()
        self.now: float = 1000.0

    @rule(quarters=st.integers(1, 40))
    def time_passes(self, quarters: int) -> None:
        self.now += quarters / 4
