"""A trainer's process: `python -m rxml.learning.facade.worker SOCKET`. Trains one model, and ends."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from rxml import wire
from rxml.errors import ArtefactError, ModelError
from rxml.learning.facade.frames import (
    DATA,
    HEAD,
    MODEL,
    Failed,
    Kind,
    Made,
    Order,
    Told,
    body_of,
    frame,
    head,
)
from rxml.learning.facade.job import Job, Trained
from rxml.models.artefacts.intake import artefact_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch

_PR_SET_PDEATHSIG: Final = 1
_WORDS: Final = 2000


def main(arguments: list[str]) -> None:
    """Train what the parent asks for."""
    _tied_to_parent()
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=int(arguments[0])) as connection:
        order = _order(connection)
        try:
            said = frame(_made(order, connection))
        except MemoryError:
            said = frame(Failed("MemoryError", "it wanted more memory than it may have"))
        except Exception as error:  # noqa: BLE001 - the parent decides
            said = frame(Failed(_sayable(type(error).__name__), _sayable(str(error))))
        connection.sendall(said)


def _sayable(text: str) -> str:
    """Of names of files there are some that no message can carry."""
    return text[:_WORDS].encode(errors="backslashreplace").decode()


def _order(connection: socket.socket) -> Order:
    kind, size = head(_exactly(connection, HEAD.size))
    if kind is not Kind.ORDER:
        raise RuntimeError(f"{kind!r} came where an order was to come")
    return body_of(_exactly(connection, size), Order)


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts: list[bytes] = []
    while size and (part := connection.recv(size)):
        parts.append(part)
        size -= len(part)
    if size:
        raise SystemExit("the parent is gone")
    return b"".join(parts)


def _made(order: Order, connection: socket.socket) -> Made:
    folder = Path(order.folder)
    data = _data(folder / DATA) if order.data else None
    trainer = _trainer(order.trainer)
    if order.memory is not None:
        _limit_memory(order.memory)

    turn = Lock()

    def told(done: float, total: float, metrics: dict[str, float]) -> None:
        said = frame(Told(done, total, metrics))
        with turn:  # a trainer may have threads
            connection.sendall(said)

    job = Job(
        wire.loads(order.hyperparameters),
        data,
        order.facts,
        order.seed,
        folder,
        Path(order.checkpoints) if order.checkpoints else None,
        told,
    )
    given = trainer(job)
    return _told(given if isinstance(given, Trained) else Trained(given), folder)


def _trainer(target: str) -> Callable[[Job], Any]:
    module, _, name = target.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise ModelError(f"{target} is no function")
    made: Callable[[Job], Any] = found
    return made


def _data(path: Path) -> Batch:
    """The rows: they come from the parent, so their own size is all that bounds them."""
    data = path.read_bytes()
    most = len(data)
    limits = wire.Limits(
        max_bytes=most,
        max_items=most,
        max_containers=most,
        max_str=most,
        max_bin=most,
        max_ext=most,
    )
    rows: Batch = wire.loads(data, limits=limits)
    return rows


def _told(trained: Trained, folder: Path) -> Made:
    try:
        artefact = artefact_for(trained.model)
    except ArtefactError as error:
        raise ModelError(f"what the trainer gave cannot be kept: {error}") from error
    (folder / MODEL).write_bytes(artefact.data)
    return Made(
        artefact.format,
        artefact.recipe,
        artefact.digest,
        {name: float(each) for name, each in trained.metrics.items()},
        {name: (float(lo), float(hi)) for name, (lo, hi) in trained.intervals.items()},
        trained.coverage,
        trained.features,
        trained.notes,
    )


def _limit_memory(more: int) -> None:
    """Beside what there is already: how much that is differs among machines."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGESIZE") + more
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _tied_to_parent() -> None:
    """Die with the parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
