"""Labels as places in the order that they were declared in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.uncertain.checks import require

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray


class Labels:
    """The classes there are.

    Args:
        labels: at least two, all different: bools, numbers or texts. Of two the second is the positive one.

    Raises:
        ValueError: there are fewer, or some are the same.
    """

    labels: tuple[Any, ...]

    def __init__(self, labels: Sequence[Hashable]) -> None:
        self.labels = tuple(plain(label) for label in labels)
        self._places = {label: place for place, label in enumerate(self.labels)}
        if len(self._places) < 2 or len(self._places) < len(self.labels):
            raise ValueError(f"labels wants at least two that differ, got {list(labels)!r}")

    def __len__(self) -> int:
        return len(self.labels)

    def places(self, name: str, column: NDArray[Any]) -> NDArray[np.intp]:
        """The place of each label.

        Raises:
            DistributionError: some are not declared.
        """
        if column.dtype == np.bool_ and self.labels == (False, True):
            return column.astype(np.intp)
        places = np.array([self._places.get(label, -1) for label in column.tolist()], np.intp)
        require(places >= 0, f"{name} is one of {list(self.labels)}", column)
        return places


def plain(label: Any) -> Any:
    """A label of numpy as Python's own."""
    own: Any = getattr(label, "item", None)
    return own() if isinstance(label, np.generic) else label
