"""LearningResult: what a training came to, whatever that was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.learning.facade.config import LearningConfig
    from rxml.models.artefacts.artefact import Artefact
    from rxml.models.artefacts.manifest import Coverage
    from rxml.models.registry.publishing import About

Outcome: TypeAlias = Literal[
    "trained", "failed", "crashed", "timed_out", "out_of_memory", "cancelled", "refused"
]
"""The trainer gave a model; it raised; its process died; it took too long, or too much memory; it was cancelled; too many
trainings waited already."""


@dataclass(frozen=True, slots=True)
class LearningResult:
    """What a training came to.

    Attributes:
        outcome: of it.
        reason: why there is no model; "" if there is one.
        seconds: that it took.
        config: that it went by.
        artefact: the model; a registry takes it: `registry.publish(name, result.artefact, **result.about())`.
        metrics: that the trainer has measured.
        intervals: lower and upper bounds of these, of which there are some.
        coverage: its record of how well intervals hold.
        features: version of the features that it was trained with.
        notes: of the trainer.
    """

    outcome: Outcome
    reason: str
    seconds: float
    config: LearningConfig
    artefact: Artefact | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    intervals: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )
    coverage: Coverage | None = None
    features: str = ""
    notes: str = ""

    @property
    def trained(self) -> bool:
        """Whether there is a model."""
        return self.artefact is not None

    def about(self) -> About:
        """What a registry is to be told of the model."""
        return {
            "metrics": self.metrics,
            "features": self.features,
            "facts": self.config.facts,
            "coverage": self.coverage,
            "notes": self.notes or f"trained by {self.config.words}",
        }
