"""DirectoryStore: a file for each checkpoint, there as a whole or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import CheckpointError, CheckpointVersionError
from rxml.flow.checkpointing.store import Saved
from rxml.stores import Checkpoint, DirectoryStore
from rxml.stores.packing import encoded, packed

if TYPE_CHECKING:
    from pathlib import Path


STATE = encoded("state")


async def saved(store: DirectoryStore, name: str = "main") -> Saved | None:
    session = await store.begin(name)
    await session.close()
    return session.saved


async def commit(store: DirectoryStore, *numbers: int, name: str = "main") -> None:
    session = await store.begin(name)
    for number in numbers:
        await session.commit(Saved(number, ("a", "b"), {1: STATE}))


def test_the_newest_comes_back_and_few_are_kept(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, keep=2)

    async def main() -> None:
        assert await saved(store) is None
        await commit(store, 1, 2, 3)
        await commit(store, 1, name="../a/b ..")
        assert await saved(store) == Saved(3, ("a", "b"), {1: STATE})
        await store.forget()
        assert await saved(store) is None
        assert await saved(store, "../a/b ..") == Saved(1, ("a", "b"), {1: STATE})

    asyncio.run(main())
    assert len(list(tmp_path.iterdir())) == 2
    assert not list(tmp_path.parent.glob("a*"))


@pytest.mark.parametrize("left", [0, 5, 30, -1])
def test_a_file_cut_short_gives_way_to_the_one_before(
    tmp_path: Path, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    store = DirectoryStore(tmp_path)

    async def main() -> None:
        await commit(store, 1, 2)
        path = tmp_path / "main" / "000000000002.rxck"
        path.write_bytes(path.read_bytes()[:left])
        assert await saved(store) == Saved(1, ("a", "b"), {1: STATE})
        assert len(caplog.messages) == 1
        assert "goes on from the checkpoint before" in caplog.text
        path.with_name("000000000001.rxck").write_bytes(b"")
        with pytest.raises(CheckpointError, match=r"000000000001.rxck is no checkpoint: 0 bytes"):
            await saved(store)

    asyncio.run(main())


def test_a_newer_format_is_told_and_does_not_give_way(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)

    async def main() -> None:
        await commit(store, 1)
        newer = packed(Saved(2, ("a", "b"), format=9))
        (tmp_path / "main" / "000000000002.rxck").write_bytes(newer)
        with pytest.raises(
            CheckpointVersionError, match="format 9, this rxml knows formats up to 1"
        ):
            await saved(store)

    asyncio.run(main())


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(
        CheckpointError, match=r"checkpoints in .*file/main cannot be read or written"
    ):
        asyncio.run(saved(DirectoryStore(tmp_path / "file")))


def test_a_run_that_died_goes_on_from_a_directory(tmp_path: Path) -> None:
    store, out = DirectoryStore(tmp_path), list[int]()
    checkpoint = Checkpoint(store, every=None, elements=3)

    def take(x: int) -> None:
        out.append(x)
        if len(out) == 8:
            raise RuntimeError

    flow = rxml.range(10).pipe(ops.scan(lambda a, b: a + b), ops.do_action(take))
    with pytest.raises(RuntimeError):
        asyncio.run(flow.run(checkpoint=checkpoint))
    asyncio.run(flow.run(checkpoint=checkpoint))
    assert out == [0, 1, 3, 6, 10, 15, 21, 28, 21, 28, 36, 45]
