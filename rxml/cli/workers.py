"""Workers: processes that serve one App at one port, and a parent that keeps up their number.

Nothing is shared but the port: the kernel deals connections out to whoever listens there (SO_REUSEPORT).
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import Process, create_subprocess_exec
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from rxml.flow.scope import Scope
from rxml.resilience import Intensity

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

DRAINED: Final = 0
FAILED: Final = 1
"""A worker could not begin: the others would not be able to, either. One that was killed meanwhile might have been."""
ESCALATED: Final = 3
"""Workers die so often that starting them again does not help."""


class Ready(msgspec.Struct, frozen=True):
    """What a worker tells its parent once it listens."""

    host: str
    port: int
    admin_port: int | None
    url: str
    paths: str


class Place(msgspec.Struct, frozen=True):
    """What a parent tells its worker: who it is, and where the others are."""

    number: int
    count: int
    leash: int
    """A socket to the parent. Its end is the end of the worker: nobody keeps up an orphan."""
    folder: str
    first: bool
    """It finds out where all are to listen."""
    host: str | None = None
    port: int | None = None
    admin_port: int | None = None


def keep(options: argparse.Namespace) -> int:
    """Serve an App by several workers; the exit status. What they do is not even imported here."""
    arguments = ["serve", options.target, "--log", options.log]
    return asyncio.run(Parent(arguments, options.workers, options.host, options.port).run())


class Parent:
    """Starts workers, starts again those that die, and ends all of them together.

    A worker that dies is started again after 0.1 s, and later the more often that happens. SIGTERM and SIGINT drain all;
    a second one cuts, a third one kills.

    Args:
        arguments: of the command that each worker runs.
        count: of workers, >= 1.
        host: to bind; None: the app's.
        port: to listen on; None: the app's.
    """

    def __init__(
        self, arguments: Sequence[str], count: int, host: str | None, port: int | None
    ) -> None:
        self._arguments = tuple(arguments)
        self._count = count
        self._where = Ready(host or "", port or 0, None, "", "")
        self._given = (host, port)
        self._intensity = Intensity(max(5, 2 * count), 30.0)
        self._processes: dict[int, Process] = {}
        self._ready = [asyncio.Event() for _ in range(count)]
        self._signals = 0
        self._ending = asyncio.Event()
        self._status = DRAINED
        self._scope = Scope()

    async def run(self) -> int:
        """Until a signal, or until it is of no use to go on; the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        with tempfile.TemporaryDirectory(prefix="rxml-") as folder:
            try:
                await self._keep_all(folder)
            finally:
                await self._scope.aclose()
                for process in self._processes.values():
                    process.kill()
        return self._status

    async def _keep_all(self, folder: str) -> None:
        """The first worker finds out where all are to listen."""
        tasks = [self._scope.spawn(self._keep(0, folder), name="worker 0")]
        await self._is_ready(0)
        if not self._ending.is_set():
            for number in range(1, self._count):
                keeping = self._keep(number, folder)
                tasks.append(self._scope.spawn(keeping, name=f"worker {number}"))
            for number in range(1, self._count):
                await self._is_ready(number)
        if not self._ending.is_set():
            many = "1 worker" if self._count == 1 else f"{self._count} workers"
            print(
                f"serving {self._where.url} by {many}: {self._where.paths}. Ctrl-C ends.",
                flush=True,
            )
        await asyncio.gather(*tasks)

    async def _is_ready(self, number: int) -> None:
        """Or it will never be."""
        waits = [
            self._scope.spawn(each.wait(), name="ready")
            for each in (self._ready[number], self._ending)
        ]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _keep(self, number: int, folder: str) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            status = await self._live(number, folder)
            if self._ending.is_set():
                return
            if not self._ready[number].is_set() and status >= 0:
                self._give_up(FAILED, f"worker {number} could not begin")
                return
            wait = self._intensity.failed(loop.time())
            if wait is None:
                self._give_up(ESCALATED, f"workers die too often; the last one {_how(status)}")
                return
            _say(f"worker {number} {_how(status)}; it is started again in {wait:g} s")
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._ending.wait()

    async def _live(self, number: int, folder: str) -> int:
        """One life of a worker, from its start to its end; how it ended."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = await self._spawned(number, theirs.fileno(), folder)
            self._processes[number] = process
            if self._ending.is_set():
                process.terminate()
            listening = self._scope.spawn(self._hear(number, ours), name="hear a worker")
            try:
                return await process.wait()
            finally:
                await asyncio.wait([listening], timeout=1.0)
                listening.cancel()
                self._processes.pop(number, None)

    async def _spawned(self, number: int, leash: int, folder: str) -> Process:
        where, (host, port) = self._where, self._given
        place = Place(
            number,
            self._count,
            leash,
            folder,
            not where.url,
            where.host if where.url else host,
            where.port if where.url else port,
            where.admin_port,
        )
        told = msgspec.json.encode(place).decode()
        return await create_subprocess_exec(
            sys.executable,
            "-m",
            "rxml",
            *self._arguments,
            "--as-worker",
            told,
            pass_fds=(leash,),
            start_new_session=True,  # Ctrl-C is for the parent, which drains them
        )

    async def _hear(self, number: int, leash: socket.socket) -> None:
        """What a worker says once it listens: a line of JSON."""
        leash.setblocking(False)  # noqa: FBT003 - the name says it
        loop = asyncio.get_running_loop()
        said = b""
        while not said.endswith(b"\n"):
            part = await loop.sock_recv(leash, 4096)
            if not part:
                return
            said += part
        ready = msgspec.json.decode(said, type=Ready)
        if not self._where.url:
            self._where = ready
        self._ready[number].set()

    def _end(self) -> None:
        self._signals += 1
        self._ending.set()
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL if self._signals > 2 else signal.SIGTERM)

    def _give_up(self, status: int, why: str) -> None:
        _say(f"{why}; all end")
        self._status = status
        self._end()


def _how(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
