"""Process: the real place of a trainer, a process of its own with a folder of its own; neither is left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from rxml import wire
from rxml.errors import ModelError, WorkerLostError
from rxml.flow.scope import Scope, in_turn, uninterrupted
from rxml.learning.facade.frames import DATA, HEAD, MODEL, Order, answer, frame, head
from rxml.learning.facade.sayings import Sayings
from rxml.learning.facade.spawning import ended, manner, new_folder, removed, spawned
from rxml.models.artefacts.artefact import Artefact
from rxml.models.artefacts.files import read_file
from rxml.models.artefacts.limits import LIMITS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from rxml.batch import Batch
    from rxml.learning.facade.config import LearningConfig
    from rxml.learning.facade.frames import Answer, Made

_LOG: Final = logging.getLogger("rxml.learning")
_BUFFER: Final = 1 << 16
_GRACE: Final = 1.0
"""Seconds from the end of what a process says to its own end."""


class Learner(Protocol):
    """A trainer at work."""

    async def told(self) -> Answer:
        """What it says next.

        Raises:
            WorkerLostError: it has died; says how.
            ProtocolError: it says what none may say.
        """
        ...

    async def artefact(self, made: Made) -> Artefact:
        """The model that it has told of.

        Raises:
            ModelError: it is not there, or another one.
        """
        ...


class Launch(Protocol):
    """Starts a trainer; at the end of the context nothing of it is left."""

    def __call__(
        self, config: LearningConfig, data: Batch | None
    ) -> AbstractAsyncContextManager[Learner]:
        """Start it."""
        ...


@asynccontextmanager
async def in_process(config: LearningConfig, data: Batch | None) -> AsyncGenerator[Learner]:
    """A trainer in a fresh interpreter (a `Launch`): nothing of this process is in it, as it would be after a fork."""
    process = Process(config)
    try:
        await process.start(data)
        yield process
    finally:
        await uninterrupted(process.close(), name=f"{config.trainer} ends")


class Process:
    """A trainer's process.

    Args:
        config: that it goes by.
    """

    def __init__(self, config: LearningConfig) -> None:
        self._config = config
        self._folder: Path | None = None
        self._scope = Scope()
        self._process: subprocess.Popen[bytes] | None = None
        self._ours, self._theirs = socket.socketpair()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._pidfd = -1
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._said = Sayings(config.trainer)
        self._logging: asyncio.Task[None] | None = None

    async def start(self, data: Batch | None) -> None:
        """Have it begin."""
        made = asyncio.to_thread(self._make, data)
        order, process = await uninterrupted(made, name=f"spawn {self._config.trainer}")
        self._theirs.close()
        self._watch(process)
        self._ours.settimeout(0.0)
        self._reader, self._writer = await asyncio.open_connection(sock=self._ours, limit=_BUFFER)
        self._writer.write(order)

    def _make(self, data: Batch | None) -> tuple[bytes, subprocess.Popen[bytes]]:
        """What takes long, in a thread: the order is made, and its process begins."""
        self._folder = folder = new_folder()
        order = frame(self._order(folder, with_data=data is not None))
        if data is not None:
            (folder / DATA).write_bytes(wire.dumps(data))
        self._process = process = spawned(self._theirs.fileno(), folder, self._config)
        return order, process

    def _order(self, folder: Path, *, with_data: bool) -> Order:
        config = self._config
        checkpoints = str(Path(config.checkpoints).absolute()) if config.checkpoints else ""
        hyperparameters = wire.dumps(dict(config.hyperparameters))
        limits = (config.facts, config.seed, config.memory)
        return Order(config.trainer, hyperparameters, *limits, str(folder), checkpoints, with_data)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        self._logging = self._scope.spawn(self._logged(process), name="a trainer's output")
        try:
            self._pidfd = os.pidfd_open(process.pid)
        except OSError:  # a kernel without it: the end of the channel shows the end, too
            self._ended.set_result(None)
            return
        asyncio.get_running_loop().add_reader(self._pidfd, self._has_ended)

    def _has_ended(self) -> None:
        """What it has said is its last word, though processes of its own may outlive it and hold the channel open."""
        self._unwatch()
        if not self._ended.done():
            self._ended.set_result(None)
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RD)

    def _unwatch(self) -> None:
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    async def told(self) -> Answer:
        """See `Learner.told`."""
        if self._reader is None:
            raise RuntimeError("it has not been started")
        try:
            kind, size = head(await self._reader.readexactly(HEAD.size))
            return answer(kind, await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerLostError(await self._why()) from error

    async def _why(self) -> str:
        """How it died, and what it said last."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._ended), _GRACE)
        status = await self._reaped()
        return ": ".join([manner(status), *self._said.worth_repeating()])

    async def _reaped(self) -> int:
        """End it with all that it has started; its exit status."""
        if self._process is None:
            return 0
        status = await asyncio.to_thread(ended, self._process)
        if self._logging is not None:
            await asyncio.wait({self._logging}, timeout=_GRACE)
        return status

    async def artefact(self, made: Made) -> Artefact:
        """See `Learner.artefact`."""
        return await asyncio.to_thread(_artefact, Path(str(self._folder)) / MODEL, made)

    async def _logged(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        reader = asyncio.StreamReader(limit=_BUFFER)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), process.stdout
        )
        try:
            while data := await reader.read(_BUFFER):
                self._said.take(data)
                await asyncio.sleep(0)  # or one that says much holds the loop
            self._said.take(b"")
        finally:
            transport.close()

    async def close(self) -> None:
        """End it, and remove its files."""
        self._unwatch()
        await in_turn((self._quiet, self._hang_up, self._clear), _report)

    async def _quiet(self) -> None:
        await self._reaped()
        await self._scope.aclose()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    async def _hang_up(self) -> None:
        self._theirs.close()
        if self._writer is None:
            self._ours.close()
            return
        self._writer.transport.abort()  # what is left to say, nobody hears
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _clear(self) -> None:
        if self._folder is not None:
            await asyncio.to_thread(removed, self._folder)


def _report(error: Exception) -> None:
    _LOG.error("a trainer's process could not be cleaned up: %r", error)


def _artefact(path: Path, made: Made) -> Artefact:
    artefact = Artefact(made.format, read_file(path, LIMITS), made.recipe)
    if artefact.digest != made.digest:
        raise ModelError("the file of the model is not the one that was told of")
    return artefact
