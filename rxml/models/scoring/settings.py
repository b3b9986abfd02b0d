"""Settings: what a user says of scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.models.model import Edition, Model, Release
    from rxml.models.propagating import Dress
    from rxml.models.scoring.place import Place


@dataclass(frozen=True, slots=True)
class Swap:
    """One model took over from another, or could not.

    Attributes:
        release: the one that came.
        before: the one that was there, or None.
        error: why it could not take over, or None.
    """

    release: Release
    before: Release | None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What `ops.score` was told; see there.

    Attributes:
        model: what scores, or the flow of what does.
        release: of the model; of a flow each edition has its own.
        place: where it runs.
        ordered: predictions leave in the order of the elements.
        budget: seconds that a batch may take.
        most: rows of a batch.
        capacity: elements held.
        max_bytes: that they may hold.
        patience: seconds that the oldest may wait until the newest go first.
        overlap: whether two models may be loaded at once while one takes over.
        on_swap: told of each model that took over, or could not.
        keep: columns of elements that answers have beside their own.
        dress: makes editions that take distributions of those that come.
    """

    model: Model | Flowable[Edition]
    release: Release | None
    place: Place
    ordered: bool
    budget: float
    most: int
    capacity: int
    max_bytes: int
    patience: float
    overlap: bool
    on_swap: Callable[[Swap], Any] | None
    dress: Dress | None = None
    keep: tuple[str, ...] = ()
