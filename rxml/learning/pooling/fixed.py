"""Fixed: members that are pooled by weights that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.flow.kernel import Chunkwise
from rxml.learning.label import Label, without_labels
from rxml.learning.pooling.members import members_of, require_there
from rxml.uncertain.pooling.forms import form_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.learning.pooling.kernel import Pooling

Floats: TypeAlias = NDArray[np.float64]


class Fixed(Chunkwise[Any, Any]):
    """Pools what members say; labels among the elements stay as they are.

    Args:
        pooling: of the members.
        weights: of members, shape (K,); None: all alike.
    """

    again = True

    def __init__(self, pooling: Pooling, weights: Floats | None) -> None:
        self._pooling = pooling
        self._weights: Floats = np.ones(len(pooling.columns)) if weights is None else weights
        self._begun = False

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[Any]:
        others = without_labels(items)
        if not len(others):
            return items
        if not self._begun:
            require_there(others, self._pooling.columns)
        pooled = self._pooled(others)
        self._begun = True
        if others is items:
            return pooled
        results = iter(pooled)
        return [item if type(item) is Label else next(results) for item in items]

    def _pooled(self, items: Sequence[Any]) -> Sequence[Any]:
        form, told = members_of(items, self._pooling.columns, None)
        if form is None:  # nobody says anything: nothing is known
            form = form_of(np.empty(0))
            told = np.full((*told.shape[:2], form.width), np.nan)
        awake = ~np.isnan(told).any(axis=2)
        held = np.where(awake, self._weights, 0.0)
        total = held.sum(axis=1, keepdims=True)
        return self._pooling.widened(items, form, told, held / np.where(total > 0, total, 1.0))

    @override
    def snapshot(self) -> Any:
        return self._begun

    @override
    def restore(self, state: Any) -> None:
        self._begun = state
