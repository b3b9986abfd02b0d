"""Codes: keys as small whole numbers, so that what is done for each key can be done with arrays."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

_SPAN: Final = 1 << 16
"""So wide may whole numbers lie apart; to spell them out, should it be needed once, takes some milliseconds."""


class Codes(dict[Any, int]):
    """The number of each key, from 0 on, in the order in which keys came.

    Whole numbers that are close together are their own code, less the least: that costs next to nothing.
    """

    __slots__ = ("_least", "_most")

    def __init__(self) -> None:
        super().__init__()
        self._least: int | None = None
        self._most = 0

    def __missing__(self, key: Any) -> int:
        code = self[key] = len(self)
        return code

    @property
    def count(self) -> int:
        """One more than the highest code."""
        return len(self) if self._least is None else self._most - self._least + 1

    def add(self, keys: Any, length: int) -> tuple[NDArray[np.intp], int]:
        """The codes of keys, new ones included; and by how much the codes so far are higher now.

        Args:
            keys: an array or a list; None: all have the same.
            length: how many.
        """
        if keys is None:
            return np.full(length, self[None], np.intp), 0
        if _whole(keys) and not self and (shift := self._spanned(keys)) is not None:
            return (keys - self._least).astype(np.intp, copy=False), shift
        self._spell_out()
        return np.fromiter(map(self.__getitem__, listed(keys)), np.intp, length), 0

    def find(self, keys: Any, length: int) -> NDArray[np.intp]:
        """The codes of keys; -1 for those that are not known."""
        if keys is None:
            return np.full(length, self.get(None, -1), np.intp)
        if not _whole(keys):
            self._spell_out()
        if self._least is None:
            return np.fromiter(map(self.get, listed(keys), repeat(-1)), np.intp, length)
        inside = (keys >= self._least) & (keys <= self._most)
        codes = (keys - self._least).astype(np.intp, copy=False)
        return codes if inside.all() else np.where(inside, codes, -1)

    def key_of(self) -> list[Hashable]:
        """The key of each code."""
        return list(self) if self._least is None else list(range(self._least, self._most + 1))

    def kept(self, keep: NDArray[np.intp]) -> Codes:
        """Codes for some keys only, given by their present codes; in that order they are 0, 1, 2 and so on."""
        codes, keys = Codes(), self.key_of()
        for code in keep.tolist():
            _ = codes[keys[code]]
        return codes

    @property
    def spelt_out(self) -> bool:
        """Whether there is an entry for each key."""
        return self._least is None

    def _spanned(self, keys: NDArray[Any]) -> int | None:
        """Widen the span by these keys; None if it would be too wide, else by how much its beginning has moved."""
        least, most = int(keys.min()), int(keys.max())
        before = self._least
        if before is not None:
            least, most = min(least, before), max(most, self._most)
        if most - least >= _SPAN:
            return None
        self._least, self._most = least, most
        return 0 if before is None else before - least

    def _spell_out(self) -> None:
        if self._least is not None:
            count, first = self.count, self._least
            self._least = None
            self.update(zip(range(first, first + count), range(count), strict=True))


def _whole(keys: Any) -> bool:
    return isinstance(keys, np.ndarray) and str(cast("NDArray[Any]", keys).dtype) == "int64"


def listed(keys: Any) -> list[Any]:
    """Keys as Python values."""
    listed: list[Any] = keys.tolist() if isinstance(keys, np.ndarray) else keys
    return listed
