"""A registry after kill -9 at every step, with many processes, and on a disk that is full."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rxml.batch import Batch
from rxml.errors import RegistryError
from rxml.models.artefacts import linear
from rxml.models.registry import Registry
from tests.unit.models.registry import crowding, dying

ROOT = Path(__file__).resolve().parents[4]


def start(module: Any, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, module.__file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def sound(registry: Registry) -> None:
    """Each version that there is can be loaded, and the alias shows one of them."""
    for version in registry.versions("price"):
        assert registry.load(version).predict(Batch({"area": [1.0]}))["value"][0] > 0
    for version in registry.aliases("price").values():
        assert version in registry.versions("price")


@pytest.mark.parametrize("how", ["whole", "half"])
def test_whatever_step_a_process_is_killed_at_the_registry_is_sound(
    tmp_path: Path, how: str
) -> None:
    with start(dying, tmp_path / "models", how) as process:
        out, _ = process.communicate(timeout=60)
    ended = [line.split() for line in out.splitlines()]
    assert len(ended) > 20
    assert [end for _, end in ended] == ["9"] * (len(ended) - 1) + ["0"]
    registry = Registry(tmp_path / "models")
    sound(registry)
    last = registry.find("price@champion")
    assert registry.load(last).predict(Batch({"area": [1.0]}))["value"].tolist() == [
        1.0 * len(ended)
    ]
    assert last == registry.versions("price")[-1]


def test_a_line_that_was_cut_off_is_nobodys(tmp_path: Path) -> None:
    registry, other = Registry(tmp_path), Registry(tmp_path)
    registry.publish("price", linear({"area": 1.0}))
    assert len(other.versions("price")) == 1
    path = tmp_path / "facts.ndjson"
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        assert len(other.versions("price")) == len(Registry(tmp_path).versions("price")) == 1
    registry.publish("price", linear({"area": 2.0}))
    assert [str(each) for each in other.versions("price")] == ["price:1", "price:2"]
    sound(other)


def test_many_processes_publish_and_count_by_compare_and_set(tmp_path: Path) -> None:
    processes = [start(crowding, tmp_path, who, 15) for who in (1, 2, 3)]
    registry = Registry(tmp_path)
    while any(process.poll() is None for process in processes):
        for name in registry.names():
            sound(registry)
            assert registry.history(name)
    won = [
        tuple(map(int, line.split()))
        for process in processes
        for line in process.communicate(timeout=60)[0].splitlines()
    ]
    assert sorted(version for version, _ in won) == list(range(1, 46))
    moves = registry.history("price", "newest")
    assert [(int(each.version), int(each.before or 0)) for each in moves] == sorted(
        won, key=lambda pair: [int(each.version) for each in moves].index(pair[0])
    )
    assert [each.before for each in moves[1:]] == [each.version for each in moves[:-1]]


def test_threads_share_a_registry(tmp_path: Path) -> None:
    registry = Registry(tmp_path)

    def publish(who: int) -> int:
        for at in range(10):
            registry.publish(f"m{at}", linear({"area": float(who)}))
        return len(registry.names())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(publish, range(1, 5))) == [10] * 4
    assert [len(registry.versions(f"m{at}")) for at in range(10)] == [4] * 10


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_is_told_and_changes_nothing(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(tmp_path)
    registry.publish("price", linear({"area": 1.0}))

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(RegistryError, match="No space left"):
            registry.publish("price", linear({"area": 2.0}))
    assert len(registry.versions("price")) == len(Registry(tmp_path).versions("price")) == 1
    assert list(tmp_path.rglob("*.part")) == []
    registry.publish("price", linear({"area": 2.0}))
    sound(registry)


def test_a_fact_that_cannot_be_forced_to_the_disk_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, reader = Registry(tmp_path), Registry(tmp_path)
    registry.publish("price", linear({"area": 1.0}))
    real = os.fsync

    def broken(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "facts.ndjson":
            assert reader.aliases("price")  # a reader may have seen it by then
            raise OSError(5, "Input/output error")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(RegistryError, match="Input/output error"):
            registry.promote("price", "champion", 1)
    assert registry.aliases("price") == reader.aliases("price") == {}


def test_a_registry_that_cannot_be_written_to_can_be_read(tmp_path: Path) -> None:
    Registry(tmp_path / "m").publish("price", linear({"area": 1.0}))
    before = sorted(path.name for path in tmp_path.rglob("*"))
    registry = Registry(tmp_path / "m")
    sound(registry)
    assert registry.history("price")
    assert Registry(tmp_path / "absent").names() == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
