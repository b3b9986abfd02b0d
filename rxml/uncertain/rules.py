"""Rules: which function does an operation for which kinds; the most specific one for the types at hand is taken."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rxml.errors import DistributionError

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_RULES: Final[dict[tuple[str, *tuple[type, ...]], Callable[..., Any]]] = {}


def rule(operation: str, *types: type) -> Callable[[F], F]:
    """Let a function do an operation for arguments of these types and of those derived from them.

    Raises:
        ValueError: another function does.
    """

    def register(function: F) -> F:
        if (operation, *types) in _RULES:
            raise ValueError(f"there is a rule for {operation} of {types} already")
        _RULES[operation, *types] = function
        return function

    return register


def find(operation: str, *types: type) -> Callable[..., Any] | None:
    """The rule for these types: that of the nearest base of the first, then of the second."""
    for bases in product(*(each.__mro__ for each in types)):
        found = _RULES.get((operation, *bases))
        if found is not None:
            return found
    return None


def rule_for(operation: str, *types: type) -> Callable[..., Any]:
    """The rule for these types.

    Raises:
        DistributionError: there is none.
    """
    found = find(operation, *types)
    if found is None:
        names = " and ".join(each.__name__ for each in types)
        raise DistributionError(
            f"{operation} of {names}: no form is known; try `.to(Worlds, ...)` first"
        )
    return found
