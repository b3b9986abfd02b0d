"""A registry against a few dicts, with several instances that see one folder."""

from __future__ import annotations

import tempfile
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from rxml.errors import AliasMovedError, UnknownModelError
from rxml.models.artefacts import linear
from rxml.models.registry import Registry

NAMES = st.sampled_from(["a", "b"])
ALIASES = st.sampled_from(["champion", "shadow"])
WHO = st.integers(0, 2)


class RegistryMachine(RuleBasedStateMachine):
    """Versions are counted, aliases are stacks."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.registries = [Registry(self.folder.name) for _ in range(3)]
        self.versions: dict[str, int] = {}
        self.stacks: dict[tuple[str, str], list[str]] = {}
        self.moves = 0

    @override
    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(who=WHO, name=NAMES)
    def publish(self, who: int, name: str) -> None:
        count = self.versions[name] = self.versions.get(name, 0) + 1
        assert self.registries[who].publish(name, linear({"x": 1.0 * count})).version == str(count)

    @rule(
        who=WHO,
        name=NAMES,
        alias=ALIASES,
        version=st.integers(1, 4),
        expect=st.sampled_from(["*", None, "1", "2"]),
    )
    def promote(self, who: int, name: str, alias: str, version: int, expect: Any) -> None:
        def move() -> Any:
            return self.registries[who].promote(name, alias, version, expect=expect)

        stack = self.stacks.get((name, alias), [])
        current = stack[-1] if stack else None
        if version > self.versions.get(name, 0):
            with pytest.raises(UnknownModelError):
                move()
        elif expect not in ("*", current):
            with pytest.raises(AliasMovedError):
                move()
        else:
            assert move().version == str(version)
            if current != str(version):
                self.stacks[name, alias] = [*stack, str(version)]
                self.moves += 1

    @rule(who=WHO, name=NAMES, alias=ALIASES)
    def rollback(self, who: int, name: str, alias: str) -> None:
        stack = self.stacks.get((name, alias), [])
        if len(stack) < 2:
            with pytest.raises(UnknownModelError):
                self.registries[who].rollback(name, alias)
        else:
            stack.pop()
            self.moves += 1
            assert self.registries[who].rollback(name, alias).version == stack[-1]

    @rule(who=WHO)
    def start_again(self, who: int) -> None:
        self.registries[who] = Registry(self.folder.name)

    @invariant()
    def all_see_the_same(self) -> None:
        for registry in self.registries:
            assert registry.names() == sorted(self.versions)
            found = {name: registry.aliases(name) for name in self.versions}
            shown = {
                (name, alias): version.version
                for name in found
                for alias, version in found[name].items()
            }
            assert shown == {where: stack[-1] for where, stack in self.stacks.items()}
            changes = sum(len(registry.history(name)) for name in self.versions)
            assert changes == sum(self.versions.values()) + self.moves


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
