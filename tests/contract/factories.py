"""Functions that recipes name, and models that the contract is tried on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.batch import Batch

NAMES = [f"x{i}" for i in range(20)]
RNG = np.random.default_rng(7)
X: NDArray[np.float64] = RNG.normal(size=(300, 20))
WEIGHTS: NDArray[np.float64] = RNG.normal(size=20)
NUMBER: NDArray[np.float64] = X @ WEIGHTS + RNG.normal(size=300)
YES: NDArray[np.int64] = (NUMBER > 0).astype(np.int64)
WORD: NDArray[np.str_] = np.array(["low", "mid", "high"])[np.digitize(NUMBER, [-2.0, 2.0])]


def double(rows: Batch) -> Any:
    """A model as a function."""
    return 2 * rows["x0"] - rows["x1"]


def learnt() -> Any:
    """A model of River that is the same each time."""
    linear_model: Any = import_module("river.linear_model")
    preprocessing: Any = import_module("river.preprocessing")
    model = preprocessing.StandardScaler() | linear_model.LogisticRegression()
    for row, yes in zip(X[:100, :3].tolist(), YES[:100].tolist(), strict=True):
        model.learn_one(dict(zip(NAMES, row, strict=False)), yes)
    return model


def module() -> Any:
    """A module of PyTorch that has not learnt."""
    torch: Any = import_module("torch")
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(20, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
