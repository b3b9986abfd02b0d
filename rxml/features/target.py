"""Categories as what is known of the target in each: a distribution, drawn towards the mean of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.features.checks import one_of, positive, squarable
from rxml.features.moments import advance, held, moments
from rxml.features.transform import ColumnTransform
from rxml.features.turns import Turns
from rxml.features.vocabulary import Vocabulary, categories

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rxml.features.table import Table
    from rxml.features.transform import Found, Rows


class TargetEncoder(ColumnTransform):
    """The mean of the target in the row's category, shrunk: (n m_c + k m) / (n + k), and how sure that is.

    n and m_c are the category's count and mean, m the mean of all targets, k the strength. The row's own target is
    learned after its feature is made, and `transform` never sees targets, so that none leaks.

    `normal`: parts `mean` and `var`. The variance is the squared scale of the category's mean (which is Student's t,
    near a Normal from some dozen targets on) under the conjugate prior that is worth k targets of the mean and
    variance of all: s_n^2 / (n + k), with s_n^2 = (k s^2 + M2_c +
    k n (m_c - m)^2 / (n + k)) / (n + k) (Murphy, "Conjugate Bayesian Analysis of the Gaussian Distribution", 2007,
    section 5). With fewer than two targets it is infinite; before the first one the mean is 0.

    `beta`: parts `a` and `b` of a Beta distribution of the same mean and of n + k observations, for targets from 0 to
    1. The mean of all starts from the prior of Jeffreys, (S + 1/2) / (N + 1), so that neither is ever 0.

    A category that is new, missing (None, NaN) or has lost its place finds n = 0. Rows whose target is not finite,
    or beyond 1e150, are not learned; a row without a category teaches the mean of all. All slots share the categories.

    Args:
        column: the name of a column of texts, bytes or numbers.
        target: the name of the column of targets: numbers.
        strength: k, how many targets the mean of all is worth, above 0.
        size: how many categories are remembered, those that come most often: see `Vocabulary`. One that takes the
            place of another starts from nothing.
        family: `normal` or `beta`.
        keys: how many slots to begin with; they do not matter.

    Raises:
        ValueError: an argument is out of its bounds.
        DistributionError: when learning, a target is below 0 or above 1 and the family is `beta`.
    """

    strength: float
    family: str
    vocabulary: Vocabulary

    def __init__(
        self,
        column: str,
        target: str,
        *,
        strength: float = 10.0,
        size: int = 1024,
        family: str = "normal",
        keys: int = 1,
    ) -> None:
        self.strength = positive("strength", strength)
        self.family = one_of("family", family, ("normal", "beta"))
        self.vocabulary = Vocabulary(size)
        self._each = moments(size + 1)  # the last is of those without a category: always empty
        self._all = moments(1)
        options = {"strength": self.strength, "size": size, "family": family}
        parts = ("mean", "var") if family == "normal" else ("a", "b")
        super().__init__(column, parts, options, target=target, keys=keys)

    @override
    def _save(self) -> dict[str, Any]:
        states = {"each": self._each.snapshot(), "all": self._all.snapshot()}
        return {**states, "vocabulary": self.vocabulary.snapshot()}

    @override
    def _load(self, state: Mapping[str, Any], keys: int) -> None:
        self.vocabulary.restore(state["vocabulary"])
        self._each.restore(state["each"], self.vocabulary.size + 1)
        self._all.restore(state["all"], 1)

    @override
    def _targets(self, y: Any) -> NDArray[np.float64] | None:
        targets = super()._targets(y)
        if self.family == "beta" and targets is not None:
            odd = np.flatnonzero((targets < 0) | (targets > 1))
            if odd.size:
                text = f"targets of {self.target!r} below 0 or above 1 in rows {odd[:10].tolist()}"
                raise DistributionError(f"{text}: a Beta distribution is of shares")
        return targets

    @override
    def _values(self, x: NDArray[Any]) -> NDArray[Any]:
        return categories(self.column, super()._values(x))

    @override
    def _held(self, rows: Rows) -> Found:
        places = self.vocabulary.find(rows.values.tolist())
        n = len(places)
        of_all = held(self._all, np.zeros(n, np.intp))
        return *held(self._each, np.where(places < 0, self.vocabulary.size, places)), *of_all

    @override
    def _advance(self, rows: Rows) -> Found:
        items = rows.values.tolist()
        finite = squarable(rows.target)
        nothing = np.zeros(len(items), np.intp)
        of_all = advance(self._all, Turns(nothing, finite), rows.target)
        size = self.vocabulary.size
        lives = self.vocabulary.learn(items, finite.tolist())
        # the place of the empty state is `size`: lives that begin here come after it
        slots = np.where(lives.life < 0, size, lives.life + (lives.life >= size))
        named = np.array([item is not None for item in items], bool)
        self._each.grow(size + 1 + len(lives.born))
        of_each = advance(self._each, Turns(slots, finite & named), rows.target)
        _settle(self._each, size, lives.born)
        return *of_each, *of_all

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64], ...]:
        with np.errstate(all="ignore"):
            return self._normal(found) if self.family == "normal" else self._beta(found)

    def _normal(self, found: Found) -> tuple[NDArray[np.float64], ...]:
        n, mean, m2, n_all, mean_all, m2_all = found
        k, total = self.strength, n + self.strength
        shrunk = mean_all + (mean - mean_all) * (n / total)
        spread = m2_all / np.maximum(n_all - 1, 1)
        apart = mean - mean_all
        squares = k * spread + m2 + apart * apart * (k * n / total)
        return shrunk, np.where(n_all < 2, np.inf, squares / total / total)

    def _beta(self, found: Found) -> tuple[NDArray[np.float64], ...]:
        n, mean, _, n_all, mean_all, _ = found
        k = self.strength
        share, all_share = np.clip(mean, 0.0, 1.0), np.clip(mean_all, 0.0, 1.0)  # but for rounding
        prior = (all_share * n_all + 0.5) / (n_all + 1)
        return k * prior + n * share, k * (1.0 - prior) + n * (1.0 - share)


def _settle(table: Table, size: int, born: list[int]) -> None:
    """Each place has what its last life has learned; the lives that began in the batch have no places of their own."""
    if not born:
        return
    last = np.arange(size + 1)
    last[born] = size + 1 + np.arange(len(born))
    table.keep(last)
