"""Combining: several predictions of one quantity, pooled by weights that labels teach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from rxml.errors import SchemaError
from rxml.learning.awaiting import Awaiting
from rxml.learning.pooling.losses import (
    gradient_of,
    losses_of,
    require_scorable,
    truths_of,
    usual_loss,
)
from rxml.learning.pooling.members import members_of, require_there
from rxml.learning.widening import widened
from rxml.uncertain.pooling.forms import form_from, require_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rxml.eventtime.keyed.keyed_kernel import Where
    from rxml.eventtime.reading import Column
    from rxml.learning.pooling.handle import Combination
    from rxml.learning.pooling.losses import Loss
    from rxml.uncertain.calibration.labels import Id, Ledger
    from rxml.uncertain.pooling.forms import Form
    from rxml.uncertain.pooling.weights import Weights
    from rxml.uncertain.rows import Rows

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Teaching:
    """How weights come from labels.

    Attributes:
        name: of the rule.
        weights: makes the rule, for so many members.
        loss: by which members are told apart; None: the usual one of what they say.
        scale: what losses are divided by.
        bounded: whether the rule wants losses from 0 to 1.
        gradient: whether it wants the gradient of the pool's loss, instead of the members' losses.
    """

    name: str
    weights: Callable[[int], Weights]
    loss: Loss | None
    scale: float = 1.0
    bounded: bool = False
    gradient: bool = False

    def losses(self, form: Form) -> Loss:
        """The loss for such members.

        Raises:
            SchemaError: there is none.
        """
        loss = usual_loss(form, bounded=self.bounded) if self.loss is None else self.loss
        (gradient_of if self.gradient else losses_of)(form, loss)
        return loss


class Pooling:
    """Members of elements, and how they are pooled.

    Args:
        columns: of the members, by their names.
        pool: the rule by which they are pooled; None: the usual one.
        into: the name of the column of pools.
        weights_into: of that of weights; None: there is none.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        pool: str | None,
        into: str,
        weights_into: str | None = None,
    ) -> None:
        self.columns: Mapping[str, Column] = columns
        self._pool = pool
        self._into = into
        self._weights_into = weights_into

    def rule(self, form: Form) -> str:
        """The rule of the pool.

        Raises:
            SchemaError: such members cannot be pooled by it.
        """
        try:
            return require_pool(form, self._pool)
        except ValueError as error:
            text = f"what {', '.join(self.columns)} say are {type(form).__name__.lower()}"
            raise SchemaError(f"{text}: {error}") from error

    def widened(
        self, items: Sequence[Any], form: Form, told: Floats, weights: Floats
    ) -> Sequence[Any]:
        """The elements with their pools beside."""
        made: dict[str, Rows | Floats] = {self._into: form.pool(told, weights, self.rule(form))}
        if self._weights_into is not None:
            made[self._weights_into] = weights
        return widened(items, made)


class Combining(Awaiting):
    """Pools what members say, and learns whom to trust.

    Args:
        where: the key of an element, and its time if labels expire.
        pooling: of the members.
        teaching: of the weights.
        ids: the id of an element.
        ledger: of what waits for labels.
        combination: told of labels; None: nobody is.
    """

    def __init__(
        self,
        where: Where,
        pooling: Pooling,
        teaching: Teaching,
        *,
        ids: Column,
        ledger: Callable[[int], Ledger],
        combination: Combination | None,
    ) -> None:
        super().__init__(where, ids, ledger)
        self._pooling = pooling
        self._teaching = teaching
        self._names = tuple(pooling.columns)
        self._rule = teaching.weights(len(self._names))
        self._combination = combination
        self.singly: bool = callable(teaching.loss)
        self._form: Form | None = None
        self._next: Form | None = None

    @property
    @override
    def kind(self) -> str:
        return f"combine: {self._teaching.name} of {', '.join(self._names)}"

    @override
    def facts(self, items: Sequence[Any], ids: Sequence[Id]) -> Floats:
        if self._form is None:
            require_there(items, self._pooling.columns)
        form, told = members_of(items, self._pooling.columns, self._form)
        if form is None or (self._form is None and np.isnan(told[0]).any(axis=1).all()):
            names = ", ".join(self._names)
            raise SchemaError(
                f"none of {names} says anything, and it is not known yet of what kind"
            )
        require_scorable(form, self._teaching.losses(form), told)
        self._pooling.rule(form)
        self._next = form
        return told.reshape(len(items), -1)

    @override
    def begin(self, capacity: int, fresh: NDArray[np.intp]) -> None:
        self._rule.grow(capacity)
        if len(fresh):
            self._rule.forget(fresh)

    @override
    def say(
        self, items: Sequence[Any], slots: NDArray[np.intp], facts: Floats
    ) -> tuple[Sequence[Any], Floats]:
        form = cast("Form", self._next)  # `facts` comes before
        told = self._told(form, facts)
        weights = self._rule.weights(slots, ~np.isnan(told).any(axis=2))
        results = self._pooling.widened(items, form, told, weights)
        self._form = form
        return results, np.concatenate([weights, facts], axis=1)

    @override
    def truths(self, values: Sequence[Any], width: int) -> Floats:
        return truths_of(self._known, values)

    @override
    def learn(self, slots: NDArray[np.intp], kept: Floats, truths: Floats) -> None:
        form, teaching = self._known, self._teaching
        used, facts = kept[:, : len(self._names)], kept[:, len(self._names) :]
        told, loss = self._told(form, facts), teaching.losses(form)
        losses = losses_of(form, loss)(told, truths)
        lost = gradient_of(form, loss)(told, used, truths) if teaching.gradient else losses
        lost = lost / teaching.scale
        if teaching.bounded:
            lost = np.clip(lost, 0.0, 1.0)
        self._rule.update(slots, lost, ~np.isnan(told).any(axis=2), used=used)
        self._tell(slots, losses)

    def _tell(self, slots: NDArray[np.intp], losses: Floats) -> None:
        if self._combination is not None:
            keyed = self._where.keying is not None
            keys = self._roster.table.keys_of(slots.tolist()) if keyed else [None] * len(slots)
            weights = self._rule.weights(slots)
            self._combination.hear(self._names, keys, weights, losses, self.counts)

    @property
    def _known(self) -> Form:
        return cast("Form", self._form)  # labels are of elements that came before

    def _told(self, form: Form, facts: Floats) -> Floats:
        return np.ascontiguousarray(facts).reshape(len(facts), len(self._names), form.width)

    @override
    def saved(self) -> dict[str, Any]:
        return {
            "rule": self._rule.snapshot(),
            "form": None if self._form is None else self._form.setting(),
            "told": None if self._combination is None else self._combination.snapshot(),
        }

    @override
    def resume(self, state: dict[str, Any]) -> None:
        self._rule.restore(state["rule"])
        self._form = None if state["form"] is None else form_from(state["form"])
        if self._combination is not None and state["told"] is not None:
            self._combination.restore(state["told"])
