"""LearningConfig: all that a training depends on, in words and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Final

from rxml import wire
from rxml.errors import WireError
from rxml.flow.check import require_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.models.artefacts.manifest import FactRange

_TARGET: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")

_SEEDS: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class LearningConfig:
    """What is trained, on what, and how long and large it may become.

    Args:
        trainer: `module:function`; it is called in another process with a `Job`, and gives a model that has a recipe, the
            path of a file that a registry takes, or `Trained` with either.
        hyperparameters: by name, what `rxml.wire` takes: numbers, texts, lists, maps, arrays.
        facts: the range that the trainer is to read; it opens the log itself.
        seed: for all that is drawn, >= 0 and below 2**64; the process hashes texts by it, too.
        timeout: seconds after which it is killed, > 0.
        memory: bytes that it may take beside what Python, numpy and the module of the trainer have once they are loaded,
            >= 2**20; of address space, as a kernel counts. None: no limit but the machine's.
        threads: of its numerical libraries, >= 1.
        checkpoints: a folder that outlasts the training, for a trainer that goes on where one before it was cut off;
            "": none. All other files are in a folder that is removed, whatever happens.

    Raises:
        ValueError: one of these is none.
    """

    trainer: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    facts: FactRange | None = None
    seed: int = 0
    timeout: float = 3600.0
    memory: int | None = None
    threads: int = 1
    checkpoints: str = ""

    def __post_init__(self) -> None:
        if not _TARGET.fullmatch(self.trainer):
            raise ValueError(f"trainer wants module:function, got {self.trainer!r}")
        if not 0 < self.timeout < inf:
            raise ValueError(f"timeout wants seconds > 0, got {self.timeout!r}")
        require_count("LearningConfig(seed)", self.seed, 0)
        if self.seed >= _SEEDS:
            raise ValueError(f"LearningConfig(seed) wants less than 2**64, got {self.seed!r}")
        require_count("LearningConfig(threads)", self.threads, 1)
        if self.memory is not None:
            require_count("LearningConfig(memory)", self.memory, 2**20)
        try:
            wire.dumps(dict(self.hyperparameters))
        except (WireError, TypeError) as error:
            raise ValueError(f"hyperparameters want plain values and arrays: {error}") from error

    @property
    def words(self) -> str:
        """In a line, for people."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.hyperparameters.items())
        return f"{self.trainer}({given}), seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Attributes:
        done: steps, epochs, or what it counts.
        total: of these; NaN where that is not known.
        metrics: by name.
        seconds: since it began.
    """

    done: float
    total: float
    metrics: Mapping[str, float]
    seconds: float
