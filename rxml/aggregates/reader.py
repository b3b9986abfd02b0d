"""Reader: how an aggregate takes a column that is no plain array, such as one of distributions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

Find: TypeAlias = Callable[[Sequence[Any], Any], Any]
"""Gives what elements have in a column, as one array or one column of distributions; None where none of them has it."""


class Reader(ABC):
    """Stands among the columns of an aggregate, and gives it arrays of numbers. Equal ones read the same.

    So what takes rows to aggregates, picks some of them or keeps them, need know of arrays only.
    """

    @abstractmethod
    def read(self, items: Sequence[Any], find: Find) -> NDArray[Any]:
        """The parameters of each element, shape (n, ...).

        Args:
            items: a batch, or elements.
            find: gives what they have in a column.

        Raises:
            SchemaError: they have no such column, or one of another kind.
        """
