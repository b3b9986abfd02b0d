"""A registry: versions that stay, aliases that move, what is known of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from rxml.batch import Batch, Schema
from rxml.errors import AliasMovedError, ArtefactError, ModelError, RegistryError, UnknownModelError
from rxml.learning import Coverage as Seen
from rxml.models import from_function
from rxml.models.artefacts import Limits, Trust, artefact_of, linear
from rxml.models.model import Portable
from rxml.models.registry import Coverage, FactRange, Registry, released
from rxml.uncertain.calibration.labels import Counts
from tests.unit.models.registry import functions

if TYPE_CHECKING:
    from pathlib import Path

    from rxml.models.registry import Version

HERE = "tests.unit.models.registry.functions"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def published(registry: Registry, count: int, name: str = "price") -> list[Version]:
    return [registry.publish(name, linear({"area": float(at)})) for at in range(1, count + 1)]


def answer(registry: Registry, reference: str) -> float:
    value: float = registry.load(reference).predict(Batch({"area": [2.0]}))["value"][0]
    return value


def test_versions_are_numbered_and_each_answers_as_it_did(registry: Registry) -> None:
    made = published(registry, 3)
    assert [str(each) for each in made] == ["price:1", "price:2", "price:3"]
    assert registry.versions("price") == made
    assert [answer(registry, f"price:{number}") for number in (1, 2, 3)] == [2.0, 4.0, 6.0]
    assert answer(registry, "price") == 6.0


def test_a_loaded_model_says_which_it_is(registry: Registry) -> None:
    published(registry, 2)
    model = registry.load("price:2")
    release = model.release
    assert (release.name, release.version) == ("price", "2")
    assert release.digest == model.digest == registry.find("price:2").digest
    assert registry.artefact(model.version) == linear({"area": 2.0}).data


def test_an_alias_moves_and_goes_back_as_far_as_it_came(registry: Registry) -> None:
    published(registry, 3)
    for number in (1, 3, 2):
        registry.promote("price", "champion", number)
    assert registry.promote("price", "champion", 2).version == "2"
    assert registry.aliases("price") == {"champion": registry.find("price:2")}
    assert registry.rollback("price", "champion").version == "3"
    assert registry.rollback("price", "champion", expect="3").version == "1"
    assert answer(registry, "price@champion") == 2.0
    with pytest.raises(UnknownModelError, match="nothing to go back to"):
        registry.rollback("price", "champion")
    moves = [
        (each.kind, each.before, each.version) for each in registry.history("price", "champion")
    ]
    assert moves == [
        ("promoted", "", "1"),
        ("promoted", "1", "3"),
        ("promoted", "3", "2"),
        ("rolled_back", "2", "3"),
        ("rolled_back", "3", "1"),
    ]
    assert [each.kind for each in registry.history("price")][:3] == ["published"] * 3


@pytest.mark.parametrize("expect", [None, 1, "3"])
def test_who_expects_something_else_moves_nothing(registry: Registry, expect: Any) -> None:
    published(registry, 3)
    registry.promote("price", "champion", 2, expect=None)
    with pytest.raises(AliasMovedError, match="shows 2, not"):
        registry.promote("price", "champion", 3, expect=expect)
    with pytest.raises(AliasMovedError):
        registry.rollback("price", "champion", expect=1)
    assert registry.find("price@champion").version == "2"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("prize", "there are price"),
        ("price:4", "there are 1 to 2"),
        ("price@loser", "there are champion"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    registry: Registry, reference: str, words: str
) -> None:
    published(registry, 2)
    registry.promote("price", "champion", 1)
    with pytest.raises(UnknownModelError, match=words):
        registry.load(reference)


@pytest.mark.parametrize(
    "reference", ["", "../price", "price:", "price:0", "price:x", "a/b", "p@", "a b"]
)
def test_what_is_no_reference_is_told_so(registry: Registry, reference: str) -> None:
    with pytest.raises(RegistryError, match="a reference is"):
        registry.find(reference)


def test_everything_that_is_said_of_a_model_is_kept(registry: Registry) -> None:
    first = registry.publish("price", linear({"area": 1.0}))
    made = registry.publish(
        "price",
        linear({"area": 2.0}, form="safetensors"),
        metrics={"rmse": 1.5, "mae": 1},
        features="v7",
        facts=FactRange(100, 900, "sales"),
        parent=first,
        coverage=Coverage(0.9, 0.893, 5000, 64),
        notes="colder",
    )
    manifest = made.manifest
    assert manifest.metrics == {"rmse": 1.5, "mae": 1.0}
    assert (manifest.features, manifest.notes, manifest.parent) == ("v7", "colder", "price:1")
    assert manifest.facts == FactRange(100, 900, "sales")
    assert manifest.coverage == Coverage(0.9, 0.893, 5000, 64)
    assert manifest.format == "safetensors"
    assert {"python", "rxml", "numpy", "safetensors"} <= set(manifest.packages)
    assert made.signature == linear({"area": 2.0}).signature


def test_a_difference_names_what_each_has(registry: Registry) -> None:
    registry.publish("price", linear({"area": 1.0}), metrics={"rmse": 2.0, "mae": 1.0})
    registry.publish("price", linear({"area": 1.0, "rooms": 2.0}), metrics={"rmse": 1.5})
    found = registry.diff("price:1", "price:2")
    assert found["metrics.rmse"] == (2.0, 1.5)
    assert found["metrics.mae"] == (1.0, None)
    assert found["signature.inputs.rooms.dtype"] == (None, "<f8")
    assert "signature.inputs.area.dtype" not in found
    assert registry.diff("price:2", "price:2") == {}


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"metrics": {"rmse": float("nan")}}, "finite"),
        ({"facts": FactRange(9, 3)}, "start <= stop"),
        ({"coverage": Coverage(1.5, 0.9, 10)}, "0 < level < 1"),
        ({"coverage": Coverage(0.9, 0.9, 10, lower=0.95)}, "lower <= covered"),
        ({"parent": "price:9"}, "no model is named"),
    ],
)
def test_what_makes_no_sense_is_not_published(registry: Registry, about: Any, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        registry.publish("price", linear({"area": 1.0}), **about)
    assert registry.names() == []


def test_a_promise_of_uncertainty_is_held_to_a_record(tmp_path: Path) -> None:
    registry = Registry(tmp_path, modules=[HERE])
    sure = functions.bounded()
    with pytest.raises(RegistryError, match=r"no record.*say coverage=Coverage\(level"):
        registry.publish("price", sure)
    assert registry.names() == []
    registry.publish("price", sure, coverage=Coverage(0.9, 0.9, 100))
    registry.publish("price", linear({"area": 1.0}))
    assert len(registry.versions("price")) == 2


def test_a_registry_can_be_told_to_want_no_record(tmp_path: Path) -> None:
    registry = Registry(tmp_path, modules=[HERE], require_coverage=False)
    assert registry.publish("price", functions.bounded()).manifest.coverage is None


def test_a_record_is_made_of_what_coverage_has_seen(tmp_path: Path) -> None:
    seen = Seen(0.9)
    seen.hear(np.arange(100) % 10 > 0, Counts())
    registry = Registry(tmp_path, modules=[HERE])
    record = registry.publish(
        "price", functions.bounded(), coverage=Coverage.of(seen.now, worlds=64)
    ).manifest.coverage
    assert record is not None
    assert (record.level, record.covered, record.rows, record.worlds) == (0.9, 0.9, 100, 64)
    assert 0.7 < record.lower < 0.9 < record.upper < 1.0


def test_an_artefact_is_published_as_its_model_is(registry: Registry) -> None:
    artefact = artefact_of(linear({"area": 3.0}))
    version = registry.publish("price", artefact)
    assert version.digest == registry.publish("price", linear({"area": 3.0})).digest
    assert registry.load(version).predict(Batch({"area": [2.0]}))["value"].tolist() == [6.0]
    with pytest.raises(ArtefactError, match="inputs are for files"):
        registry.publish("price", artefact, inputs=Schema.of(area="float64"))


def test_an_artefact_of_a_function_needs_its_module_to_be_allowed(tmp_path: Path) -> None:
    artefact = artefact_of(functions.bounded())
    with pytest.raises(ArtefactError, match="may not be imported"):
        Registry(tmp_path).publish("price", artefact)


def test_a_function_is_imported_only_from_where_the_registry_may(tmp_path: Path) -> None:
    model = from_function(functions.double, inputs=Schema.of(x="float64"))
    with pytest.raises(ModelError):
        Registry(tmp_path).publish(
            "double", from_function(lambda rows: rows["x"], inputs=Schema.of(x="float64"))
        )
    made = Registry(tmp_path).publish("double", model)
    with pytest.raises(ArtefactError, match="may not be imported"):
        Registry(tmp_path).load("double")
    with pytest.raises(ArtefactError, match="may not be imported"):
        Registry(tmp_path, modules=["tests.unit.models.registry.func"]).load("double")
    trusted = Registry(tmp_path).load("double", trust=True, digest=made.digest)
    allowed = Registry(tmp_path, modules=["tests"]).load("double")
    for loaded in (trusted, allowed):
        assert loaded.predict(Batch({"x": [4.0]}))["value"].tolist() == [8.0]


def test_another_process_can_make_a_loaded_model_again(registry: Registry) -> None:
    published(registry, 1)
    model = registry.load("price")
    assert isinstance(model, Portable)
    recipe = model.recipe()
    module, _, name = recipe.loader.partition(":")
    made = getattr(__import__(module, fromlist=[name]), name)(*recipe.arguments)
    assert made.release == model.release
    assert made.predict(Batch({"area": [3.0]})) == model.predict(Batch({"area": [3.0]}))


def test_another_process_goes_by_the_same_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(Registry(tmp_path), 1)
    wide = Limits(5 << 30, 6 << 30, 7)
    model = Registry(tmp_path, limits=wide).load("price")
    found: list[Limits] = []

    def load(folder: Path, version: Version, trust: Trust) -> None:
        found.append(trust.limits)

    monkeypatch.setattr(released, "released", load)
    released.load_again(*model.recipe().arguments)
    assert found == [wide]


def test_a_version_that_was_found_can_be_expected(registry: Registry) -> None:
    published(registry, 2)
    registry.promote("price", "champion", 1)
    before = registry.find("price@champion")
    registry.promote("price", "champion", 2, expect=before)
    with pytest.raises(AliasMovedError, match="shows 2, not 1"):
        registry.rollback("price", "champion", expect=before)


def test_a_model_without_a_recipe_cannot_be_published(registry: Registry) -> None:
    class Bare:
        signature = linear({"area": 1.0}).signature
        digest = ""

        def predict(self, batch: Batch) -> Batch:
            return batch

    with pytest.raises(ArtefactError, match="no recipe"):
        registry.publish("bare", Bare())


def test_files_are_published_as_they_are(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    path.write_bytes(linear({"a": 1.0, "b": 2.0}, 3.0).data)
    made = registry.publish("m", path, inputs=Schema.of(u="float64", v="float64"))
    assert registry.artefact(made) == path.read_bytes()
    rows = Batch({"u": [1.0], "v": [1.0]})
    assert registry.load(made).predict(rows)["value"].tolist() == [6.0]
    with pytest.raises(ArtefactError, match="numbers without names"):
        registry.publish("m", path)
    with pytest.raises(ArtefactError, match="2 coefficients for the inputs"):
        registry.publish("m", path, inputs=Schema.of(u="float64"))


def test_a_logistic_regression_of_numbers_is_that_of_the_formula() -> None:
    model = linear({"x": 2.0}, -1.0, link="logistic")
    x = np.array([-1000.0, -1.0, 0.5, 3.0, 1000.0])
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-(2 * x - 1)))
    np.testing.assert_allclose(model.predict(Batch({"x": x}))["value"], expected, rtol=1e-15)


def test_the_log_is_one_of_facts(registry: Registry, tmp_path: Path) -> None:
    from rxml.facts import FactLog, export_ndjson, import_ndjson
    from rxml.facts.views import View

    published(registry, 2)
    registry.promote("price", "champion", 2)
    lines = registry.folder / "facts.ndjson"
    with FactLog(tmp_path / "facts.db") as log:
        assert import_ndjson(log, lines).stored == 3
        export_ndjson(View(log), tmp_path / "again.ndjson")
    whole = [msgspec.json.decode(line) for line in lines.read_bytes().splitlines()]
    again = [
        msgspec.json.decode(line) for line in (tmp_path / "again.ndjson").read_bytes().splitlines()
    ]
    assert again == whole
