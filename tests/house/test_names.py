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


def defined(tree: ast.Module) -> Iterator[str]:
    """The public names that a module defines or assigns; type variables are its own affair."""
    yield from (node.name for node in definitions(tree.body))
    for node in tree.body:
        match node:
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
                continue
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                continue


def imported(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            yield from (alias.asname or alias.name for alias in node.names)


def public(names: Iterator[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("source", [each for each in shipped() if each.is_package], ids=name_of)
def test_a_package_that_gives_names_lists_them(source: Source) -> None:
    assert source.exports is not None or public(imported(source.tree)) == set()


@pytest.mark.parametrize("source", LISTED, ids=name_of)
def test_a_list_holds_each_public_name_once_and_no_other(source: Source) -> None:
    """Its order is ruff's (RUF022): constants, classes, functions, each by name."""
    listed = source.exports or []
    own, taken = public(defined(source.tree)), public(imported(source.tree))
    assert len(listed) == len(set(listed))
    assert own <= set(listed)
    if source.is_package:
        assert set(listed) - {"__version__"} == own | taken
    else:
        assert set(listed) <= own | taken
