"""Overflow: what a bounded queue does with an element that does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args

from rxml.flow.check import PLAIN, permit_function, require_function

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
B = TypeVar("B")

Policy: TypeAlias = Literal["error", "drop_oldest", "drop_newest", "latest"]
"""By name: fail the stream; drop what waits longest; drop what comes; keep only what came last."""

POLICIES: Final[tuple[str, ...]] = get_args(Policy)


@dataclass(frozen=True, slots=True)
class Conflate(Generic[A, B]):
    """The policy that makes one element of all that wait.

    Attributes:
        aggregate: called with what waits and the element that comes; its result waits.
        seed: makes what waits of the first element; None: the element itself.
    """

    aggregate: Callable[[B, A], B]
    seed: Callable[[A], B] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no function.

        Raises:
            PipelineError: aggregate or seed is none (a TypeError).
            TypeError: one is a coroutine function.
        """
        require_function("Conflate", self.aggregate, "makes one element of two", PLAIN)
        permit_function("Conflate(seed=)", self.seed, "makes what waits of an element", PLAIN)

    def first(self, item: A) -> Any:
        """What waits when there was nothing before."""
        return item if self.seed is None else self.seed(item)


Overflow: TypeAlias = Policy | Conflate[Any, Any]


def checked(name: str, policy: object, capacity: int | None, *others: str) -> int:
    """The capacity in elements that goes with the policy: 1 where only one element waits.

    Args:
        name: who asks, for errors.
        policy: as given by the user.
        capacity: as given by the user, or None.
        others: further policies, by name, that are understood there.

    Raises:
        ValueError: an unknown policy, or a capacity that does not go with it.
        TypeError: a capacity that is not an int.
    """
    known = (*POLICIES, *others)
    if not isinstance(policy, Conflate) and policy not in known:
        shown = ", ".join(repr(each) for each in known)
        message = f"{name} wants one of {shown} or Conflate(...), got {policy!r}"
        raise ValueError(message)
    if capacity is not None and capacity.__class__ is not int:
        message = f"{name} wants a capacity in elements as an int, got {capacity!r}"
        raise TypeError(message)
    if isinstance(policy, Conflate) or policy == "latest":
        if capacity not in (None, 1):
            message = f"{name}: under this policy one element waits, got capacity={capacity!r}"
            raise ValueError(message)
        return 1
    if capacity is None or capacity < 1:
        message = f"{name} wants a capacity of at least 1 element, got {capacity!r}"
        raise ValueError(message)
    return capacity
