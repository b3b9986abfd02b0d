"""Conformal scores of classes, and the sets of all classes whose score is within a radius."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rxml.uncertain.calibration.table import checked_numbers, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Kind: TypeAlias = Literal["lac", "aps", "raps"]


@dataclass(frozen=True, slots=True)
class SetScore:
    """How unlikely a class is by the probabilities that were predicted.

    `lac`: 1 - p (Sadinle, Lei, Wasserman, JASA 2019), the smallest sets. `aps`: the mass of all classes that are more
    likely, and a share u of its own (Romano, Sesia, Candes, NeurIPS 2020), which adapts to how hard a case is. `raps`:
    that, and penalty (rank - free)^+ (Angelopoulos et al., ICLR 2021), which makes sets smaller. Of equally likely
    classes the one with the smaller number is taken for the more likely.

    A set may be empty. Of two classes, none and both say the same: somebody else should decide.

    Attributes:
        kind: "lac", "aps" or "raps".
        penalty: of raps for each rank above `free`, >= 0.
        free: ranks without penalty, >= 0.

    Raises:
        ValueError: an attribute out of its range.
    """

    kind: Kind = "lac"
    penalty: float = 0.01
    free: int = 1

    def __post_init__(self) -> None:
        if self.kind not in {"lac", "aps", "raps"}:
            raise ValueError(f'kind is {self.kind!r}: give "lac", "aps" or "raps"')
        if not 0 <= self.penalty < np.inf or self.free < 0:
            text = "give a finite penalty >= 0 and free >= 0"
            raise ValueError(f"penalty is {self.penalty!r}, free is {self.free!r}: {text}")

    def of(self, p: ArrayLike, y: ArrayLike, draws: ArrayLike | None = None) -> Floats:
        """The scores (n, 1) of labels.

        Args:
            p: (n, classes) probabilities.
            y: (n,) the classes that came, whole numbers below `classes`.
            draws: (n,) u in [0, 1], kept with the prediction; None is 1, which never covers too little.

        Raises:
            DistributionError: what is no probability, class or draw; it names the rows.
        """
        scores = self.of_all(p, draws)
        labels = checked_numbers("labels", y, (len(scores),))
        wrong = (labels < 0) | (labels >= scores.shape[1]) | (labels != np.floor(labels))
        refuse("labels", wrong, f"not among the classes 0 to {scores.shape[1] - 1}")
        return np.take_along_axis(scores, labels.astype(np.intp)[:, None], axis=1)

    def sets(
        self, p: ArrayLike, radius: ArrayLike, draws: ArrayLike | None = None
    ) -> NDArray[np.bool_]:
        """Which classes are in the set, (n, classes), for radii (n, 1); the other arguments are those of `of`."""
        scores = self.of_all(p, draws)
        return scores <= checked_numbers("radii", radius, (len(scores), 1))

    def of_all(self, p: ArrayLike, draws: ArrayLike | None = None) -> Floats:
        """The score that each class would have, (n, classes); arguments and errors are those of `of`."""
        given = np.asarray(p, np.float64)
        mass = checked_numbers("probabilities", given, (len(given), given.shape[-1]))
        refuse("probabilities", (mass < 0) | (mass > 1), "not within [0, 1]")
        if self.kind == "lac":
            return 1.0 - mass
        share = (
            np.ones(len(mass)) if draws is None else checked_numbers("draws", draws, (len(mass),))
        )
        refuse("draws", (share < 0) | (share > 1), "not within [0, 1]")
        return self._cumulated(mass, share[:, None])

    def _cumulated(self, mass: Floats, share: Floats) -> Floats:
        order = np.argsort(-mass, axis=1, kind="stable")
        falling = np.take_along_axis(mass, order, axis=1)
        before = np.cumsum(falling, axis=1) - falling
        scores = before + share * falling
        if self.kind == "raps":
            rank: Floats = np.arange(1.0, mass.shape[1] + 1)
            scores += self.penalty * np.maximum(rank - self.free, 0.0)
        result = np.empty_like(scores)
        np.put_along_axis(result, order, scores, axis=1)
        return result
