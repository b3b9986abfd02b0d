"""Process: the real place of a trainer, a process of its own with a folder of its own; neither is left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from rxml import wire
from rxml.errors import ModelError, WorkerLostError
from rxml.flow.scope import Scope, uninterrupted
from rxml.learning.facade.frames import DATA, HEAD, MODEL, Order, answer, frame, head
from rxml.models.artefacts.artefact import Artefact
from rxml.models.artefacts.files import read_file
from rxml.models.artefacts.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from contextlib import AbstractAsyncContextManager

    from rxml.batch import Batch
    from rxml.learning.facade.config import LearningConfig
    from rxml.learning.facade.frames import Answer, Made

_LOG: Final = logging.getLogger("rxml.learning")
_BUFFER: Final = 1 << 16
_LINE: Final = 1000
_LAST_LINES: Final = 100
_FATAL: Final = "Fatal Python error"
_GRACE: Final = 1.0
"""Seconds from the end of what a process says to its own end."""

_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


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
        self._said: deque[str] = deque(maxlen=_LAST_LINES)
        self._logging: asyncio.Task[None] | None = None

    async def start(self, data: Batch | None) -> None:
        """Have it begin."""
        made = asyncio.to_thread(self._make, data)
        await uninterrupted(made, name=f"spawn {self._config.trainer}")
        if self._process is None:
            raise WorkerLostError("it was not started")
        self._theirs.close()
        self._watch(self._process)
        self._ours.settimeout(0.0)
        self._reader, self._writer = await asyncio.open_connection(sock=self._ours, limit=_BUFFER)
        self._writer.write(frame(self._order(with_data=data is not None)))

    def _make(self, data: Batch | None) -> None:
        """What takes long, in a thread."""
        self._folder = folder = Path(tempfile.mkdtemp(prefix="rxml-learning-"))
        if data is not None:
            (folder / DATA).write_bytes(wire.dumps(data))
        self._process = _spawned(self._theirs.fileno(), folder, self._config)

    def _order(self, *, with_data: bool) -> Order:
        config = self._config
        checkpoints = str(Path(config.checkpoints).absolute()) if config.checkpoints else ""
        hyperparameters = wire.dumps(dict(config.hyperparameters))
        limits = (config.facts, config.seed, config.memory)
        return Order(
            config.trainer, hyperparameters, *limits, str(self._folder), checkpoints, with_data
        )

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
        return ": ".join([_manner(status), *_last(self._said)])

    async def _reaped(self) -> int:
        """End it with all that it has started; its exit status."""
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            # before it is waited for, since its number is its own until then
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        status = await asyncio.to_thread(process.wait)
        if self._logging is not None:
            await asyncio.wait({self._logging}, timeout=_GRACE)
        return status

    async def artefact(self, made: Made) -> Artefact:
        """See `Learner.artefact`."""
        data = await asyncio.to_thread(read_file, Path(str(self._folder)) / MODEL, LIMITS)
        artefact = Artefact(made.format, data, made.recipe)
        if artefact.digest != made.digest:
            raise ModelError("the file of the model is not the one that was told of")
        return artefact

    async def _logged(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        reader = asyncio.StreamReader(limit=_BUFFER)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), process.stdout
        )
        try:
            while line := await _line(reader):
                text = line.decode(errors="replace").rstrip()[:_LINE]
                self._said.append(text)
                _LOG.info("%s: %s", self._config.trainer, text)
                await asyncio.sleep(0)  # or one that says much holds the loop
        finally:
            transport.close()

    async def close(self) -> None:
        """End it, and remove its files."""
        self._unwatch()
        await self._reaped()
        await self._scope.aclose()
        self._theirs.close()
        if self._writer is None:
            self._ours.close()
        else:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
        if self._folder is not None:
            await asyncio.to_thread(_removed, self._folder)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; of one that is too long, that it is: it must be read on, or who writes it waits."""
    try:
        return await reader.readline()
    except ValueError:
        return b"a line that is too long\n"


def _last(said: Iterable[str]) -> list[str]:
    """What is worth repeating of what it said: why Python itself has died, else the last line."""
    lines = [line for line in said if line]
    return [line for line in lines if line.startswith(_FATAL)][-1:] or lines[-1:]


def _manner(status: int) -> str:
    if status >= 0:
        return f"its process ended with status {status}"
    with suppress(ValueError):
        return f"its process was killed by {signal.Signals(-status).name}"
    return f"its process was killed by signal {-status}"


def _removed(folder: Path) -> None:
    shutil.rmtree(folder, onerror=_left)


def _left(_: object, path: str, why: tuple[Any, ...]) -> None:
    _LOG.warning("%s cannot be removed: %s", path, why[1])


def _spawned(channel: int, folder: Path, config: LearningConfig) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "rxml.learning.facade.worker", str(channel)],
        pass_fds=(channel,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        start_new_session=True,
        env={
            **os.environ,
            **dict.fromkeys(_THREADS, str(config.threads)),
            "PYTHONPATH": _path(),
            "PYTHONHASHSEED": str(config.seed % 2**32),
            "TMPDIR": str(folder),
        },
    )


def _path() -> str:
    """Where this process finds modules, the trainer does too; the working directory is another one there."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    here = [str(Path(each).absolute()) for each in [*sys.path, *filter(None, given)]]
    return os.pathsep.join(here)
