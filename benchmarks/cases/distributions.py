"""distributions: an affine map of a million normals, as a column and as the same numpy on means and variances."""

from __future__ import annotations

from functools import cache
from typing import Any

from benchmarks.case import Case, Contestant, Must, Outcome

ROWS = 1_000_000
SCALE, SHIFT = 1.8, 32.0


@cache
def data() -> tuple[Any, Any]:
    """Means and variances, shape (1e6,) each."""
    import numpy as np  # noqa: PLC0415

    generator = np.random.default_rng(3)
    return generator.normal(20, 5, ROWS), generator.uniform(0, 4, ROWS)


def by_hand(size: int) -> Outcome:
    """Two expressions of numpy."""
    mean, var = data()
    total = 0.0
    for _ in range(size):
        moved, wider = mean * SCALE + SHIFT, var * (SCALE * SCALE)
        total += float(moved[-1] + wider[-1])
    return Outcome(round(total, 6))


def rxml(size: int) -> Outcome:
    """Ours: a `Normal` column, which looks whether the result is one."""
    from rxml.uncertain import Normal  # noqa: PLC0415

    column = Normal(*data())
    total = 0.0
    for _ in range(size):
        moved = column * SCALE + SHIFT
        total += float(moved.mean()[-1] + moved.var()[-1])
    return Outcome(round(total, 6))


CASE = Case(
    name="distributions",
    what=f"{SCALE:g} x + {SHIFT:g} of a million normals",
    limit="two passes over memory and two new arrays: what numpy does by hand",
    size=40,
    quick=10,
    unit="columns",
    contestants={
        "rxml": Contestant(rxml, "Normal column"),
        "by hand": Contestant(by_hand, "numpy on means and variances"),
    },
    musts=(Must("cost", "by hand", 3.0),),
)
