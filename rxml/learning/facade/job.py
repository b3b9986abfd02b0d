"""Job: what a trainer is given, and what it gives back; both live in the process of the trainer."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rxml.batch import Batch
    from rxml.models.artefacts.manifest import Coverage, FactRange
    from rxml.models.model import Model


@dataclass(frozen=True, slots=True)
class Job:
    """What a trainer is called with.

    Attributes:
        hyperparameters: by name; tuples came as lists.
        data: the rows that were sent along; None: none were.
        facts: the range to read; None: none was said.
        seed: for all that is drawn.
        folder: for files; the working directory, and where `tempfile` puts its own. It is removed afterwards.
        checkpoints: a folder that stays; None: there is none.
        told: takes what `progress` says.
    """

    hyperparameters: Mapping[str, Any]
    data: Batch | None
    facts: FactRange | None
    seed: int
    folder: Path
    checkpoints: Path | None
    told: Callable[[float, float, dict[str, float]], None]

    def progress(self, done: float, total: float = nan, **metrics: float) -> None:
        """Say how far it is; cheap (10 microseconds), but not for each row.

        Args:
            done: steps, epochs or whatever is counted.
            total: of these, if that is known.
            metrics: by name, such as `loss=.3`.
        """
        self.told(float(done), float(total), {name: float(each) for name, each in metrics.items()})


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what a trainer knows of it.

    Attributes:
        model: one with a recipe, or the path of a file that a registry takes: *.onnx, *.skops, *.safetensors, *.npz.
        metrics: by name, finite numbers.
        intervals: lower and upper bounds of these, so that a gate can ask how sure they are.
        coverage: how well intervals hold; a registry wants it of a model that promises any.
        features: version of the features: `Features.digest`.
        notes: for people.
    """

    model: Model | Path | str
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    intervals: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )
    coverage: Coverage | None = None
    features: str = ""
    notes: str = ""
