"""Given: an aggregate of rows of which an event is known to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from typing_extensions import override

from rxml.aggregates.aggregate import Aggregate
from rxml.aggregates.possible.blocks import Block
from rxml.aggregates.possible.logs import SumOfLogs
from rxml.aggregates.possible.readers import Amounts, Chances, Presence, shown_event
from rxml.aggregates.states import cells
from rxml.uncertain import Alternatives, Bernoulli, Normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rxml.aggregates.aggregate import Fold, State
    from rxml.aggregates.possible.readers import Event
    from rxml.uncertain.checks import Floats, Mask

_LEAST: Final = 5e-324
"""The smallest float: what can be is never said to be impossible."""


class Agreement(SumOfLogs):
    """P(all rows agree)."""

    @override
    def logs(self, values: Sequence[NDArray[Any]]) -> Floats:
        return np.asarray(np.log(values[0]))

    @override
    def lower(self, state: State) -> Floats:
        """The probability, 0 only where it cannot be, however small it is."""
        with np.errstate(under="ignore"):
            p = np.exp(state[0])
        return np.where(state[0] > -np.inf, np.maximum(p, _LEAST), 0.0)


class Given(Aggregate):
    """An aggregate over the worlds in which all rows agree with an event, and beside it how likely that is.

    State: that of the aggregate, and of `Agreement`.

    Args:
        inner: of rows taken as independent.
        block: what is given of them.
    """

    fallible: ClassVar[bool] = True

    beside: tuple[str, ...]
    inner: Aggregate
    given: Event

    def __init__(self, inner: Aggregate, block: Block) -> None:
        told = (Presence, Amounts, Chances)
        super().__init__(block, *(each for each in inner.columns if not isinstance(each, told)))
        self.inner = inner
        self.given = block.given
        self.beside = (*inner.beside, "given")
        self._agreement = Agreement()

    @override
    def identity(self, groups: int) -> State:
        return (*self.inner.identity(groups), *self._agreement.identity(groups))

    @override
    def lift(
        self,
        values: Sequence[NDArray[Any]],
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        groups: int,
    ) -> State:
        agrees, inner = self._parted(values)
        return (
            *self.inner.lift(inner, times, codes, groups),
            *self._agreement.lift([agrees], times, codes, groups),
        )

    def _parted(self, values: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        """How likely each row agrees, and what the aggregate wants to know of it."""
        block, *others = values
        rest = iter(others)
        presence = np.repeat(block[:, 0, :1], 2, axis=1)
        inner: list[NDArray[Any]] = []
        for column in self.inner.columns:
            match column:
                case Presence():
                    inner.append(presence)
                case Amounts():
                    inner.append(block[:, 1:])
                case Chances():
                    inner.append(block[:, 1:, 0])
                case _:
                    inner.append(next(rest))
        return block[:, 0, 1], inner

    @override
    def combine(self, left: State, right: State) -> State:
        inner = self.inner.combine(left[:-1], right[:-1])
        return (*inner, *self._agreement.combine(left[-1:], right[-1:]))

    @override
    def folding(self, values: Sequence[NDArray[Any]], times: NDArray[np.int64]) -> Fold:
        agrees, inner = self._parted(values)
        one = self.inner.folding(inner, times)
        other = self._agreement.folding([agrees], times)

        def fold(state: State, places: NDArray[np.intp]) -> None:
            one(state[:-1], places)
            other(state[-1:], places)

        return fold

    @override
    def along(self, before: State, rows: State) -> State:
        inner = self.inner.along(before[:-1], rows[:-1])
        return (*inner, *self._agreement.along(before[-1:], rows[-1:]))

    @override
    def lower(self, state: State) -> Any:
        return self.lowered(state)[0]

    @override
    def lowered(self, state: State) -> list[Any]:
        likely = self._agreement.lower(state[-1:])
        never = likely == 0
        columns = self.inner.lowered(state[:-1])
        if never.any():
            names = ("", *self.inner.beside)
            pairs = zip(names, columns, strict=True)
            columns = [_unknown(column, never, error=name == "error") for name, column in pairs]
        return [*columns, likely]

    @override
    def __repr__(self) -> str:
        return f"{self.inner!r} given {shown_event(self.given)}"


def _unknown(column: Any, never: Mask, *, error: bool) -> Any:
    """A column in which nothing is known of the groups in which the event cannot be."""
    match column:
        case Alternatives():
            return Alternatives(column.values, np.where(never[:, None], 0.0, column.p))
        case Normal():
            return Normal(
                np.where(never, 0.0, column.mean()), np.where(never, np.inf, column.var())
            )
        case Bernoulli():
            low, high = column.bounds
            return Bernoulli.between(np.where(never, 0.0, low), np.where(never, 1.0, high))
        case _ if column.dtype.kind == "O":
            pairs = zip(column, never.tolist(), strict=True)
            return cells([] if none else each for each, none in pairs)
        case _:
            return np.where(never, 1.0 if error else 0.0, column).astype(column.dtype)


def given_of(
    inner: Aggregate, given: Event | None, where: Event | None, presence: str
) -> Aggregate:
    """The aggregate of rows, given that an event holds of each that is there; None is nothing given.

    Raises:
        ValueError: it is presence that is given.
        TypeError: values are of no named column.
    """
    if given is None:
        return inner
    if given == presence:
        text = f"given={given!r} is the column of presence"
        raise ValueError(f"{text}: give an event of the rows that are there")
    values = [each for each in inner.columns if isinstance(each, Amounts | Chances)]
    for each in values:
        if not isinstance(each.column, str):
            raise TypeError(f"given goes with named columns: got {each!r} for one")
    return Given(inner, Block(where, presence, values[0] if values else None, given))
