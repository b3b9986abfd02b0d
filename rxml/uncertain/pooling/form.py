"""Form: what members say, as numbers, and what is made of these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rxml.uncertain.checks import Floats
    from rxml.uncertain.rows import Rows


class Form(ABC):
    """How members of one kind are told by numbers; who sleeps is told by NaN."""

    width: int = 2
    """Numbers that tell what one member says of a row."""
    pools: ClassVar[tuple[str, ...]]
    """The rules by which they can be pooled, the usual one first."""

    @abstractmethod
    def read(self, column: Any) -> Floats:
        """What a member says, shape (n, width), of its column.

        Raises:
            DistributionError: the column is of something else.
        """

    @abstractmethod
    def column(self, told: Floats) -> Rows:
        """The column of what one member says, shape (n, width), none of it NaN."""

    @abstractmethod
    def pool(self, told: Floats, weights: Floats, rule: str) -> Rows:
        """One distribution a row.

        Args:
            told: (n, K, width); NaN for who sleeps.
            weights: (n, K), >= 0; 0 for who sleeps.
            rule: one of `pools`.

        Raises:
            DistributionError: as the rule says.
        """

    def setting(self) -> list[Any]:
        """What is to be known to build the form again, as plain values; see `form_from`."""
        return [type(self).__name__]


def named(column: Any) -> str:
    """What a column is, in words."""
    if isinstance(column, np.ndarray):
        array = cast("NDArray[Any]", column)
        return f"an array of {array.dtype} and shape {array.shape}"
    return f"a {type(column).__name__}"
