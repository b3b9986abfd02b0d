"""poisson_binomial: the probabilities of how many of n uncertain rows are there; ours takes 5,000 rows besides."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from benchmarks.case import Case, Contestant, Must, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMES = 10
MANY = 5_000
SAME = 1e-9


@cache
def chances(n: int) -> Any:
    """Presence of n rows, float64."""
    import numpy as np  # noqa: PLC0415

    return np.random.default_rng(11).uniform(0.0, 1.0, n)


def clocked(work: Callable[[], Any]) -> tuple[Any, Mapping[str, float]]:
    """What the work gives, and what it takes at a time, without that which the check takes."""
    found, cpu, began = work(), process_time(), perf_counter()
    for _ in range(TIMES):
        found = work()
    seconds, busy = perf_counter() - began, process_time() - cpu
    return found, {"seconds": seconds / TIMES, "cpu_seconds": busy / TIMES}


def checksum(p: Any) -> float:
    """Of the probabilities of 0 ... n rows: it depends on each of them, and on its place."""
    import numpy as np  # noqa: PLC0415

    where = np.arange(len(p))
    return float((p * np.sqrt(1.0 + where)).sum())


def checked(p: Any, start: int, n: int) -> float:
    """The checksum of all n + 1 probabilities, once the moments are those of sums of Bernoulli variables."""
    import numpy as np  # noqa: PLC0415

    full = np.zeros(n + 1)
    full[start : start + len(p)] = p
    given, where = chances(n), np.arange(n + 1)
    mean, var = given.sum(), (given * (1.0 - given)).sum()
    assert abs(full.sum() - 1.0) < SAME
    assert abs((full * where).sum() - mean) < SAME * mean
    assert abs((full * (where - mean) ** 2).sum() - var) < SAME * var
    return checksum(full)


def by_rows(p: Any) -> Any:
    """The recurrence over the rows, in numpy."""
    import numpy as np  # noqa: PLC0415

    f = np.zeros(len(p) + 1)
    f[0] = 1.0
    for i, there in enumerate(p.tolist()):
        moved = f[: i + 1] * there
        f[: i + 1] *= 1.0 - there
        f[1 : i + 2] += moved
    return f


def by_hand(size: int) -> Outcome:
    """The recurrence."""
    found, measures = clocked(lambda: by_rows(chances(size)))
    return Outcome(checked(found, 0, size), measures)


def scipy(size: int) -> Outcome:
    """Its `poisson_binom`, at all n + 1 places."""
    import numpy as np  # noqa: PLC0415

    stats: Any = import_module("scipy.stats")
    where = np.arange(size + 1)
    found, measures = clocked(lambda: stats.poisson_binom(chances(size)).pmf(where))
    return Outcome(checked(found, 0, size), measures)


def rxml(size: int) -> Outcome:
    """Ours; and of 5,000 rows, whose tails are held against the recurrence."""
    from rxml.uncertain.possible.counts import count  # noqa: PLC0415

    found, measures = clocked(lambda: count(chances(size)))
    many, its = clocked(lambda: count(chances(MANY)))
    tails(many.p, int(many.start))
    more = {"many_seconds": its["seconds"], "half_a_second": 0.5}
    return Outcome(checked(found.p, int(found.start), size), {**measures, **more})


def tails(p: Any, start: int) -> None:
    """The probabilities of 5,000 rows, each right to a billionth of itself."""
    import numpy as np  # noqa: PLC0415

    checked(p, start, MANY)
    slow, held = by_rows(chances(MANY))[start : start + len(p)], p > 1e-290
    assert np.abs(p[held] / slow[held] - 1.0).max() < SAME


CASE = Case(
    name="poisson_binomial",
    what="all probabilities of how many of 1,000 uncertain rows are there; and of 5,000",
    limit="the recurrence over the rows in numpy, n^2 / 2 multiplications and additions",
    size=1_000,
    quick=500,
    unit="rows",
    contestants={
        "rxml": Contestant(rxml, "count(p), exact"),
        "hand": Contestant(by_hand, "the recurrence over the rows, by hand"),
        "scipy": Contestant(scipy, "scipy.stats.poisson_binom(p).pmf"),
    },
    musts=(
        Must("speed", "scipy", 20.0),
        Must("speed", "hand", 2.0),
        Must("within", "half_a_second", 1.0, "many_seconds"),
    ),
    tolerance=1e-9,
)
