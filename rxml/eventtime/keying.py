"""Keying: what is known, behind `key_by`, of the key that an element belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rxml.errors import PipelineError
from rxml.eventtime.reading import label_of, read
from rxml.flow.traits import lost, trait_of_elements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rxml.eventtime.reading import Column
    from rxml.flow.node import Node


@dataclass(frozen=True, slots=True)
class Evicted:
    """A key whose state was given up.

    Attributes:
        key: it.
        reason: "ttl", or "max_keys".
    """

    key: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Keying:
    """Which key an element belongs to, and for how long and of how many state is kept. A trait of flows.

    Attributes:
        column: of the elements, or a function of them.
        ttl: nanoseconds of event time for which the state of a key is kept behind its last element, or None.
        max_keys: keys whose state is kept; the one whose last element came longest ago gives way. None: all.
        on_evicted: told of each key whose state is given up.
    """

    column: Column
    ttl: int | None = None
    max_keys: int | None = None
    on_evicted: Callable[[Evicted], object] | None = None

    @property
    def name(self) -> str:
        """The name of the key's column in results."""
        return label_of(self.column)

    def of(self, items: Sequence[Any]) -> Sequence[Any] | NDArray[Any]:
        """The keys of elements, in order.

        Raises:
            SchemaError: an element has none.
        """
        return read(items, self.column)


def keying_of(node: Node) -> Keying | None:
    """The key that these very elements were given by `key_by`; None if there is none.

    Raises:
        PipelineError: other elements were made of those that had one, and no stage had gone by it.
    """
    vain = lost(node, Keying)
    if vain is not None:
        keying, end = vain
        message = (
            f"key_by({keying.name}) says the key of elements that are gone here: behind {end.spec.name}, built at "
            f"{end.spec.built}, are others{_inputs(end)}; put key_by behind it, or leave it out"
        )
        raise PipelineError(message)
    return trait_of_elements(node, Keying)


def _inputs(end: Node) -> str:
    return ", of inputs that do not all have that key" if end.spec.merges else ""
