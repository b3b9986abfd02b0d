"""Categories as columns of zeros and ones, with as many columns as were declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from rxml.features.checks import one_of
from rxml.features.transform import ColumnTransform
from rxml.features.vocabulary import Vocabulary, categories

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rxml.features.transform import Found, Rows


class OneHot(ColumnTransform):
    """A 1 in the column of the row's category; part: `onehot`, of shape (n, size) or (n, size + 1).

    Which categories have columns is learned, within a bound: see `Vocabulary`. One that is not known before its row,
    and a missing one (None, NaN), is marked in a last column of its own, or has zeros throughout, as declared. All
    slots share the vocabulary.

    Args:
        column: the name of a column of texts, bytes or numbers.
        size: how many categories have columns, at least 1.
        unknown: `column` or `zeros`.
        replace: when all columns are taken, whether a new category takes that of the one that was seen least
            (Space-Saving): the column means another category from then on, and `vocabulary.replaced` counts it. If
            not, the first `size` categories stay: for models that could not bear the change.
        keys: how many slots to begin with; they do not matter.

    Raises:
        ValueError: the size is no whole number above 0, or `unknown` is neither.
    """

    vocabulary: Vocabulary
    unknown: str

    def __init__(
        self,
        column: str,
        size: int,
        *,
        unknown: str = "column",
        replace: bool = True,
        keys: int = 1,
    ) -> None:
        self.vocabulary = Vocabulary(size, replace=replace)
        self.unknown = one_of("unknown", unknown, ("column", "zeros"))
        options = {"size": size, "unknown": unknown, "replace": replace}
        super().__init__(column, ("onehot",), options, keys=keys)

    @override
    def _save(self) -> dict[str, Any]:
        return self.vocabulary.snapshot()

    @override
    def _load(self, state: Mapping[str, Any], keys: int) -> None:
        self.vocabulary.restore(state)

    @override
    def _values(self, x: NDArray[Any]) -> NDArray[Any]:
        return categories(self.column, super()._values(x))

    @override
    def _held(self, rows: Rows) -> Found:
        return (self.vocabulary.find(rows.values.tolist()),)

    @override
    def _advance(self, rows: Rows) -> Found:
        items = rows.values.tolist()
        return (self.vocabulary.learn(items, [True] * len(items)).found,)

    @override
    def _emit(self, rows: Rows, found: Found) -> tuple[NDArray[np.float64]]:
        (places,) = found
        size = self.vocabulary.size
        ones = np.zeros((len(places), size + 1))
        ones[np.arange(len(places)), places] = 1.0  # -1 is the last column
        return (ones if self.unknown == "column" else ones[:, :size].copy(),)
