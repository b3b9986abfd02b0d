"""Checkpoint: how a run is saved, as its user says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rxml.errors import PipelineError
from rxml.flow.checkpointing.store import Store, Stored
from rxml.flow.node import Checkpointing, StageSpec
from rxml.flow.timing.duration import seconds_of

if TYPE_CHECKING:
    from rxml.flow.node import Node
    from rxml.flow.timing.duration import Duration

Guarantee: TypeAlias = Literal["at_least_once", "effectively_once"]
"""What holds for the results of a run that dies and comes back."""

EVERY: Final = 10.0
"""Seconds between two checkpoints, unless something else is said."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """When a run is saved, and where.

    Args:
        store: keeps the checkpoints.
        every: seconds of the run's clock between a checkpoint and the next barrier, > 0, or a timedelta; None: time
            brings about none.
        elements: a barrier follows after so many elements of one source, >= 1; None: counting brings about none.
        name: of the pipeline in the store, so that a store may hold several.

    Raises:
        PipelineError: no store, or a name that is none.
        ValueError: a duration or a count that is not positive.
    """

    store: Store
    every: Duration | None = EVERY
    elements: int | None = None
    name: str = "main"

    def __post_init__(self) -> None:
        _require_store(self.store)
        _require_name(self.name)
        if self.every is not None and not self.seconds > 0:
            raise ValueError(f"Checkpoint(every=) wants a duration > 0, got {self.every!r}")
        count = self.elements
        if count is not None and (count.__class__ is not int or count < 1):
            raise ValueError(f"Checkpoint(elements=) wants an int >= 1, got {count!r}")

    @property
    def seconds(self) -> float:
        """`every` in seconds; infinity for None."""
        if self.every is None:
            return float("inf")
        return seconds_of(self.every, "Checkpoint(every)")

    def guarantee(self, flow: Node) -> Guarantee:
        """What holds for the results of a flow that is run so.

        "effectively_once": each element has come through a sink, which holds it once however often the run has died. Such
        are the sinks of this very store, since what they store is committed with the checkpoint, and fact logs that are
        said to know facts again: `append(known_again=True)`. "at_least_once": on some way from a source to the end there
        is no such sink; results since the last checkpoint come again. In both cases functions that the flow calls are
        called again for elements since then.
        """
        once: dict[int, bool] = {}
        for node in flow.walk():
            behind = [once[id(source)] for source in node.sources]
            once[id(node)] = self._stores(node) or (bool(behind) and all(behind))
        return "effectively_once" if once[id(flow)] else "at_least_once"

    def _stores(self, node: Node) -> bool:
        spec = node.spec
        if not isinstance(spec, StageSpec) or spec.checkpointing is not Checkpointing.STORES:
            return False
        stores = [each.store for each in spec.traits if isinstance(each, Stored)]
        return not stores or self.store in stores


def _require_store(store: object) -> None:
    if not isinstance(store, Store):
        raise PipelineError(
            f"checkpoint= wants a store, such as rxml.stores.SqliteStore(path), or a Checkpoint, got {store!r}"
        )


def _require_name(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise PipelineError(f"Checkpoint(name=) wants a text, got {name!r}")
    if not name.isprintable():
        raise PipelineError(f"Checkpoint(name=) wants a text that can be printed, got {name!r}")


def checkpoint_of(given: Checkpoint | Store | None) -> Checkpoint | None:
    """What `run(checkpoint=)` was given: a store stands for a checkpoint in it every `EVERY` seconds."""
    if given is None or isinstance(given, Checkpoint):
        return given
    return Checkpoint(given)
