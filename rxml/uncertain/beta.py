"""Beta: a probability a row, with the evidence for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from typing_extensions import override

from rxml.uncertain.checks import Floats, Numbers, batched, floats, probabilities, require
from rxml.uncertain.distribution import Distribution
from rxml.uncertain.normal import Normal
from rxml.uncertain.special import betainc, betaincc, betaincinv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike


class Beta(Distribution):
    """A Beta distribution a row: what is known of a probability after a successes and b failures.

    Args:
        a: above 0, shape (N,) or (); 1/2 of Jeffreys' prior and the weight of successes.
        b: above 0; as much for failures.

    Raises:
        DistributionError: naming the rows where either is not above 0 and finite.
    """

    __slots__ = ("_a", "_b")

    kind: str = "beta"
    axes: ClassVar[Mapping[str, int | None]] = {"a": 0, "b": 0}

    _a: Floats
    _b: Floats

    def __init__(self, a: ArrayLike, b: ArrayLike) -> None:
        self._a, self._b = batched(a=a, b=b)
        for parameter in (self._a, self._b):
            fine = (parameter > 0) & np.isfinite(parameter)
            require(fine, "a and b are above 0 and finite", parameter)

    @classmethod
    def of_moments(cls, mean: ArrayLike, var: ArrayLike) -> Beta:
        """The one of this mean and variance.

        Raises:
            DistributionError: not 0 < mean < 1, or not 0 < var < mean (1 - mean).
        """
        m, v = batched(mean=mean, var=var)
        require((v > 0) & (v < m * (1 - m)), "0 < var < mean (1 - mean)", np.stack([m, v], axis=-1))
        evidence = m * (1 - m) / v - 1
        return cls(m * evidence, (1 - m) * evidence)

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._a.shape

    @property
    def a(self) -> Floats:
        """The weight of successes, shape (N,)."""
        return self._a

    @property
    def b(self) -> Floats:
        """The weight of failures, shape (N,)."""
        return self._b

    @override
    def mean(self) -> Floats:
        return self._a / (self._a + self._b)

    @override
    def var(self) -> Floats:
        total = self._a + self._b
        return self._a / total * (self._b / total) / (total + 1)

    @override
    def cdf(self, x: Numbers) -> Floats:
        return betainc(self._a, self._b, np.clip(np.asarray(x, np.float64), 0.0, 1.0))

    @override
    def sf(self, x: Numbers) -> Floats:
        return betaincc(self._a, self._b, np.clip(np.asarray(x, np.float64), 0.0, 1.0))

    @override
    def ppf(self, q: Numbers) -> Floats:
        return betaincinv(self._a, self._b, probabilities(q))

    @override
    def affine(self, scale: Numbers, shift: Numbers) -> Normal | Beta:
        """1 - X is a Beta; of others mean and variance are exact and the shape is a normal's, since no Beta has theirs."""
        if np.ndim(scale) == np.ndim(shift) == 0 and (scale, shift) == (-1.0, 1.0):
            return self.adopt(a=self._b, b=self._a)
        return Normal(self.mean(), self.var()).affine(scale, shift)

    @override
    def divided(self, by: Numbers) -> Normal:
        return Normal(self.mean(), self.var()).divided(by)

    def observed(self, successes: Numbers, failures: Numbers, forgetting: float = 1.0) -> Beta:
        """What is known after more evidence; what was known before counts `forgetting` as much beside Jeffreys' prior.

        Args:
            successes: weight, at least 0.
            failures: weight, at least 0.
            forgetting: within (0, 1].

        Raises:
            DistributionError: naming the rows with a negative weight, or NaN.
        """
        if not 0 < forgetting <= 1:
            raise ValueError(f"forgetting is within (0, 1]; got {forgetting}")
        for weight in (floats("successes", successes), floats("failures", failures)):
            require(weight >= 0, "a weight of evidence is >= 0", weight)
        old = [forgetting * known + (1 - forgetting) / 2 for known in (self._a, self._b)]
        return Beta(old[0] + successes, old[1] + failures)
