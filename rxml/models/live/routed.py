"""Routed: a prediction of one of several arms, which says of which one, and how likely that one was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from typing_extensions import override

from rxml.batch import Batch
from rxml.errors import PipelineError
from rxml.models.prediction import Prediction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rxml.models.model import Release
    from rxml.models.signature import Signature

ROUTE: Final = ("arm", "propensity")
"""Names that a prediction of one of several arms has, beside those that every prediction has."""


class Routed(Prediction):
    """A prediction, and `arm` and `propensity` beside what it has otherwise.

    Args:
        outputs: see `Prediction`.
        release: see `Prediction`.
        rung: see `Prediction`.
        reason: see `Prediction`.
        arm: that the element was given to.
        propensity: the probability with which it was given to that one, 0 < p <= 1; what off-policy estimates divide by.
    """

    __slots__ = ("arm", "propensity")

    def __init__(
        self,
        outputs: Mapping[str, Any],
        release: Release,
        rung: str,
        reason: str,
        *,
        arm: str,
        propensity: float,
    ) -> None:
        super().__init__(outputs, release, rung, reason)
        self.arm: str = arm
        self.propensity: float = propensity

    @override
    def __getitem__(self, name: str) -> Any:
        if name in ROUTE and name not in self.outputs:
            return self.arm if name == "arm" else self.propensity
        return super().__getitem__(name)

    @override
    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        yield from ROUTE

    @override
    def __len__(self) -> int:
        return super().__len__() + len(ROUTE)


def routed(answer: Any, arm: str, propensity: float, fell: tuple[str, str] | None = None) -> Any:
    """The answer of a model with what is known of the way to it.

    Args:
        answer: a Prediction, or a batch of them.
        arm: that answered.
        propensity: of that arm.
        fell: rung and reason, if it is not the arm that was to answer.
    """
    if isinstance(answer, Batch):
        return _columns(answer, arm, propensity, fell)
    rung, reason = (answer.rung, answer.reason) if fell is None else fell
    return Routed(answer.outputs, answer.release, rung, reason, arm=arm, propensity=propensity)


def _columns(rows: Batch, arm: str, propensity: float, fell: tuple[str, str] | None) -> Batch:
    told: dict[str, Any] = {"arm": arm, "propensity": propensity}
    if fell is not None:
        told |= {"rung": fell[0], "reason": fell[1]}
    columns = {name: np.full(len(rows), value, _dtype(value)) for name, value in told.items()}
    return Batch.adopt({**rows.columns, **columns}, len(rows))


def _dtype(value: object) -> type[object]:
    return object if isinstance(value, str) else float


def require_names(name: str, signature: Signature) -> None:
    """Raise a PipelineError if an output has a name that these predictions use themselves."""
    taken = [each for each in ROUTE if each in signature.outputs]
    if taken:
        raise PipelineError(
            f"{name}: an output is named {taken[0]!r}, which predictions of arms use themselves: rename it"
        )
