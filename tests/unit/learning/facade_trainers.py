"""Trainers for tests of the facade: what is well, and what is not."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.learning.facade import Trained
from rxml.models.artefacts import linear
from rxml.models.registry import Coverage

if TYPE_CHECKING:
    from rxml.learning.facade import Job


def slope(job: Job) -> Trained:
    """Least squares of y on x through 0, in steps that are told; a checkpoint counts how often it was asked."""
    assert job.data is not None
    x, y = job.data["x"], job.data["y"]
    for step in range(3):
        job.progress(step + 1, 3, loss=1.0 / (step + 1))
    Path("left behind").write_text("x", encoding="utf-8")
    tempfile.mkstemp()
    if job.checkpoints is not None:
        (job.checkpoints / "asked").write_text(str(job.seed), encoding="utf-8")
    weight = float(job.hyperparameters["scale"] * (x @ y) / (x @ x))
    return Trained(
        linear({"x": weight}),
        {"rmse": 0.5},
        {"rmse": (0.4, 0.6)},
        Coverage(0.9, 0.91, 100),
        "v7",
        str(job.facts and job.facts.stop),
    )


def estimator(job: Job) -> Any:
    """A model of scikit-learn as it is."""
    from rxml.models.adapters.sklearn import from_sklearn

    regression: Any = import_module("sklearn.linear_model").LinearRegression()
    assert job.data is not None
    fitted = regression.fit(job.data["x"][:, None], job.data["y"])
    return from_sklearn(fitted, inputs=["x"])


def hanging(job: Job) -> None:
    """Says one thing, then nothing; a process of its own hangs, too, in a session of its own, and holds all it has inherited."""
    waiter = subprocess.Popen(["sleep", "600"], close_fds=False, start_new_session=True)
    job.progress(waiter.pid)
    while True:
        time.sleep(600)


def dying(job: Job) -> None:
    """Ends its process, and leaves one that holds all that it has inherited."""
    subprocess.Popen(["sleep", "600"], close_fds=False)
    os.write(2, b"the disk is on fire\n")
    os._exit(3)


def reading_nowhere(job: Job) -> None:
    """A crash of C."""
    ctypes.string_at(0)


def greedy(job: Job) -> Any:
    """Wants 4 GiB."""
    return np.ones(2**29)


def failing(job: Job) -> None:
    """Raises, in words that no message can carry."""
    raise KeyError("no such column", b"\xff".decode(errors="surrogateescape"))


def giving_nothing(job: Job) -> None:
    """No model."""


def pickled(job: Job) -> Path:
    """What no registry takes unasked."""
    path = job.folder / "model.txt"
    path.write_text("x", encoding="utf-8")
    return path
