"""Functions that worker processes find by name."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rxml.batch import Batch


def double(rows: Batch) -> Any:
    return 2 * rows["x"]


def named(rows: Batch) -> Any:
    return np.array([f"{text}!" for text in rows["name"]], object)


def picky(rows: Batch) -> Any:
    if (rows["x"] < 0).any():
        raise ValueError("negative")
    return rows["x"]


def deadly(rows: Batch) -> Any:
    if (rows["x"] == 13).any():
        os.kill(os.getpid(), signal.SIGKILL)
    return rows["x"]


def hanging(rows: Batch) -> Any:
    if (rows["x"] == 13).any():
        time.sleep(1000)
    return rows["x"]


def slow(rows: Batch) -> Any:
    time.sleep(0.02)
    return rows["x"]


def pid(rows: Batch) -> Any:
    return np.full(len(rows), float(os.getpid()))


def threads(rows: Batch) -> Any:
    return np.full(len(rows), float(os.environ["OMP_NUM_THREADS"]))


def large(rows: Batch) -> Any:
    return np.repeat(rows["x"][:, None], 50_000, axis=1)


def swapped(rows: Batch) -> Any:
    return rows["b"], rows["a"]


def iterating(rows: Batch) -> Any:
    return next(iter([]))


def multiplying(rows: Batch) -> Any:
    if (rows["x"] == 13).any():
        if os.fork() == 0:
            while not Path(
                os.environ["SCORERS_END"]
            ).exists():  # it has the worker's end of the channel
                time.sleep(0.05)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    return rows["x"]


def verbose(rows: Batch) -> Any:
    sys.stderr.write("y" * (5 << 19) + "\n" + "a word\n" * 5000)
    return rows["x"]


def writing(rows: Batch) -> Any:
    sys.stdout.write("hello from the model")  # stdout is nobody's: it must not disturb the frames
    return rows["x"]
