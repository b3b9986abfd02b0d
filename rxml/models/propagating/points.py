"""Points: the rows at which a model is asked, several for each row of a batch, all in one call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Batch
from rxml.batch.column import is_array
from rxml.errors import DistributionError
from rxml.models.propagating.inputs import drawn, ids_of, in_worlds, is_fact, moments
from rxml.models.signature import may_be_uncertain
from rxml.uncertain.checks import require
from rxml.uncertain.propagation import sigma_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch import Schema
    from rxml.models.propagating.inputs import Given, Ids
    from rxml.models.propagating.methods import Method
    from rxml.uncertain.checks import Floats

STEP: Final = 1e-4
"""Of a standard deviation, of central differences: they lose half the digits, and what is left is ample."""
_REACH: Final = {"delta": STEP, "unscented": float(np.sqrt(3.0))}


@dataclass(frozen=True, slots=True)
class Points:
    """Rows to ask a model for, points first: row p * N + i is point p of row i.

    Attributes:
        batch: of R * N rows.
        count: R.
        rows: N.
        var: of the uncertain inputs by name, shape (N,) each; without worlds.
        values: of the uncertain inputs by name, shape (W, N) each; with worlds.
    """

    batch: Batch
    count: int
    rows: int
    var: Mapping[str, Floats] = field(default_factory=dict[str, "Floats"])
    values: Mapping[str, Floats] = field(default_factory=dict[str, "Floats"])


def known(batch: Batch, inputs: Schema) -> tuple[dict[str, Given], dict[str, Given]]:
    """The columns of facts, and those of distributions where they may be."""
    facts: dict[str, Given] = {}
    others: dict[str, Given] = {}
    for name, wanted in inputs.items():
        column = batch.columns[name]
        if is_fact(column) or (is_array(column) and not may_be_uncertain(wanted)):
            facts[name] = column
        elif may_be_uncertain(wanted):
            others[name] = column
        else:
            raise DistributionError(
                f"input {name!r} is no {wanted.form}: a distribution is taken where the model wants one float a row"
            )
    return facts, others


def at_moments(batch: Batch, inputs: Schema, method: Method, *, linear: bool) -> Points:
    """The means, and for each uncertain input a point on either side, unless the model is linear."""
    facts, others = known(batch, inputs)
    _require_apart(others)
    var: dict[str, Floats] = {}
    for name, column in others.items():
        facts[name], found = moments(name, column)
        if (found > 0).any():
            var[name] = found
    if linear or not var:
        return Points(_repeated(facts, inputs, 1), 1, len(batch), var)
    mean = np.stack([np.asarray(facts[name]) for name in var], axis=-1)
    finite = np.stack([np.where(np.isinf(each), 0.0, each) for each in var.values()], axis=-1)
    points = sigma_points(mean, finite, _REACH[method.way])
    own = {name: points[..., k] for k, name in enumerate(var)}
    return Points(_repeated(facts, inputs, len(points), own), len(points), len(batch), var)


def _require_apart(columns: Mapping[str, Given]) -> None:
    """Moments of inputs one by one do not tell what they have to do with each other."""
    found = np.zeros(1, np.intp)
    for column in columns.values():
        found = found + drawn(column)
    require(
        found <= 1,
        f"inputs of worlds may depend on each other ({', '.join(columns)}): use propagate=models.worlds(...)",
        found,
    )


def at_worlds(batch: Batch, inputs: Schema, method: Method, *, center: bool) -> Points:
    """The inputs in each world; before them, if wanted, their means."""
    facts, others = known(batch, inputs)
    values: dict[str, Floats] = {}
    ids = Asked(batch, method.id)
    for name, column in others.items():
        facts[name], var = moments(name, column)
        if (var > 0).any():
            values[name] = in_worlds(name, column, method.draws, ids)
    if not values:
        return Points(_repeated(facts, inputs, 1), 1, len(batch))
    own = {
        name: np.concatenate([np.asarray(facts[name])[None], each]) if center else each
        for name, each in values.items()
    }
    count = method.worlds + center
    return Points(_repeated(facts, inputs, count, own), count, len(batch), values=values)


class Asked:
    """The ids of the facts of a batch, once somebody asks.

    Args:
        batch: of the facts.
        name: of the column.
    """

    def __init__(self, batch: Batch, name: str) -> None:
        self._batch = batch
        self._name = name

    def __call__(self) -> Ids:
        """Shape (N,).

        Raises:
            DistributionError: there is no such column, or it has no ids.
        """
        column = self._batch.columns.get(self._name)
        if column is None:
            raise DistributionError(
                f"worlds follow from ids of facts: there is no column {self._name!r} among {self._batch.names}"
            )
        return ids_of(self._name, column)


def _repeated(
    facts: Mapping[str, Given], inputs: Schema, count: int, own: Mapping[str, Floats] | None = None
) -> Batch:
    own = own or {}
    columns: dict[str, Any] = {}
    for name, wanted in inputs.items():
        if name in own:
            columns[name] = own[name].reshape(-1).astype(wanted.dtype, copy=False)
        else:
            columns[name] = _fact(facts[name], wanted.dtype, count)
    return Batch(columns)


def _fact(column: Any, dtype: np.dtype[Any], count: int) -> Any:
    if column.dtype != dtype and column.dtype.kind == "f":
        column = column.astype(dtype)
    if count == 1:
        return column
    return np.broadcast_to(column, (count, *column.shape)).reshape(-1, *column.shape[1:])
