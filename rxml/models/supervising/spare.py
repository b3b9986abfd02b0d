"""Spare: the answer to an element when no arm has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.flow.guarding.rungs import NOTHING, Answer
from rxml.models.supervising.telling import DEFAULT, LAST
from rxml.resilience.keyed import Keyed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.models.supervising.decision import What


class Spare:
    """The last answer for the same key, or a default; tells when answers begin to come from here, and when that is over.

    Args:
        key: of an element; None: no answers are remembered.
        keys: that are remembered.
        default: the answer without any other, or `NOTHING`.
        arms: how many there are: what is here are the rungs behind them.
        tell: of decisions: what, which rung, why.
    """

    __slots__ = ("_arms", "_default", "_key", "_known", "_rung", "_tell")

    def __init__(
        self,
        key: Callable[[Any], Hashable] | None,
        keys: int,
        default: Any,
        arms: int,
        tell: Callable[[What, str, str], None],
    ) -> None:
        self._key = key
        self._known: Keyed[tuple[Any]] = Keyed(keys)
        self._default = default
        self._arms = arms
        self._tell = tell
        self._rung: str | None = None

    def has(self, item: Any) -> bool:
        """Whether there is one for the element."""
        known = self._key is not None and self._key(item) in self._known
        return known or self._default is not NOTHING

    def keep(self, item: Any, value: Any, arm: str) -> None:
        """An arm has answered."""
        if self._key is not None:
            self._known.put(self._key(item), (value,))
        if self._rung is not None:
            self._rung = None
            self._tell("recovered", arm, "it has answered")

    def answer(self, item: Any, reason: str) -> Answer[Any] | None:
        """The answer without arms, and why it is that."""
        known = None if self._key is None else self._known.get(self._key(item))
        if known is not None:
            return self._given(known[0], 0, LAST, reason)
        if self._default is not NOTHING:
            return self._given(self._default, 1, DEFAULT, reason)
        return None

    def _given(self, value: Any, below: int, rung: str, reason: str) -> Answer[Any]:
        if self._rung != rung:
            self._rung = rung
            self._tell("fell back", rung, reason)
        return Answer(value, self._arms + below, rung, reason)
