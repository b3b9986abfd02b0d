"""What the house tests look at: the Python files of the project, read and parsed once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file."""

    name: str
    """Its path from the root, with slashes."""
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.name.endswith("/__init__.py")

    @property
    def exports(self) -> list[str] | None:
        """The names of `__all__`, in their order; None without one."""
        for node in self.tree.body:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List() as value)
                    | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.List() as value)
                ):
                    return [ast.literal_eval(element) for element in value.elts]
                case _:
                    continue
        return None


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """The files below these folders of the root; links are not followed, so each comes once."""
    found: list[Source] = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(ROOT).as_posix()
            found.append(Source(name, text, ast.parse(text, name)))
    return tuple(found)


def shipped() -> tuple[Source, ...]:
    """Every file of the package: a test over none of them would prove nothing."""
    found = sources("rxml", "operators")
    assert {"rxml/__init__.py", "operators/__init__.py"} <= {source.name for source in found}
    return found
