"""A model that doubles, until it is told to do something else; processes are told by a file."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch

FILE = "RXML_CHAOS"
HERE = {"fault": ""}
GATE = threading.Event()
"""Ends what hangs in a thread."""


def doubled(rows: Batch) -> Any:
    return 2 * rows["x"]


def faulty(rows: Batch) -> Any:
    told = os.environ.get(FILE)
    fault = Path(told).read_text("utf-8") if told else HERE["fault"]
    return FAULTS[fault](rows)


def _kill(rows: Batch) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _exit(rows: Batch) -> Any:
    sys.exit("the model has had enough")


def _hang(rows: Batch) -> Any:
    GATE.wait(1000)
    return doubled(rows)


def _slow(rows: Batch) -> Any:
    until = time.perf_counter() + 0.03
    while time.perf_counter() < until:
        pass
    return doubled(rows)


def _error(rows: Batch) -> Any:
    raise OSError("the model is ill")


def _shape(rows: Batch) -> Any:
    return np.zeros((len(rows), 2))


def _length(rows: Batch) -> Any:
    return np.zeros(len(rows) + 1)


def _dtype(rows: Batch) -> Any:
    return np.full(len(rows), "many")


def _nan(rows: Batch) -> Any:
    return np.full(len(rows), np.nan)


def _memory(rows: Batch) -> Any:
    raise MemoryError("no memory is left")


FAULTS: dict[str, Callable[[Batch], Any]] = {
    "": doubled,
    "kill": _kill,
    "exit": _exit,
    "hang": _hang,
    "slow": _slow,
    "error": _error,
    "shape": _shape,
    "length": _length,
    "dtype": _dtype,
    "nan": _nan,
    "memory": _memory,
}
