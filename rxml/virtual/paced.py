"""PacedLoop: virtual time that passes so many times as fast as real time."""

from __future__ import annotations

import math
import time
from typing import Final

from typing_extensions import override

from rxml.virtual.loop import VirtualLoop

_STEP: Final = 0.05
"""Real seconds after which the loop looks whether it was interrupted."""


class PacedLoop(VirtualLoop):
    """A virtual loop that waits before it moves its clock. What work takes is not counted, so it is never faster than said.

    Args:
        speed: virtual seconds for a real one, > 0; infinity waits for nothing.

    Raises:
        ValueError: speed is not positive.
    """

    def __init__(self, speed: float) -> None:
        if not speed > 0:
            message = f"speed must be > 0, got {speed}"
            raise ValueError(message)
        super().__init__(limit_seconds=math.inf)
        self._speed = speed

    @override
    def reached(self, moment: float) -> float:
        """What the clock shows after one step of waiting: the moment, or one on the way there."""
        wait = (moment - self.time()) / self._speed
        if wait <= _STEP:
            time.sleep(max(0.0, wait))  # noqa: TID251 - nothing else is left to do
            return moment
        time.sleep(_STEP)  # noqa: TID251 - as above
        return self.time() + _STEP * self._speed
