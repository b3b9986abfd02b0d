"""Forms of members that tell chances: of an event, or of one of several classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.beta import Beta
from rxml.uncertain.categorical import Categorical
from rxml.uncertain.pooling.betas import linear_pool_beta, log_pool_beta, product_beta
from rxml.uncertain.pooling.form import Form, named
from rxml.uncertain.pooling.probabilities import (
    linear_pool_categorical,
    linear_pool_probability,
    log_pool_categorical,
    log_pool_probability,
    product_probability,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.uncertain.checks import Floats, Mask


def _independent_events(p: Floats, weights: Floats, awake: Mask) -> Floats:
    return product_probability(p, 0.5, weights, awake)


def _independent_betas(a: Floats, b: Floats, weights: Floats, awake: Mask) -> tuple[Floats, Floats]:
    return product_beta(a, b, (1.0, 1.0), weights, awake)


_OF_EVENTS: Final[dict[str, Callable[..., Floats]]] = {
    "linear_pool": linear_pool_probability,
    "log_pool": log_pool_probability,
    "product": _independent_events,
}
_OF_BETAS: Final[dict[str, Callable[..., tuple[Floats, Floats]]]] = {
    "linear_pool": linear_pool_beta,
    "log_pool": log_pool_beta,
    "product": _independent_betas,
}


class Events(Form):
    """Whether something holds: `Bernoulli` columns, by the bounds of their probabilities, which are mostly one number."""

    pools: ClassVar[tuple[str, ...]] = ("linear_pool", "log_pool", "product")

    @override
    def read(self, column: Any) -> Floats:
        if isinstance(column, Bernoulli):
            return np.stack(column.bounds, axis=-1)
        if isinstance(column, Beta):
            return np.stack([column.mean()] * 2, axis=-1)
        raise DistributionError(
            f"events or their probabilities as a Beta are wanted: got {named(column)}"
        )

    @override
    def column(self, told: Floats) -> Bernoulli:
        return Bernoulli.between(told[:, 0], told[:, 1])

    @override
    def pool(self, told: Floats, weights: Floats, rule: str) -> Bernoulli:
        there = ~np.isnan(told).any(axis=-1) & (weights > 0)
        some = there.any(axis=1)
        # all rules grow with each of the probabilities, so bounds go to bounds
        low, high = (_OF_EVENTS[rule](told[:, :, side], weights, there) for side in (0, 1))
        return Bernoulli.between(np.where(some, low, 0.0), np.where(some, high, 1.0))


class Chances(Form):
    """`Beta` columns: a probability, with the evidence for it."""

    pools: ClassVar[tuple[str, ...]] = ("linear_pool", "log_pool", "product")

    @override
    def read(self, column: Any) -> Floats:
        if isinstance(column, Beta):
            return np.stack([column.a, column.b], axis=-1)
        raise DistributionError(f"betas are wanted: got {named(column)}")

    @override
    def column(self, told: Floats) -> Beta:
        return Beta(told[:, 0], told[:, 1])

    @override
    def pool(self, told: Floats, weights: Floats, rule: str) -> Beta:
        there = ~np.isnan(told).any(axis=-1) & (weights > 0)
        some = there.any(axis=1)
        a, b = _OF_BETAS[rule](told[:, :, 0], told[:, :, 1], weights, there)
        return Beta(np.where(some, a, 1.0), np.where(some, b, 1.0))


class Choices(Form):
    """`Categorical` columns over classes that all members share.

    Args:
        classes: in the order of the probabilities.
    """

    pools: ClassVar[tuple[str, ...]] = ("linear_pool", "log_pool", "product")

    def __init__(self, classes: Any) -> None:
        self.classes: Any = np.asarray(classes)
        self.width: int = len(self.classes)

    @override
    def read(self, column: Any) -> Floats:
        if not isinstance(column, Categorical):
            raise DistributionError(f"categoricals are wanted: got {named(column)}")
        if not np.array_equal(column.classes, self.classes):
            got, want = column.classes.tolist(), self.classes.tolist()
            raise DistributionError(f"members have the same classes: got {got} and {want}")
        return column.logp

    @override
    def column(self, told: Floats) -> Categorical:
        return Categorical.of_logits(told, self.classes)

    @override
    def pool(self, told: Floats, weights: Floats, rule: str) -> Categorical:
        there = ~np.isnan(told).any(axis=-1) & (weights > 0)
        if rule == "linear_pool":
            logp = linear_pool_categorical(told, weights, there)
        else:
            logp = log_pool_categorical(told, weights, there, independent=rule == "product")
        some = there.any(axis=1, keepdims=True)
        return Categorical.of_logits(np.where(some, logp, 0.0), self.classes)

    @override
    def setting(self) -> list[Any]:
        return [*super().setting(), self.classes.tolist()]
