"""Model: what scores rows, and Release: which one it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from rxml.batch import Batch
    from rxml.models.signature import Signature


@runtime_checkable
class Model(Protocol):
    """A function from rows to predictions that knows what it wants and gives.

    Row i of the result belongs to row i of what went in, whatever other rows stand beside it (laws L60, L61). It is called
    by one thread at a time, unless the place that it runs in says otherwise.
    """

    @property
    def signature(self) -> Signature:
        """What it wants and gives."""
        ...

    @property
    def digest(self) -> str:
        """What tells it from every other model: `sha256:` and 64 hex digits, or "" if nothing does."""
        ...

    def predict(self, batch: Batch) -> Batch:
        """The outputs for the rows of a batch that has the inputs, row by row."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """How another process makes the same model: nothing but words and plain values travels, and nothing is unpickled.

    Attributes:
        loader: `module:function` that gives the model.
        arguments: of that function; what `rxml.wire` has a form for.
    """

    loader: str
    arguments: tuple[Any, ...] = ()


@runtime_checkable
class Portable(Protocol):
    """A model that can also run in another process."""

    def recipe(self) -> Recipe:
        """How to make it there.

        Raises:
            ModelError: it cannot be made there; says what can.
        """
        ...


@dataclass(frozen=True, slots=True)
class Release:
    """Which model made a prediction.

    Attributes:
        name: of the model.
        version: of that name; "" if it has none.
        digest: see `Model.digest`.
    """

    name: str
    version: str = ""
    digest: str = ""


class Edition(Protocol):
    """A version of a model that is not loaded yet: what `registry.watch` emits."""

    @property
    def release(self) -> Release:
        """Which one it is."""
        ...

    def load(self) -> Model:
        """The model; called in a thread, since it takes long.

        Raises:
            Exception: it cannot be had.
        """
        ...


PRIMARY = "primary"
"""The rung of an answer that was made as intended."""
