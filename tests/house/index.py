"""The index of operators, docs/operators.md, made from their cards: `python -m tests.house.index`."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

import reactivex.operators

OPERATORS: Any = import_module("rxml.operators")
PATH = Path(__file__).resolve().parents[2] / "docs" / "operators.md"

HEAD = """# Operators

`from rxml import operators as ops`. Each operator has a card: `help(ops.map)` tells its demand, its buffers, how it
completes, fails and is cancelled, what it costs, and shows an example that runs. Operators marked *reactivex* have the
name, the arguments and the results of their namesake there.

Which one do I need? One result for each element: `map`, or `map_async` for a coroutine function. Some elements only:
`filter`, `take`, `distinct`. Several of one: `unbatch`, `flat_map`. One of several: `buffer`, `scan`, `reduce`.
Several flows: `merge`, `zip`, `combine_latest`. A source faster than its reader: `on_overflow`, `conflate`, `throttle`.
Failures: `supervise` for one element, `catch` and `retry` for the stream. Many readers: `share`, `replay`.
"""


def operators() -> dict[str, Any]:
    found = {name: getattr(OPERATORS, name) for name in OPERATORS.__all__}
    return {name: each for name, each in found.items() if inspect.isfunction(each)}


def families() -> dict[str, list[str]]:
    """The operators of each file, and of each file the first line of its docstring as a title."""
    members: dict[str, list[str]] = defaultdict(list)
    for name, operator in operators().items():
        module = inspect.getmodule(operator)
        title = (inspect.getdoc(module) or "").splitlines()[0].rstrip(".")
        members[re.sub(r"^Operators (that|for|of|on) ?", "", title).capitalize()].append(name)
    return dict(sorted(members.items()))


def row(name: str) -> str:
    sentence = (inspect.getdoc(operators()[name]) or "").split("\n\n")[0].replace("\n", " ")
    namesake = "reactivex" if hasattr(reactivex.operators, name) else ""
    return f"| `{name}` | {sentence.replace('|', chr(92) + '|')} | {namesake} |"


def render() -> str:
    parts = [HEAD]
    for title, names in families().items():
        parts.append(f"\n## {title}\n\n| operator | what it does | namesake |\n|---|---|---|\n")
        parts.append("\n".join(row(name) for name in sorted(names)) + "\n")
    return "".join(parts)


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
