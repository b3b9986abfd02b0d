"""What comes from strangers is refused with a reason, and nothing of it runs."""

from __future__ import annotations

import os
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml.batch import Schema
from rxml.errors import ArtefactError
from rxml.models.artefacts import Limits, linear
from rxml.models.artefacts.arrays import read_npz, write_npz, write_safetensors
from rxml.models.artefacts.limits import LIMITS
from rxml.models.artefacts.protobuf import check_onnx
from rxml.models.registry import Registry
from tests.unit.models.registry import hostile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INPUTS = Schema.of(a="float64", b="float64")

FILES: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "a pickle": ("m.pkl", hostile.pickled, "can run anything"),
    "a pickle called joblib": ("m.joblib", hostile.pickled, "can run anything"),
    "a pickle called onnx": ("m.onnx", hostile.pickled, "no ONNX model"),
    "a pickle called skops": ("m.skops", hostile.pickled, "no archive"),
    "a pickle called npz": ("m.npz", hostile.pickled, "no archive"),
    "a pickle called safetensors": ("m.safetensors", hostile.pickled, "no safetensors"),
    "objects in an npz": ("m.npz", hostile.object_npz, "holds objects"),
    "a pickle in an npz": ("m.npz", hostile.pickle_npz, "is no array"),
    "a claim of 8 TB": ("m.npz", lambda _: hostile.huge_claim(), "claims float64"),
    "a member named twice": ("m.npz", lambda _: hostile.twice_npz(), "is there twice"),
    "a link in an npz": ("m.npz", lambda _: hostile.linked_npz(), "is a link"),
    "a way out": ("m.npz", lambda _: hostile.zipped({"../a.npy": b"x"}), "leads out"),
    "an absolute name": ("m.npz", lambda _: hostile.zipped({"/etc/a.npy": b"x"}), "leads out"),
    "a name of Windows": ("m.npz", lambda _: hostile.zipped({"C:a.npy": b"x"}), "leads out"),
    "no array": ("m.npz", lambda _: hostile.zipped({"a.txt": b"x"}), "is no array"),
    "half an npz": ("m.npz", lambda _: hostile.zipped(hostile.weights())[:200], "cut off"),
    "a command in skops": ("m.skops", lambda _: hostile.skops_of("os", "system"), "os.system"),
    "a link in skops": ("m.skops", lambda _: hostile.linked_npz(), "is a link"),
    "no skops": ("m.skops", lambda _: hostile.zipped({"a": b"x"}), "no skops file"),
    "external data": (
        "m.onnx",
        lambda _: hostile.checked(hostile.external_onnx()),
        "external data",
    ),
    "external data in a branch": (
        "m.onnx",
        lambda _: hostile.checked(hostile.external_in_a_branch()),
        "external data",
    ),
    "a compiled context": (
        "m.onnx",
        lambda _: hostile.checked(hostile.context_onnx()),
        "EPContext",
    ),
    "a deep graph": ("m.onnx", lambda _: hostile.deep_onnx(), "nested deeper"),
    "half an onnx": ("m.onnx", lambda _: hostile.onnx_bytes()[:-5], "cut off"),
    "nothing": ("m.onnx", lambda _: b"", "is empty"),
    "a script": ("m.py", lambda _: b"import os", "is none of"),
    "half a safetensors": (
        "m.safetensors",
        lambda _: linear({"a": 1.0, "b": 2.0}, form="safetensors").data[:-4],
        "no safetensors",
    ),
}


def refused(folder: Path, path: Path, reason: str, **more: Any) -> None:
    registry = Registry(folder / "models", **more)
    with pytest.raises(ArtefactError, match=reason):
        registry.publish("m", path, inputs=None if path.suffix in {".onnx", ".skops"} else INPUTS)
    assert registry.names() == []
    assert not (folder / hostile.MARK).exists()


@pytest.mark.parametrize("kind", FILES)
def test_a_hostile_file_is_refused_and_runs_nothing(kind: str, tmp_path: Path) -> None:
    name, make, reason = FILES[kind]
    path = tmp_path / name
    path.write_bytes(make(tmp_path))
    refused(tmp_path, path, reason)


def test_the_bombs_of_this_table_go_off_where_they_are_trusted(tmp_path: Path) -> None:
    import pickle

    pickle.loads(hostile.pickled(tmp_path))
    assert (tmp_path / hostile.MARK).exists()


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_expanded=20 << 20), "would unpack to 52,42"),
        (Limits(max_bytes=1000), "more than the 1,000"),
        (Limits(max_entries=2), "3 members"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_unpacked(
    limits: Limits, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.npz"
    path.write_bytes(hostile.zip_bomb())
    refused(tmp_path, path, reason, limits=limits)


def test_a_list_of_a_hundred_thousand_members_takes_no_memory() -> None:
    data = hostile.crowded(100_000)
    tracemalloc.start()
    try:
        with pytest.raises(ArtefactError, match="100,000 members"):
            read_npz(data, LIMITS)
        assert tracemalloc.get_traced_memory()[1] < len(data)
    finally:
        tracemalloc.stop()


def test_links_pipes_folders_and_archives_are_no_models(tmp_path: Path) -> None:
    whole = tmp_path / "whole.onnx"
    whole.write_bytes(hostile.onnx_bytes())
    link, pipe, folder, tar = (tmp_path / name for name in ("l.onnx", "p.onnx", "f.onnx", "t.tar"))
    link.symlink_to(whole)
    os.mkfifo(pipe)
    folder.mkdir()
    hostile.linked_tar(tar)
    refused(tmp_path, link, "symbolic link")
    refused(tmp_path, pipe, "no regular file")
    refused(tmp_path, folder, "no regular file")
    refused(tmp_path, tar, "is none of")
    refused(tmp_path, tmp_path / "absent.onnx", "No such file")


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 60))
def test_whatever_is_done_to_an_onnx_file_it_is_taken_or_refused(
    noise: bytes, at: int, cut: int
) -> None:
    data = hostile.external_in_a_branch()
    at %= len(data)
    with suppress(ArtefactError):
        check_onnx(data[:at] + noise + data[at + cut :])


@given(st.binary(max_size=40), st.integers(0, 900), st.integers(0, 40))
def test_whatever_is_done_to_an_npz_it_is_taken_or_refused(noise: bytes, at: int, cut: int) -> None:
    data = linear({"a": 1.0, "b": 2.0}, 3.0).data
    at %= len(data)
    with suppress(ArtefactError):
        found = read_npz(data[:at] + noise + data[at + cut :], LIMITS)
        assert set(found) == {"coefficients", "intercept"}


def test_arrays_of_objects_are_not_written(tmp_path: Path) -> None:
    import numpy as np

    for write in (write_npz, write_safetensors):
        with pytest.raises(ArtefactError, match="holds objects"):
            write({"a": np.array([None])})
