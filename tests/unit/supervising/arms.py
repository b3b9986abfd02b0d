"""Arms that fail, hang and are slow when they are told to, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

HANGS = 1e9


@dataclass
class Scripted:
    """Answers with its name after `seconds`; fails with probability `fails`; then other things as they are set.

    Attributes:
        asked: how often it was called.
        open: calls under way.
    """

    name: str
    seconds: float = 0.01
    fails: float = 0.0
    random: Random = field(default_factory=lambda: Random(1))
    asked: int = 0
    open: int = 0

    async def __call__(self, item: Any) -> str:
        self.asked += 1
        self.open += 1
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.open -= 1
        if self.random.random() < self.fails:
            raise OSError(f"{self.name} is ill")
        return f"{self.name}:{item}"


def now() -> float:
    return asyncio.get_running_loop().time()
