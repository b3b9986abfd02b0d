from __future__ import annotations

import subprocess
import sys
from functools import partial
from types import FunctionType
from typing import Any

import pytest

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import ModelError
from rxml.models.adapters.recipes import (
    digest_of,
    form_of,
    made_by,
    path_of,
    resolved,
    schema_from,
)
from tests.contract import factories


def test_a_function_is_found_by_its_name() -> None:
    path = path_of(factories.double)
    assert path == "tests.contract.factories:double"
    assert resolved(path) is factories.double


def test_what_another_process_cannot_find_is_refused() -> None:
    def local(rows: Batch) -> Any:
        return rows["x"]

    stranger = partial(factories.double)
    started, moved = (FunctionType(local.__code__, {}) for _ in range(2))
    started.__module__, started.__qualname__ = "__main__", "started"
    moved.__module__, moved.__qualname__ = "math", "sqrt"
    cases: list[tuple[Any, str]] = [
        (eval("lambda rows: rows"), "is made where it runs"),
        (local, "is made where it runs"),
        (stranger, "has no name"),
        (started, "is in the program that was started"),
        (moved, "stands for something else"),
    ]
    for function, why in cases:
        model = models.from_function(function, inputs=Schema.of(x="float64"))
        with pytest.raises(ModelError, match=why):
            model.recipe()


@pytest.mark.parametrize("path", ["", "math", "math:", ":sqrt", "math:nothing", "no.module:x"])
def test_names_of_nothing_are_refused(path: str) -> None:
    with pytest.raises(ModelError, match=r"a function is named|there is no"):
        resolved(path)


def test_a_factory_is_a_function() -> None:
    assert made_by("builtins:dict") == {}
    with pytest.raises(ModelError, match="give the name of a function"):
        made_by("math:pi")


def test_schemas_travel_as_plain_values() -> None:
    schema = Schema(
        [
            Field("a", str, nullable=True),
            Field("b", "float32", (2,)),
            Field("c", "datetime64[ns]"),
            Field("d", object, kind="interval"),
        ]
    )
    made = schema_from(form_of(schema))
    assert made == schema
    assert [field.nullable for field in made.values()] == [True, False, False, False]
    assert made["a"].text
    broken: list[Any] = [[["a"]], [["a", "nonsense", [], False, "array"]], [7]]
    for form in broken:
        with pytest.raises(ModelError, match="what a recipe says of a schema"):
            schema_from(form)


def test_digests_tell_how_bytes_are_split() -> None:
    assert len(digest_of(b"")) == len("sha256:") + 64
    assert digest_of(b"ab", b"c") != digest_of(b"a", b"bc")


def test_a_model_room_imports_no_library_of_models() -> None:
    code = (
        "import sys, rxml.models;"
        "print([m for m in ('sklearn', 'scipy', 'onnxruntime', 'river', 'torch', 'skops', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
