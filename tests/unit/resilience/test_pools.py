"""Who of a pool is asked: ejection and the power of two choices."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rxml.resilience import Ejection, PowerOfTwo
from tests.unit.resilience.ticking import FEW, Ticking


@dataclass
class Host:
    row: int = 0
    times: int = 0
    until: float | None = None
    back: float = 0.0


class EjectionMachine(Ticking):
    def __init__(self) -> None:
        super().__init__()
        self.ejection = Ejection(range(4), failures=2, seconds=4, most=10, sweep=5)
        self.hosts = {name: Host() for name in range(4)}

    def look(self) -> list[int]:
        """Hosts that are out, those whose time is over having come back."""
        for host in self.hosts.values():
            if host.until is not None and host.until <= self.now:
                host.back, host.until = host.until, None
        return [name for name, host in self.hosts.items() if host.until is not None]

    @rule(name=st.integers(0, 5))
    def fail(self, name: int) -> None:
        out, host, ejected = self.look(), self.hosts.get(name), False
        if host is not None and host.until is None:
            host.row += 1
            if host.row >= 2 and 2 * (len(out) + 1) <= len(self.hosts):
                host.times = max(0, host.times - int((self.now - host.back) // 5)) + 1
                host.until, host.row, ejected = self.now + min(10, 4 * host.times), 0, True
        assert self.ejection.failed(name, self.now) == ejected

    @rule(name=st.integers(0, 5))
    def succeed(self, name: int) -> None:
        self.ejection.succeeded(name)
        if name in self.hosts:
            self.hosts[name].row = 0

    @rule(name=st.integers(0, 5))
    def join(self, name: int) -> None:
        self.ejection.add(name)
        self.hosts.setdefault(name, Host())

    @rule(name=st.integers(0, 5))
    def leave(self, name: int) -> None:
        self.ejection.remove(name, self.now)
        self.look()
        self.hosts.pop(name, None)
        while (out := self.look()) and 2 * len(out) > len(self.hosts):
            first = min(out, key=lambda each: self.hosts[each].until or 0)
            self.hosts[first].until, self.hosts[first].back = None, self.now

    @invariant()
    def agree(self) -> None:
        out = self.look()
        available = self.ejection.available(self.now)
        assert available == [name for name in self.hosts if name not in out]
        assert 2 * len(available) >= len(self.hosts)


TestEjection = EjectionMachine.TestCase
TestEjection.settings = FEW


class BalanceMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.balance: PowerOfTwo[str] = PowerOfTwo()
        self.loads: Counter[str] = Counter()

    @rule(seed=st.integers(0, 1000), members=st.sets(st.sampled_from("abcd"), min_size=1))
    def call(self, seed: int, members: set[str]) -> None:
        pool = sorted(members)
        chosen = self.balance.choose(pool, Random(seed))
        if len(pool) > 1:
            one, other = Random(seed).sample(range(len(pool)), 2)
            assert chosen == min(pool[one], pool[other], key=self.loads.__getitem__)
        self.balance.began(chosen)
        self.loads[chosen] += 1

    @rule(member=st.sampled_from("abcd"))
    def end(self, member: str) -> None:
        if not self.loads[member]:
            with pytest.raises(ValueError, match="no call to"):
                self.balance.ended(member)
            return
        self.balance.ended(member)
        self.loads[member] -= 1

    @invariant()
    def agree(self) -> None:
        assert [self.balance.load(each) for each in "abcd"] == [self.loads[each] for each in "abcd"]


TestBalance = BalanceMachine.TestCase
TestBalance.settings = FEW


def test_two_choices_are_far_more_even_than_one() -> None:
    random, balance, loads = Random(7), PowerOfTwo[int](), Counter[int]()
    pool = range(50)
    for _ in range(5000):
        balance.began(balance.choose(pool, random))
        loads[random.choice(pool)] += 1
    spread = max(balance.load(each) for each in pool) - 100
    assert spread <= 4 < max(loads.values()) - 100


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(LookupError, match="at least one member"):
        PowerOfTwo[int]().choose([], Random(1))
