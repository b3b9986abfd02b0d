"""Children: what a fresh interpreter of ours finds in its environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def environment(threads: int) -> dict[str, str]:
    """That of this process; in it modules are found where they are found here, wherever the child works.

    Args:
        threads: that libraries of linear algebra may use there, >= 1.
    """
    return {**os.environ, **dict.fromkeys(_THREADS, str(threads)), "PYTHONPATH": _path()}


def _path() -> str:
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    here = [str(Path(each).absolute()) for each in [*sys.path, *filter(None, given)]]
    return os.pathsep.join(here)
