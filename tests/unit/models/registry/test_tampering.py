"""What was changed behind a registry's back is seen, and a newer registry is not misread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from rxml import wire
from rxml.batch import Batch
from rxml.errors import ArtefactError, RegistryError, RegistryFormatError
from rxml.models.artefacts import linear
from rxml.models.registry import Registry
from rxml.models.registry.released import blobs_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "models")
    made.publish("price", linear({"area": 2.0}))
    return made


def blob(registry: Registry) -> Path:
    (path,) = (registry.folder / "blobs").glob("??/*")
    return path


def rewritten(registry: Registry, change: Callable[[dict[str, Any]], None]) -> Registry:
    """A registry whose last line was changed by hand."""
    path = registry.folder / "facts.ndjson"
    line = msgspec.json.decode(path.read_bytes())
    change(line["payload"])
    path.write_bytes(msgspec.json.encode(line) + b"\n")
    return Registry(registry.folder)


def refused(registry: Registry, reason: str, kind: type[Exception] = ArtefactError) -> None:
    with pytest.raises(kind, match=reason):
        registry.load("price")


def test_bytes_that_were_changed_are_not_loaded(registry: Registry) -> None:
    path, whole = blob(registry), blob(registry).read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    refused(registry, "damaged or tampered with")
    path.write_bytes(whole[:-1])
    refused(registry, "cut off or tampered with")
    path.unlink()
    refused(registry, "No such file")
    other = path.with_name("other")
    other.write_bytes(whole)
    path.symlink_to(other)
    refused(registry, "symbolic link")


def test_publishing_the_same_again_mends_what_was_damaged(registry: Registry) -> None:
    blob(registry).write_bytes(b"?")
    registry.publish("price", linear({"area": 2.0}))
    for version in ("1", "2"):
        loaded = registry.load(f"price:{version}")
        assert loaded.predict(Batch({"area": [1.0]}))["value"].tolist() == [2.0]


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "newer": (lambda m: m.update(manifest=2, extra=1), "format 2, this rxml knows up to 1"),
    "unknown": (lambda m: m.update(extra=1), "damaged: Object contains unknown field"),
    "untyped": (lambda m: m.update(size="big"), "damaged"),
    "none": (lambda m: m.pop("signature"), "missing required field"),
    "of another": (lambda m: m.update(version="2"), "is that of"),
    "of another digest": (lambda m: m.update(digest="sha256:" + "0" * 64), "is that of"),
    "of a format of ours": (lambda m: m.update(format="onnx"), "makes no models of format"),
    "of no format": (lambda m: m.update(format="exe"), "makes no models of format"),
    "another signature": (
        lambda m: m["signature"]["inputs"].append({"name": "b", "dtype": "<f8"}),
        "was published with",
    ),
    "no dtype": (lambda m: m["signature"]["inputs"][0].update(dtype="evil()"), "is no dtype"),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_that_was_changed_is_refused(kind: str, registry: Registry) -> None:
    change, reason = MANIFESTS[kind]
    refused(rewritten(registry, lambda payload: change(payload["manifest"])), reason)


def loader(name: str, *arguments: Any, blob: int | None = 0) -> Callable[[dict[str, Any]], None]:
    def change(payload: dict[str, Any]) -> None:
        recipe = {"loader": name, "arguments": _base64(wire.dumps(list(arguments))), "blob": blob}
        payload["manifest"]["recipe"] = recipe

    return change


def _base64(data: bytes) -> Any:
    return msgspec.json.decode(msgspec.json.encode(data))


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "rxml.models.adapters.recipes:made_by",
        "rxml.models.artefacts.opening:import_module",
        "rxml.models.artefacts.linear:LinearModel",
        "rxml.models.adapters.function:from_name",
    ],
)
def test_no_function_is_called_but_those_that_make_models(name: str, registry: Registry) -> None:
    refused(rewritten(registry, loader(name, None)), "makes no models of format")


def test_not_even_one_of_ours_that_is_allowed_to_be_imported(registry: Registry) -> None:
    def change(payload: dict[str, Any]) -> None:
        recipe = {"loader": "rxml.models.adapters.recipes:made_by", "arguments": ""}
        payload["manifest"].update(format="function", recipe=recipe)

    _ = rewritten(registry, change)
    refused(Registry(registry.folder, modules=["rxml"]), "makes no models of format 'function'")


def test_arguments_that_nobody_published_are_refused(registry: Registry) -> None:
    ours = "rxml.models.artefacts.linear:linear_of"
    refused(rewritten(registry, loader(ours, None, b"another")), "second artefact")
    refused(rewritten(registry, loader(ours, None, blob=7)), "no place")
    refused(rewritten(registry, loader(ours, None)), "cannot make the model")
    refused(rewritten(registry, loader(ours, None, "npz", ["area"], "evil")), "a link is one of")


def test_a_recipe_of_a_stranger_imports_nothing(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    registry.publish("price", linear({"area": 2.0}))
    arguments: list[Any] = ["os:system", [], [], "none", ""]
    name = "rxml.models.adapters.function:from_name"
    data = wire.dumps({"loader": name, "arguments": arguments})
    digest = blobs_in(registry.folder).put(data)

    def change(payload: dict[str, Any]) -> None:
        recipe = {"loader": name, "arguments": ""}
        told = {"digest": digest, "size": len(data)}
        payload.update(told)
        payload["manifest"].update(told, format="function", recipe=recipe)

    refused(rewritten(registry, change), "module 'os', which may not be imported")


def line(kind: str, **payload: str) -> bytes:
    made = {"id": "1", "key": "price", "event_time": 1, "arrival_time": 1}
    return msgspec.json.encode({**made, "payload": {"kind": kind, **payload}}) + b"\n"


LINES: dict[str, tuple[bytes, str]] = {
    "no json": (b"{\n", "line 2 .* is damaged"),
    "zeros": (b"\0\0\0\n", "line 2 .* is damaged"),
    "a kind of later": (line("retired"), "line 2 .* is damaged"),
    "a move to nowhere": (
        line("promoted", alias="a", version="7", before=""),
        "'7', which is not there",
    ),
    "a move to more digits than a number may have": (
        line("promoted", alias="a", version="9" * 5000, before=""),
        "which is not there",
    ),
    "a move from elsewhere": (
        line("promoted", alias="a", version="1", before="1"),
        "away from '1'",
    ),
    "a way back that was none": (
        line("rolled_back", alias="a", version="1", before=""),
        "rolled back to '1'",
    ),
}


@pytest.mark.parametrize("kind", LINES)
def test_a_line_that_cannot_be_is_told(kind: str, registry: Registry) -> None:
    text, reason = LINES[kind]
    path = registry.folder / "facts.ndjson"
    whole = path.read_bytes()
    path.write_bytes(whole + text)
    refused(registry, reason, RegistryFormatError)
    refused(registry, reason, RegistryFormatError)
    path.write_bytes(whole)
    assert registry.load("price").release.version == "1"


def test_a_registry_of_a_newer_rxml_is_not_read(registry: Registry) -> None:
    mark = registry.folder / "registry.json"
    for text, reason in (
        (b'{"format":2}', "use a newer rxml"),
        (b"{", "is damaged"),
        (b"", "is empty"),
    ):
        mark.write_bytes(text)
        refused(Registry(registry.folder), reason, RegistryError)
    mark.unlink()
    refused(Registry(registry.folder), "is no registry", RegistryFormatError)


def test_a_log_that_is_no_file_is_not_waited_for(registry: Registry) -> None:
    path = registry.folder / "facts.ndjson"
    path.unlink()
    os.mkfifo(path)
    refused(Registry(registry.folder), "no regular file", RegistryFormatError)


def test_a_copy_that_is_put_back_is_what_counts(registry: Registry) -> None:
    path = registry.folder / "facts.ndjson"
    before = path.read_bytes()
    registry.publish("price", linear({"area": 3.0}))
    assert len(registry.versions("price")) == 2
    path.write_bytes(before)
    assert len(registry.versions("price")) == 1
    registry.publish("price", linear({"area": 4.0}))
    assert registry.load("price:2").predict(Batch({"area": [1.0]}))["value"].tolist() == [4.0]
