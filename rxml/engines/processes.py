"""processes: a place for models that hold the interpreter, or that may take others down with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rxml.engines.elastic import Elastic
from rxml.engines.pool import How, Pool
from rxml.errors import ModelError
from rxml.flow.check import require_count
from rxml.models.model import Portable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.models.model import Model
    from rxml.models.scoring.place import Workers


class Processes:
    """See `processes`."""

    def __init__(self, least: int, most: int, how: How, target: float, shrink_after: float) -> None:
        self._least, self._most = least, most
        self._how = how
        self._target = target
        self._shrink_after = shrink_after

    async def open(self, model: Model, ready: Callable[[], None]) -> Workers:
        """See `Place.open`.

        Raises:
            ModelError: the model is not `Portable`, or cannot be made in another process.
        """
        if not isinstance(model, Portable):
            raise ModelError(
                f"{type(model).__name__} has no recipe() by which another process could make it: nothing is pickled; "
                "run it in a thread, or see rxml.models.from_function and the other adapters"
            )
        elastic = Elastic(self._least, self._most, self._target, self._shrink_after)
        pool = Pool(model.recipe(), self._how, self._least, elastic, ready)
        await pool.open()
        return pool


def processes(
    least: int = 1,
    most: int | None = None,
    *,
    threads: int = 1,
    pin: bool = False,
    timeout: float = 30.0,
    target: float = 0.01,
    shrink_after: float = 30.0,
    shared_bytes: int = 8 * 2**20,
) -> Processes:
    """The model runs in processes of its own: `ops.score(model, on=processes(1, 4))`.

    They are spawned, never forked; a model gets there by its recipe, and arrays by memory that both have: nothing is
    pickled. One that dies or hangs is replaced, and its batch is scored by another. They end with their parent, however
    that ends.

    Args:
        least: processes that there always are.
        most: processes while rows wait for longer than `target`; as many as `least` unless told otherwise.
        threads: of each one's numerical libraries (OMP_NUM_THREADS and its like): with as many as there are cores in each,
            they would stand in one another's way.
        pin: each process to a core, of those that this one may use.
        timeout: seconds after which a batch counts as hung, and its process is killed.
        target: seconds that a row may wait before one more process is started.
        shrink_after: seconds without need after which a process beyond `least` ends.
        shared_bytes: memory that each shares; what does not fit travels through a pipe.

    Raises:
        ValueError: a number out of its range.
    """
    most = least if most is None else most
    require_count("processes(least)", least, 1)
    require_count("processes(most)", most, least)
    require_count("processes(threads=)", threads, 1)
    require_count("processes(shared_bytes=)", shared_bytes, 4096)
    for name, seconds in (("timeout", timeout), ("target", target), ("shrink_after", shrink_after)):
        if not seconds > 0:
            raise ValueError(f"processes({name}=) wants seconds > 0, got {seconds!r}")
    cores = sorted(os.sched_getaffinity(0)) if pin else ()
    return Processes(least, most, How(threads, cores, timeout, shared_bytes), target, shrink_after)
