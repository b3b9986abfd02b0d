"""Results: what joins give for elements that are no batches."""

from __future__ import annotations

from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

A = TypeVar("A")
B = TypeVar("B")

Reason: TypeAlias = Literal["timeout", "error"]
"""Why nothing was found."""


class Joined(NamedTuple, Generic[A, B]):
    """A pair of `interval_join`.

    Attributes:
        left: an element of the flow.
        right: an element of the other; None where there was none (`how="left"`).
        time: when the pair was complete, or when it was certain that there is none (int64 ns UTC).
    """

    left: A
    right: B | None
    time: int


class AsOf(NamedTuple, Generic[A, B]):
    """An element of `asof_join` with what was known at its time.

    Attributes:
        left: the element.
        right: the newest element of the other flow by then; None if there was none.
    """

    left: A
    right: B | None

    @property
    def found(self) -> bool:
        """Whether anything was known."""
        return self.right is not None


class Looked(NamedTuple, Generic[A, B]):
    """An element of `lookup_join` with what was looked up for it.

    Attributes:
        element: the element.
        value: what the function gave for its key; the default where it gave nothing in time.
        found: whether the function gave it.
        reason: why not: "timeout" or "error"; None if found.
        error: what the function raised, if that is the reason.
    """

    element: A
    value: B
    found: bool = True
    reason: Reason | None = None
    error: Exception | None = None
