"""Rewards: what choices came to, told by id, late or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rxml.models.live.rendezvous import text_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Reward(NamedTuple):
    """What a choice came to.

    Attributes:
        key: the id of the element.
        value: 0 to 1.
    """

    key: Any
    value: float


class Rewards:
    """What `ops.bandit` learns from, for where there is no flow of rewards: `give` them where they become known."""

    __slots__ = ("_hearers",)

    def __init__(self) -> None:
        self._hearers: list[Callable[[Reward], bool]] = []

    def give(self, key: object, value: float) -> bool:
        """Tell what an element came to.

        Args:
            key: its id.
            value: 0 to 1.

        Returns:
            Whether a bandit that runs has learnt from it: it knows the element, and had no reward for it yet.

        Raises:
            ValueError: not 0 to 1.
        """
        reward = Reward(key, require_reward(value))
        return sum(hear(reward) for hear in self._hearers) > 0

    def hear(self, hearer: Callable[[Reward], bool]) -> Callable[[], None]:
        """Have a function told of each from now on; returns what takes it back."""
        self._hearers.append(hearer)
        return lambda: self._hearers.remove(hearer)


class Ledger:
    """Which arm each id was given to, for as many ids as there is room for; the oldest are forgotten.

    Args:
        most: ids, >= 1.
    """

    __slots__ = ("_choices", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._choices: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._choices)

    def note(self, key: object, arm: int, propensity: float) -> None:
        """An id was given to an arm; what it was given to before is forgotten."""
        text = text_of(key)
        self._choices.pop(text, None)
        self._choices[text] = (arm, propensity)
        if len(self._choices) > self._most:
            del self._choices[next(iter(self._choices))]

    def take(self, key: object) -> tuple[int, float] | None:
        """The arm and its propensity then, once; None if nothing is known of the id."""
        return self._choices.pop(text_of(key), None)


def require_reward(value: float) -> float:
    """The reward, which must be 0 to 1, or a ValueError."""
    if not 0 <= value <= 1:
        raise ValueError(f"a reward is a number from 0 to 1, got {value!r}")
    return float(value)
