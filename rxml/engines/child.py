"""Child: one worker process, as its parent sees it."""

from __future__ import annotations

import asyncio
import builtins
import logging
import mmap
import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rxml.children import environment
from rxml.engines.frames import HEAD, Failure, Kind, Load, frame, head, packed, unpacked
from rxml.errors import ModelError, ProtocolError, WorkerLostError
from rxml.flow.scope import Scope, uninterrupted
from rxml.wire import dumps

if TYPE_CHECKING:
    from rxml.batch import Batch
    from rxml.models.model import Recipe
    from rxml.models.scoring.place import Done

_LOG: Final = logging.getLogger("rxml.engines")
_BUFFER: Final = 1 << 20
_LINE: Final = 1000

_LOOPS: Final = (StopIteration, StopAsyncIteration)
"""What ends a loop wherever it is raised: no future takes it."""


class Child:
    """A worker process; it has one batch at a time.

    Args:
        name: in the log.
        shared_bytes: of the memory that both have.
        timeout: seconds after which a batch counts as hung, and the process is killed.

    Attributes:
        busy: it has a batch.
        pid: of the process.
    """

    def __init__(self, name: str, shared_bytes: int, timeout: float) -> None:
        self.name: str = name
        self.busy: bool = False
        self.pid: int = 0
        self._timeout = timeout
        self._shared_bytes = shared_bytes
        self._scope = Scope()
        self._done: Done | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._shared: mmap.mmap | None = None
        self._ours: socket.socket | None = None
        self._pidfd = -1
        self._writer: asyncio.StreamWriter | None = None
        self._why = "it died"
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, recipe: Recipe, threads: int, core: int) -> None:
        """Have it made, with its model loaded and warm.

        Raises:
            ModelError: the model cannot be made there.
            WorkerLostError: the process died over it.
        """
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(0.0)
        memory = os.memfd_create(f"rxml {self.name}", os.MFD_CLOEXEC)
        try:
            os.ftruncate(memory, self._shared_bytes)
            self._shared = mmap.mmap(memory, 0)
            spawning = self._spawn(theirs.fileno(), memory, core, threads)
            await uninterrupted(spawning, name=f"spawn {self.name}")
        finally:
            theirs.close()
            os.close(memory)
        reader, self._writer = await asyncio.open_connection(sock=self._ours, limit=_BUFFER)
        self._writer.write(frame(Kind.LOAD, Load(recipe.loader, dumps(list(recipe.arguments)))))
        kind, body = await self._answer(reader)
        if kind is not Kind.READY:
            raise ModelError(f"the model cannot be made in a process of its own: {_words(body)}")
        self._scope.start(self._listen(reader), name=f"{self.name}: answers")

    async def _spawn(self, channel: int, memory: int, core: int, threads: int) -> None:
        self._process = process = await asyncio.to_thread(_spawned, channel, memory, core, threads)
        self.pid = process.pid
        self._scope.start(self._logged(process), name=f"{self.name}: stderr")
        with suppress(OSError):  # a kernel without it: the end of the channel shows the end, too
            self._pidfd = os.pidfd_open(self.pid)
            asyncio.get_running_loop().add_reader(self._pidfd, self._has_ended)

    def _has_ended(self) -> None:
        """Take what it has said as its last word: processes of its own may outlive it, and hold the channel open."""
        self._unwatch()
        if self._ours is not None:
            with suppress(OSError):
                self._ours.shutdown(socket.SHUT_RD)

    def _unwatch(self) -> None:
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[Kind, bytes]:
        try:
            kind, size = head(await reader.readexactly(HEAD.size))
            return kind, await reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerLostError(f"{self.name}: {self._why}") from error

    def score(self, batch: Batch, done: Done) -> None:
        """Give it a batch; it must not be busy."""
        if self._shared is None or self._writer is None:
            raise RuntimeError(f"{self.name} has not been started")
        self.busy, self._done = True, done
        try:
            self._writer.write(frame(Kind.SCORE, packed(batch, self._shared)))
        except Exception as error:  # noqa: BLE001 - whatever has no form or no room is the batch's fault
            return self._tell(error, 0.0)
        self._timer = asyncio.get_running_loop().call_later(self._timeout, self._hangs)
        return None

    def _hangs(self) -> None:
        self._why = f"it has not answered within {self._timeout:g} s, and was killed"
        self.kill()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        why = self._why
        try:
            while True:
                kind, body = await self._answer(reader)
                self._take(kind, body)
        except (WorkerLostError, ProtocolError) as error:
            why = str(error)
        finally:
            self.kill()
            if not self.lost.done():
                self.lost.set_result(None)
        self._tell(WorkerLostError(why), 0.0)

    def _take(self, kind: Kind, body: bytes) -> None:
        if self._shared is None or kind not in (Kind.RESULT, Kind.FAILED):
            raise ProtocolError(f"{self.name} said {kind!r} where a result was to come")
        if kind is Kind.FAILED:
            self._tell(_raised(body), 0.0)
        else:
            self._tell(*unpacked(body, self._shared, copy=True))

    def _tell(self, result: Batch | Exception, seconds: float) -> None:
        done, self._done = self._done, None
        self.busy = False
        if self._timer is not None:
            self._timer.cancel()
        if done is not None:
            done(result, seconds)

    async def _logged(self, process: subprocess.Popen[bytes]) -> None:
        """What it writes to stderr goes to the log, under its name."""
        loop, stderr = asyncio.get_running_loop(), process.stderr
        if stderr is None:
            return
        reader = asyncio.StreamReader(limit=_BUFFER)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), stderr
        )
        try:
            while line := await _line(reader):
                _LOG.warning("%s: %s", self.name, line.decode(errors="replace").rstrip()[:_LINE])
        finally:
            transport.close()

    def kill(self) -> None:
        """End it now; its batch is told."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    async def close(self) -> None:
        """End it, and let go of what it had; idempotent."""
        self.kill()
        self._unwatch()
        if self._writer is None and self._ours is not None:
            self._ours.close()
        if self._writer is not None:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
        if self._process is not None:
            await uninterrupted(asyncio.to_thread(self._process.wait), name=f"{self.name} ends")
        await self._scope.aclose()
        self._tell(WorkerLostError(f"{self.name} was closed"), 0.0)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; of one that is too long, that it is. It must be read on: whoever writes would fail or wait otherwise."""
    try:
        return await reader.readline()
    except ValueError:
        return b"a line that is too long\n"


def _spawned(channel: int, memory: int, core: int, threads: int) -> subprocess.Popen[bytes]:
    """A fresh interpreter: nothing of this process's state or locks is in it, as it would be after a fork."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "rxml.engines.worker", str(channel), str(memory), str(core)],
        pass_fds=(channel, memory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(threads),
    )


def _failure(body: bytes) -> Failure:
    try:
        return msgspec.msgpack.decode(body, type=Failure)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"no failure came from the other process: {error}") from error


def _words(body: bytes) -> str:
    failure = _failure(body)
    return f"{failure.kind}: {failure.words}"


def _raised(body: bytes) -> Exception:
    """What the model raised there, as the same kind of error if that is one of Python's own."""
    failure = _failure(body)
    kind: Any = getattr(builtins, failure.kind, None)
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, _LOOPS):
        with suppress(TypeError):
            return kind(failure.words)
    return ModelError(f"{failure.kind}: {failure.words}")
