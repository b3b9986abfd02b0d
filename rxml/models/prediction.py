"""Prediction: one answer, with what is to be known of who gave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from typing_extensions import TypeIs, override

from rxml.batch import Batch
from rxml.batch.column import same_value
from rxml.models.model import PRIMARY, Release
from rxml.models.signature import BOUNDS, TOLD

if TYPE_CHECKING:
    from rxml.batch.column import AnyArray
    from rxml.models.signature import Signature


class Prediction(Mapping[str, Any]):  # noqa: PLW1641 - a value may be an array
    """The outputs of a model for one row, by name, and `model`, `version`, `digest`, `rung`, `reason` beside them.

    As a mapping it equals the row of the batch that the same model gives for a batch.

    Args:
        outputs: of the model, by name; the first is the value.
        release: which model it was.
        rung: of the ladder of fallbacks that the answer comes from; "primary" unless something went wrong.
        reason: why it comes from there; "" for the primary.
    """

    __slots__ = ("outputs", "reason", "release", "rung")

    def __init__(
        self,
        outputs: Mapping[str, Any],
        release: Release,
        rung: str = PRIMARY,
        reason: str = "",
    ) -> None:
        self.outputs: Mapping[str, Any] = outputs
        self.release: Release = release
        self.rung: str = rung
        self.reason: str = reason

    @property
    def value(self) -> Any:
        """The first output."""
        return next(iter(self.outputs.values()))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper bound of the value, if the model gives them."""
        outputs = self.outputs
        if BOUNDS[0] in outputs and BOUNDS[1] in outputs:
            return outputs[BOUNDS[0]], outputs[BOUNDS[1]]
        return None

    @property
    def degraded(self) -> bool:
        """Whether it is not what was intended."""
        return self.rung != PRIMARY

    @property
    def told(self) -> tuple[str, str, str, str, str]:
        """Model, version, digest, rung and reason."""
        release = self.release
        return release.name, release.version, release.digest, self.rung, self.reason

    @override
    def __getitem__(self, name: str) -> Any:
        if name in self.outputs:
            return self.outputs[name]
        try:
            return self.told[TOLD.index(name)]
        except ValueError:
            raise KeyError(name) from None

    @override
    def __iter__(self) -> Iterator[str]:
        yield from self.outputs
        yield from TOLD

    @override
    def __len__(self) -> int:
        return len(self.outputs) + len(TOLD)

    @override
    def __eq__(self, other: object) -> bool:
        if not _is_mapping(other):
            return NotImplemented
        return len(self) == len(other) and all(
            name in other and same_value(value, other[name]) for name, value in self.items()
        )

    @override
    def __repr__(self) -> str:
        outputs = ", ".join(f"{name}={value!r}" for name, value in self.outputs.items())
        by = "@".join(filter(None, self.told[:2]))
        why = f", {self.rung}: {self.reason}" if self.degraded else ""
        return f"Prediction({outputs}, by {by}{why})"


def predictions(
    result: Batch, signature: Signature, release: Release, rung: str = PRIMARY, reason: str = ""
) -> list[Prediction]:
    """The rows of what a model gave, each as a prediction."""
    names = tuple(signature.outputs)
    if len(names) == 1:
        (name,) = names
        return [Prediction({name: value}, release, rung, reason) for value in _values(result, name)]
    columns = [_values(result, name) for name in names]
    return [
        Prediction(dict(zip(names, row, strict=True)), release, rung, reason)
        for row in zip(*columns, strict=True)
    ]


def _values(result: Batch, name: str) -> list[Any]:
    column = result.columns[name]
    if isinstance(column, np.ndarray) and column.ndim == 1:
        return cast("list[Any]", column.tolist())
    return [row[name] for row in result.select(name)]


class Stamp:
    """Puts the columns that say who predicted beside the outputs; each of them holds one text, however long.

    Args:
        release: which model it was.
        rung: see `Prediction`.
        reason: see `Prediction`.
    """

    __slots__ = ("_columns", "_cut", "_cut_to", "_length", "_told")

    def __init__(self, release: Release, rung: str = PRIMARY, reason: str = "") -> None:
        self._told = Prediction({}, release, rung, reason).told
        self._length = -1
        self._columns: dict[str, AnyArray] = {}
        self._cut: dict[str, AnyArray] = {}
        self._cut_to = -1

    def on(self, result: Batch) -> Batch:
        """The batch with those columns."""
        length = len(result)
        if self._length < length:
            self._length = max(256, 2 * length)
            self._columns = {
                name: _constant(text, self._length)
                for name, text in zip(TOLD, self._told, strict=True)
            }
        if length != self._cut_to:  # batches of one client have one length
            self._cut = {name: column[:length] for name, column in self._columns.items()}
            self._cut_to = length
        return Batch.adopt({**result.columns, **self._cut}, length)


def _constant(text: str, length: int) -> AnyArray:
    one = np.empty(1, object)
    one[0] = text
    return np.broadcast_to(one, length)


def _is_mapping(value: object) -> TypeIs[Mapping[Any, Any]]:
    return isinstance(value, Mapping)
