"""A worker process: `python -m rxml.engines.worker SOCKET MEMORY CORE`. Makes one model, and scores by it until told to end."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import sys
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rxml.engines.frames import HEAD, Failure, Kind, Load, frame, head, packed, unpacked
from rxml.models.scoring.warm import warmed
from rxml.wire import loads

if TYPE_CHECKING:
    from rxml.models.model import Model

_PR_SET_PDEATHSIG: Final = 1
_WORDS: Final = 2000


def main(arguments: list[str]) -> None:
    """Serve the parent until it is gone."""
    channel, memory, core = map(int, arguments)
    _tied_to_parent()
    if core >= 0:
        os.sched_setaffinity(0, {core})
    connection = socket.socket(fileno=channel)
    with mmap.mmap(memory, 0) as shared, connection:
        os.close(memory)
        Worker(connection, shared).run()


class Worker:
    """Answers frames, one after the other.

    Args:
        connection: to the parent.
        shared: memory that it has, too.
    """

    def __init__(self, connection: socket.socket, shared: mmap.mmap) -> None:
        self._connection = connection
        self._shared = shared
        self._model: Model | None = None

    def run(self) -> None:
        """Until the parent closes its end."""
        while (received := self._receive()) is not None:
            kind, body = received
            try:
                answer = self._loaded(body) if kind is Kind.LOAD else self._scored(body)
            except Exception as error:  # noqa: BLE001 - the parent decides
                answer = frame(Kind.FAILED, Failure(type(error).__name__, str(error)[:_WORDS]))
            self._connection.sendall(answer)

    def _receive(self) -> tuple[Kind, bytes] | None:
        start = self._exactly(HEAD.size)
        if start is None:
            return None
        kind, size = head(start)
        body = self._exactly(size)
        return None if body is None else (kind, body)

    def _exactly(self, size: int) -> bytes | None:
        parts: list[bytes] = []
        while size and (part := self._connection.recv(min(size, 1 << 20))):
            parts.append(part)
            size -= len(part)
        return None if size else b"".join(parts)

    def _loaded(self, body: bytes) -> bytes:
        told = msgspec.msgpack.decode(body, type=Load)
        module, _, name = told.loader.partition(":")
        make: Any = import_module(module)
        for part in name.split("."):
            make = getattr(make, part)
        self._model = model = make(*loads(told.arguments))
        warmed(model)
        return frame(Kind.READY, Failure("", ""))

    def _scored(self, body: bytes) -> bytes:
        if self._model is None:
            raise RuntimeError("there is no model yet")
        batch, _ = unpacked(body, self._shared, copy=False)
        began = perf_counter()
        result = self._model.predict(batch)
        return frame(Kind.RESULT, packed(result, self._shared, perf_counter() - began))


def _tied_to_parent() -> None:
    """Die with the parent, and leave the terminal's Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
