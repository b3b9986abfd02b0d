"""Explaining: who made a prediction, and what its variance is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.errors import PipelineError
from rxml.models.propagating.parts import INPUT, MODEL, RESIDUAL, TOGETHER
from rxml.models.signature import TOLD

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a prediction comes from, and the law of total variance for it.

    Attributes:
        mean: of the value.
        inputs: variance that comes with each input, by name.
        together: variance that inputs have together, and none of them alone; 0 unless worlds tell.
        model: variance of what the model is not sure of.
        residual: variance of what is observed about that.
        made_by: model, version, digest, rung and reason, by these names.
    """

    mean: float
    inputs: Mapping[str, float]
    together: float
    model: float
    residual: float
    made_by: Mapping[str, str]

    @property
    def input(self) -> float:
        """The variance that comes with the inputs."""
        return sum(self.inputs.values()) + self.together

    @property
    def variance(self) -> float:
        """All of it: input + model + residual."""
        return self.input + self.model + self.residual

    @override
    def __str__(self) -> str:
        by = "@".join(filter(None, (self.made_by.get("model"), self.made_by.get("version"))))
        digest = self.made_by.get("digest", "")
        lines = [
            f"{self.mean:.6g} +- {self.variance**0.5:.3g} by {by or 'a model'} {digest}".rstrip()
        ]
        if self.made_by.get("reason"):
            lines.append(f"  {self.made_by['rung']}: {self.made_by['reason']}")
        parts = [(f"input {name}", part) for name, part in self.inputs.items()]
        parts += [("inputs together", self.together)] if self.together else []
        parts += [("model", self.model), ("residual", self.residual)]
        return "\n".join([*lines, *(self._line(*each) for each in parts)])

    def _line(self, name: str, part: float) -> str:
        return f"  {name:<20} {_share(part, self.variance):>7}  variance {part:.6g}"


def explain(prediction: Mapping[str, Any]) -> Explanation:
    """Who made a prediction, and what its variance is made of; `print` it.

    Args:
        prediction: a `Prediction`, or the row of a batch of them, by `score(model, propagate=..., explain=True)`.

    Raises:
        PipelineError: it does not tell the parts of its variance.
    """
    if MODEL not in prediction:
        raise PipelineError(
            "the prediction does not tell what its variance is made of: score(..., propagate='unscented', explain=True)"
        )
    value = prediction[next(iter(prediction))]
    return Explanation(
        mean=float(value.mean()),
        inputs={
            name.removeprefix(INPUT): float(prediction[name])
            for name in prediction
            if name.startswith(INPUT)
        },
        together=float(prediction.get(TOGETHER, 0.0)),
        model=float(prediction[MODEL]),
        residual=float(prediction[RESIDUAL]),
        made_by={name: prediction[name] for name in TOLD if name in prediction},
    )


def _share(part: float, whole: float) -> str:
    """In percent; of an infinite variance, what is infinite has all of it."""
    if whole == 0:
        return "0 %"
    share = float(part == whole) if whole == float("inf") else part / whole
    return f"{100 * share:.1f} %"
