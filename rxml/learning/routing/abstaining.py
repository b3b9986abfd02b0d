"""Abstaining: answers that are not sure enough are marked, so that of the others no more are wrong than may be."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.errors import DistributionError, SchemaError
from rxml.eventtime.reading import label_of
from rxml.learning.awaiting import Awaiting
from rxml.learning.identity import plain
from rxml.learning.parts import column_of, numbers
from rxml.learning.widening import widened
from rxml.uncertain import Categorical
from rxml.uncertain.calibration.selective import places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.reading import Column
    from rxml.uncertain.calibration.labels import Id, Ledger
    from rxml.uncertain.calibration.selective_keys import SelectiveRisks

Floats: TypeAlias = NDArray[np.float64]


class Abstaining(Awaiting):
    """Marks what is less sure than the threshold of its key, which labels of all elements of that key set.

    Args:
        where: the key of an element, and its time if labels expire.
        risks: what sets the thresholds; it is this run's own.
        prediction: the column of answers: classes, or `Categorical`.
        certainty: the column of how sure they are; None: that of the `Categorical`.
        keep: answers stay where they are; else they are None, or NaN, where there is none.
        ids: the id of an element.
        into: the name of the column of marks.
        ledger: of the answers that wait for their labels.
    """

    def __init__(
        self,
        where: Where,
        risks: SelectiveRisks,
        *,
        prediction: Column,
        certainty: Column | None,
        keep: bool,
        ids: Column,
        into: str,
        ledger: Callable[[int], Ledger],
    ) -> None:
        super().__init__(where, ids, ledger)
        self._risks = risks
        self._prediction = prediction
        self._certainty = certainty
        self._keep = keep
        self._into = into

    @property
    @override
    def kind(self) -> str:
        risks = self._risks
        return f"abstain: risk {risks.risk:.12g}, delta {risks.delta:.12g}, window {risks.window}"

    @override
    def facts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        found = column_of(items, self._prediction)
        if isinstance(found, Categorical):
            said: Any = found.mode().tolist()
        elif isinstance(found, np.ndarray) and found.ndim == 1:
            said = found.tolist()
        else:
            text = "answers are classes: a Categorical, or one value each"
            raise SchemaError(f"column {label_of(self._prediction)!r}: {text}")
        sure = self._sure(items, found)
        wrong = np.flatnonzero(~((sure >= 0) & (sure <= 1)))
        if len(wrong):
            text = f"row {wrong[0]} is sure to {sure[wrong[0]]}"
            raise DistributionError(f"{text}: certainty is within [0, 1]")
        return np.column_stack([places(sure).astype(np.float64), codes(said)])

    def _sure(self, items: Sequence[Any], found: Any) -> Floats:
        if self._certainty is not None:
            return numbers(items, (self._certainty, self._certainty), ("mean", "mean"))[:, 0]
        if not isinstance(found, Categorical):
            text = "is no Categorical, which says how sure it is"
            raise SchemaError(f"column {label_of(self._prediction)!r} {text}: give certainty=")
        return np.minimum(found.certainty(), 1.0)

    @override
    def begin(self, capacity: int, fresh: NDArray[np.intp]) -> None:
        self._risks.grow(capacity)
        self._risks.forget(fresh)

    @override
    def say(
        self, items: Sequence[Any], slots: NDArray[np.intp], facts: Floats
    ) -> tuple[Sequence[Any], Floats]:
        abstained = facts[:, 0] < self._risks.places(slots)
        columns: dict[str, Any] = {self._into: abstained}
        if not self._keep and isinstance(self._prediction, str):
            columns[self._prediction] = _without(items, self._prediction, abstained)
        return widened(items, columns), facts

    @override
    def truths(self, values: Sequence[Any], width: int) -> Floats:
        return codes(values)

    @override
    def learn(self, slots: NDArray[np.intp], kept: Floats, truths: Floats) -> None:
        self._risks.update(slots, kept[:, 0].astype(np.intp), kept[:, 1] != truths)

    @override
    def saved(self) -> dict[str, Any]:
        return {"risks": self._risks.snapshot()}

    @override
    def resume(self, state: dict[str, Any]) -> None:
        self._risks.restore(state["risks"])


def codes(values: Sequence[Any]) -> Floats:
    """Classes as numbers, the same everywhere: numbers as they are, texts by a hash that no number is, shape (n,).

    Raises:
        SchemaError: one is neither a number nor a text.
    """
    return np.array([_code(value) for value in values], np.float64)


def _code(given: Any) -> float:
    value: object = plain(given)
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str | bytes):
        data = value if isinstance(value, bytes) else value.encode()
        return int.from_bytes(blake2b(data, digest_size=6).digest(), "little") + 0.5
    raise SchemaError(f"a class is a number or a text; got {value!r}, a {type(value).__name__}")


def _without(items: Sequence[Any], column: str, gone: NDArray[np.bool_]) -> NDArray[Any]:
    """The answers, and nothing where there is none: NaN among floats, else None."""
    found = column_of(items, column)
    if isinstance(found, np.ndarray) and found.dtype.kind == "f":
        return np.where(gone, np.nan, found)
    blank = np.empty(len(gone), object)
    blank[:] = found.mode() if isinstance(found, Categorical) else found
    blank[gone] = None
    return blank
