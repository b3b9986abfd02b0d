"""Tasks are born in the scope and time is read from the clock: what ruff cannot see of it."""

from __future__ import annotations

import ast

import pytest

from tests.house.sources import Source, shipped

MAY = ("rxml/flow/scope.py", "rxml/testing/")
"""The scope; and the kit, which drives whole loops from outside."""
BIRTHS = {"Task", "create_task", "ensure_future", "run_coroutine_threadsafe", "TaskGroup"}
UNBOUNDED = {"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"}


def calls(source: Source, names: set[str]) -> list[tuple[str, ast.Call]]:
    """Calls of a function or a method of one of these names, whatever it is called on."""
    found: list[tuple[str, ast.Call]] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in names:
                found.append((f"{source.name}:{node.lineno}: {name}", node))
    return found


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.name)
def test_no_task_is_born_outside_the_scope(source: Source) -> None:
    if not source.name.startswith(MAY):
        assert [where for where, _ in calls(source, BIRTHS)] == []


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.name)
def test_every_queue_has_a_bound(source: Source) -> None:
    unbounded = [
        where
        for where, call in calls(source, UNBOUNDED)
        if not call.args and not any(word.arg == "maxsize" for word in call.keywords)
    ]
    assert unbounded == []


@pytest.mark.parametrize("source", shipped(), ids=lambda source: source.name)
def test_nothing_can_be_unpickled(source: Source) -> None:
    modules = {
        alias.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom)}
    assert not modules & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
