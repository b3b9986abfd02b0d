"""What is public says so, is documented, and is listed once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.house.sources import Source, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

LISTED = [source for source in shipped() if source.exports is not None]


def name_of(source: Source) -> str:
    return source.name


def definitions(body: list[ast.stmt]) -> Iterator[Definition]:
    """The public functions and classes of a body, those behind an `if` or a `try` too."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from definitions(node.body)


def spoken_for(node: Definition) -> bool:
    """Another overload, or the thing itself, carries the docstring."""
    words = [word for each in node.decorator_list for word in ast.walk(each)]
    return any(isinstance(word, ast.Name) and word.id == "overload" for word in words)


@pytest.mark.parametrize("source", shipped(), ids=name_of)
def test_every_public_function_and_class_has_a_docstring(source: Source) -> None:
    """Methods are ruff's (D102): one that only overrides needs none."""
    silent = [
        node.name
        for node in definitions(source.tree.body)
        if not ast.get_docstring(node) and not spoken_for(node)
    ]
    assert silent == []


def bound(tree: ast.Module) -> Iterator[str]:
    """The public names that a package's `__init__` makes: imported, defined or assigned."""
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=module, names=names) if module != "__future__":
                yield from (alias.asname or alias.name for alias in names)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                continue


def public(source: Source) -> set[str]:
    names = {name for name in bound(source.tree) if not name.startswith("_")}
    return names if source.is_package else names - imported(source.tree)


def imported(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("source", [each for each in shipped() if each.is_package], ids=name_of)
def test_a_package_that_gives_names_lists_them(source: Source) -> None:
    assert source.exports is not None or public(source) == set()


@pytest.mark.parametrize("source", LISTED, ids=name_of)
def test_the_list_is_sorted_and_holds_each_name_once(source: Source) -> None:
    assert source.exports is not None
    assert len(source.exports) == len(set(source.exports))
    # ruff sorts it (RUF022): constants, classes, functions, each by name. Here: nothing was lost.
    assert set(source.exports) - {"__version__"} == public(source)
