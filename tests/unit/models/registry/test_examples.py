"""Rows that a version is warmed up with: as they really are, checked like everything else that is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import models, wire
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.errors import ArtefactError, ModelError, RegistryError
from rxml.models.artefacts import linear
from rxml.models.artefacts.manifest import manifest_of
from rxml.models.registry import Registry
from rxml.models.registry.examples import examples_of
from rxml.models.scoring.warm import warmed
from rxml.testing.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from rxml.models import Model

EXAMPLES = Batch({"area": [50.0, 120.0], "town": ["Ulm", "Bonn"]})


def test_examples_come_back_with_the_model_and_without_what_it_does_not_want(
    tmp_path: Path,
) -> None:
    registry = Registry(tmp_path)
    version = registry.publish("price", linear({"area": 2.0}), examples=EXAMPLES)
    examples = registry.load(version).examples
    assert examples is not None
    assert {name: examples[name].tolist() for name in examples.names} == {"area": [50.0, 120.0]}
    assert registry.load(registry.publish("price", linear({"area": 2.0}))).examples is None


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (Batch({"size": [1.0]}), "'area'"),
        (Batch({"area": [1.0] * 33}), "1 to 32 rows, got 33"),
        (Batch({"area": []}), "1 to 32 rows, got 0"),
        ([{"area": 1.0}], "wants a Batch"),
        (Batch({"area": ["a"]}), "'area'"),
    ],
)
def test_what_cannot_be_examples_is_refused_before_anything_is_kept(
    tmp_path: Path, rows: Any, why: str
) -> None:
    registry = Registry(tmp_path / "models")
    with pytest.raises(RegistryError, match=why):
        registry.publish("price", linear({"area": 2.0}), examples=rows)
    assert not list(registry.names())


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    wide = {f"x{number}": 1.0 for number in range(400)}
    rows = Batch({name: [1.0] * 32 for name in wide})
    with pytest.raises(RegistryError, match="bytes, at most"):
        Registry(tmp_path).publish("wide", linear(wide), examples=rows)


def test_damaged_examples_are_refused(tmp_path: Path) -> None:
    signature = linear({"area": 2.0}).signature
    for message in (b"\xc1", wire.dumps(7), wire.dumps(Batch({"size": [1.0]}))):
        with pytest.raises(ArtefactError, match="price:1"):
            examples_of(message, signature, "price:1")
    assert examples_of(b"", signature, "price:1") is None


def test_a_manifest_without_examples_is_what_it_was() -> None:
    """Manifests that were written before there were examples are read as ever."""
    fields = {"x": {"name": "x", "dtype": "<f8"}}
    text = json.dumps(
        {
            "manifest": 1,
            "name": "price",
            "version": "1",
            "format": "npz",
            "digest": "sha256:0",
            "size": 1,
            "created": 1,
            "signature": {"inputs": [fields["x"]], "outputs": [fields["x"]]},
            "recipe": {"loader": "a:b", "arguments": ""},
        }
    )
    assert manifest_of(text.encode(), "price:1").examples == b""


class Exampled:
    """A model that has examples, and notes the rows that it is called with."""

    digest = ""

    def __init__(self, *, fails: bool) -> None:
        self.signature = models.Signature(Schema.of(x="float64"), Schema.of(value="float64"))
        self.examples = Batch({"x": [1.0, 2.0, 3.0]})
        self.seen: list[list[float]] = []
        self.fails = fails

    def predict(self, batch: Batch) -> Batch:
        self.seen.append(batch["x"].tolist())
        if self.fails:
            raise KeyError("a table that is not there")
        return Batch({"value": batch["x"]})


def test_a_model_is_warmed_up_with_its_examples() -> None:
    model = Exampled(fails=False)
    assert warmed(model) is not None
    assert model.seen == [[1.0]] * 3 + [[1.0, 2.0, 3.0]]


def test_a_model_that_fails_for_its_own_examples_does_not_take_over() -> None:
    class Edition:
        def __init__(self, number: int, *, fails: bool) -> None:
            self.release = models.Release("x", str(number))
            self.fails = fails

        def load(self) -> Model:
            return Exampled(fails=self.fails)

    async def come() -> AsyncIterator[Edition]:
        yield Edition(1, fails=False)
        yield Edition(2, fails=True)

    swaps: list[models.Swap] = []
    flow = rxml.interval(1.0).pipe(
        ops.take(5),
        ops.map(float),
        ops.score(rxml.from_async_iterable(come), on_swap=swaps.append),
    )
    answers: list[Any] = run(flow.to_list())
    assert {each["version"] for each in answers} == {"1"}
    assert [type(swap.error) for swap in swaps] == [type(None), ModelError]
