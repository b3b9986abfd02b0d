"""How long a metric remembers: the whole stream, ever less of what is past, or the last rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Memory:
    """What a row weighs when others have come after it.

    Args:
        fading: by what all weights are multiplied when a row comes, in (0, 1]; 1 forgets nothing. The factor of
            Gama, Sebastiao and Rodrigues (2013): the sum S = l + a S', the weight N = 1 + a N', the mean S / N.
        window: how many last rows weigh anything, at least 1; 0 for all.

    Raises:
        ValueError: either is outside, or both are given.
    """

    fading: float = 1.0
    window: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.fading <= 1:
            raise ValueError(f"fading wants a factor in (0, 1], got {self.fading!r}")
        if self.window < 0 or self.window != int(self.window):
            raise ValueError(f"window wants a number of rows, at least 1, got {self.window!r}")
        if self.window and self.fading != 1:
            raise ValueError(
                f"a metric fades or has a window, got fading={self.fading!r} and window={self.window!r}"
            )

    def plain(self) -> list[float]:
        """What a snapshot tells of it."""
        return [self.fading, self.window]


def memory(fading: float | None, window: int | None) -> Memory:
    """As metrics are told it.

    Raises:
        ValueError: either is outside its bounds, or both are given.
    """
    if window is not None and window < 1:
        raise ValueError(f"window wants a number of rows, at least 1, got {window!r}")
    return Memory(1.0 if fading is None else fading, window or 0)
