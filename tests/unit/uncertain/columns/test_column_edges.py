"""Columns of no rows, scalars, what is certain and what is not known at all: every operation, without a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from rxml import wire
from rxml.batch import Batch
from rxml.errors import DistributionError
from rxml.uncertain import (
    Alternatives,
    Bernoulli,
    Beta,
    Categorical,
    Draws,
    Interval,
    Mixture,
    Normal,
    Quantiles,
    Rows,
    Worlds,
    add,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = Draws(3, 4).key
COLUMNS: dict[str, Rows] = {
    "normal": Normal([0.0, 1.0], [0.0, 2.0]),
    "beta": Beta([1.0, 0.5], [2.0, 0.5]),
    "quantiles": Quantiles([0.1, 0.5, 0.9], [[1.0, 2.0, 3.0], [0.0, 0.0, 4.0]]),
    "mixture": Mixture(
        [[0.0, -2000.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 2.0]], [[0.0, 1.0], [1.0, 4.0]]
    ),
    "worlds": Worlds([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]], [0.0, -1.0, -2000.0], KEY),
    "alternatives": Alternatives([[1.0, 2.0], [3.0, -1.0]], [[0.5, 0.5], [1.0, 0.0]]),
    "interval": Interval([0.0, 1.0], [1.0, 1.0], level=0.9),
    "bounds": Interval([-1.0, 1.0], [1.0, 2.0]),
}
EVENTS: dict[str, Rows] = {
    "bernoulli": Bernoulli([0.0, 0.3]),
    "bounds": Bernoulli.between([0.0, 0.2], [0.1, 0.2]),
    "worlds": Worlds([[1.0, 2.0], [3.0, 4.0]], world=KEY) > 1.5,
    "categorical": Categorical.of_logits([[700.0, -700.0, 0.0], [0.0, 0.0, 0.0]]),
    "counts": Categorical.of_counts([[1.0, 2.0], [3.0, 4.0]]),
}
ARITHMETIC: dict[str, Callable[[Any], Any]] = {
    "affine": lambda x: 2 * x - 1,
    "mirrored": lambda x: 1 - x,
    "none": lambda x: x * 0.0,
    "divided": lambda x: x / 3,
    "numpy": lambda x: np.float64(2) * x + np.float64(1),
    "twice": lambda x: x + x,
    "minus itself": lambda x: x - x,
    "clipped": lambda x: x.clip(0.5, 2.0),
    "max": lambda x: np.maximum(x, 0.7),
    "min": lambda x: np.minimum(0.7, x),
    "above": lambda x: x > 1,
    "left": lambda x: 1 >= x,  # noqa: SIM300 - numbers may stand on the left
    "left numpy": lambda x: np.float64(1) < x,
    "equal": lambda x: x == 1.0,
    "unequal": lambda x: x != 1.0,
    "far": lambda x: x > 1e300,
    "infinite": lambda x: x < np.inf,
    "itself": lambda x: x >= x,  # noqa: PLR0124 - a column is not independent of itself
}
READINGS: dict[str, Callable[[Any], Any]] = {
    "mean": lambda x: x.mean(),
    "var": lambda x: x.var(),
    "std": lambda x: x.std(),
    "cdf": lambda x: x.cdf(0.7),
    "sf": lambda x: x.sf(0.7),
    "prob": lambda x: x.prob(-1.0, np.inf),
    "ppf": lambda x: x.ppf(0.3),
    "ends": lambda x: (x.ppf(0.0), x.ppf(1.0)),
    "interval": lambda x: x.interval(0.8),
    "normal": lambda x: x.to(Normal),
    "quantiles": lambda x: x.to(Quantiles, taus=[0.2, 0.7]),
    "bounds": lambda x: x.to(Interval, level=0.5),
    "unknown": lambda x: add(x, x, dependence="unknown"),
    "drawn": lambda x: x.to(Worlds, draws=Draws(1, 5), name="x", ids=np.zeros(x.shape, int)),
}
PLAIN: dict[str, Callable[[Any], Any]] = {
    "wire": lambda x: wire.loads(wire.dumps(x)).equals(x) or pytest.fail("not the same"),
    "shown": repr,
    "size": lambda x: x.nbytes,
}
OF_EVENTS: dict[str, Callable[[Any], Any]] = {
    "not": lambda x: ~x,
    "and": lambda x: x & x,
    "or": lambda x: x | ~x,
    "unknown": lambda x: x.both(~x, "unknown"),
    "known": lambda x: np.ones(x.shape, bool) & x,
}
OF_CLASSES: dict[str, Callable[[Any], Any]] = {
    "equal": lambda x: x == 1,
    "entropy": lambda x: x.entropy(),
    "credible": lambda x: x.credible(0.9),
    "margin": lambda x: x.margin(),
    "mode": lambda x: x.mode(),
    "certainty": lambda x: x.certainty(),
    "itself": lambda x: x == x,  # noqa: PLR0124 - a column is not independent of itself
}


CASES = {**COLUMNS, **{f"event {name}": event for name, event in EVENTS.items()}}
FORMS: dict[str, Callable[[Rows], Rows]] = {
    "column": lambda x: x,
    "empty": lambda x: x.slice(slice(0, 0)),
    "scalar": lambda x: x.at(1),
    "certain": lambda x: x.at(0),
}


def operations(column: Rows) -> dict[str, Callable[[Any], Any]]:
    if isinstance(column, Interval):
        return ARITHMETIC | PLAIN
    if isinstance(column, Bernoulli):
        return OF_EVENTS | PLAIN
    if isinstance(column, Categorical):
        return OF_CLASSES | PLAIN
    return ARITHMETIC | READINGS | PLAIN


def shapes_of(result: Any) -> list[tuple[int, ...]]:
    each: list[Any] = [*result] if type(result) is tuple else [result]
    return [one.shape for one in each if hasattr(one, "shape")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CASES)
def test_every_operation_is_silent_and_keeps_the_rows(name: str, form: str) -> None:
    column = FORMS[form](CASES[name])
    for each, operation in operations(column).items():
        if isinstance(column, Beta) and each in {"clipped", "max", "min"}:
            continue
        with np.errstate(all="raise"):
            shapes = shapes_of(operation(column))
        if each != "credible":
            assert all(shape == column.shape for shape in shapes), each


BETA_AND_BOUND: tuple[Any, Any] = (Beta(1.0, 2.0), 0.1)


def test_a_beta_is_not_clipped() -> None:
    with pytest.raises(DistributionError, match="clip of Beta: no form is known"):
        Beta(1.0, 2.0).clip(0.1, 0.9)
    with pytest.raises(DistributionError, match="clip of Beta: no form is known"):
        _ = np.float64(0.1) + np.maximum(*BETA_AND_BOUND)


def test_no_alternatives_at_all_are_surely_absent() -> None:
    nothing = Alternatives(np.empty((2, 0)), np.empty((2, 0)))
    with np.errstate(all="raise"):
        assert nothing.presence.tolist() == [0, 0]
        assert (nothing > 1).p.tolist() == [0, 0]
        assert np.isnan(nothing.mean()).all()
        assert np.isnan(nothing.ppf(0.5)).all()


def test_a_row_that_is_surely_absent_hurts_no_other() -> None:
    column = Alternatives([[1.0, 2.0], [1.0, 2.0]], [[0.0, 0.0], [0.5, 0.25]])
    with np.errstate(all="raise"):
        assert (column > 1.0).p.tolist() == [0.0, 0.25]
        assert (column != 1.0).p.tolist() == [0.0, 0.25]
        assert np.isnan(column.ppf(0.5)).tolist() == [True, False]
        assert np.isnan(column.mean()).tolist() == [True, False]


def test_batches_hold_columns_of_no_rows() -> None:
    for column in COLUMNS.values():
        batch = Batch({"x": column.slice(slice(0, 0))})
        assert len(batch) == 0
        assert wire.loads(wire.dumps(batch)) == batch


class TestScalarsBesideColumns:
    """One distribution for all rows: where the worlds are as many as the rows, nothing is mistaken."""

    both_ways: ClassVar[list[Callable[[Any], Any]]] = [
        lambda x: x + np.array([1.0, 10.0, 100.0]),
        lambda x: x * np.array([1.0, 10.0, 100.0]),
        lambda x: x / np.array([1.0, 10.0, 100.0]),
        lambda x: np.array([1.0, 10.0, 100.0]) - x,
        lambda x: x > np.array([1.0, 10.0, 100.0]),
        lambda x: np.array([1.0, 10.0, 100.0]) <= x,
        lambda x: x.clip(lo=np.array([1.0, 10.0, 100.0])),
        lambda x: np.minimum(x, np.array([1.0, 10.0, 100.0])),
    ]
    not_alike: ClassVar[list[Callable[[Any], Any]]] = [
        lambda x: x + np.ones(3),
        lambda x: x > np.ones(3),
        lambda x: np.ones(3) * x,
        lambda x: x - Normal(np.ones(3), 1.0),
        lambda x: x + np.ones((2, 2)),
    ]
    no_operands: ClassVar[list[Callable[[Any], Any]]] = [
        lambda x: x + None,
        lambda x: {} * x,
        lambda x: x > None,
        lambda x: object() / x,
        lambda x: x - Bernoulli([0.1, 0.2]),
    ]

    @pytest.mark.parametrize("name", [each for each in COLUMNS if each != "beta"])
    def test_a_scalar_and_one_number_a_row_make_a_column(self, name: str) -> None:
        scalar: Any = COLUMNS[name].at(1)
        column: Any = COLUMNS[name].stack([scalar] * 3)
        for f in self.both_ways:
            assert f(scalar).equals(f(column))

    def test_worlds_of_one_are_joined_with_worlds_of_many(self) -> None:
        one = Worlds([1.0, 2.0, 3.0], world=KEY)
        many = Worlds(np.arange(9.0).reshape(3, 3), world=KEY)
        same = Worlds(np.repeat(one.values[:, None], 3, axis=1), world=KEY)
        assert (one + many).equals(same + many)
        assert (many * one).equals(many * same)
        assert (one > many).equals(same > many)
        assert ((one > 1) & (many > 4)).equals((same > 1) & (many > 4))

    def test_other_numbers_of_rows_are_refused(self) -> None:
        column = Normal([0.0, 1.0], 1.0)
        for f in self.not_alike:
            with pytest.raises(DistributionError, match="2 rows beside one of shape"):
                f(column)

    def test_what_is_no_number_is_no_operand(self) -> None:
        column: Any = Normal([0.0, 1.0], 1.0)
        for f in self.no_operands:
            with pytest.raises(TypeError):
                f(column)
        with pytest.raises(DistributionError, match="must be numbers"):
            _ = column > np.array(["a", "b"])
        assert (column == None) is False  # noqa: E711 - as any object
