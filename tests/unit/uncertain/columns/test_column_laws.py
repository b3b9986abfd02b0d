"""What holds for columns of every kind."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from rxml import wire
from rxml.batch import Batch, Column
from rxml.errors import DistributionError, SchemaError, TruthError
from rxml.uncertain import KINDS, Alternatives, Distribution, Draws, Normal, Worlds
from tests.unit.uncertain.columns.kinds import EVERY, NUMBERS, columns, distributions

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DataObject

every = pytest.mark.parametrize("kind", EVERY)
numbers = pytest.mark.parametrize("kind", NUMBERS)

few = settings(max_examples=12)

READINGS: dict[str, Callable[[Distribution], Any]] = {
    "mean": lambda x: x.mean(),
    "var": lambda x: x.var(),
    "std": lambda x: x.std(),
    "cdf": lambda x: x.cdf(0.7),
    "sf": lambda x: x.sf(0.7),
    "below": lambda x: x.below(0.5),
    "prob": lambda x: x.prob(-1.0, 3.0),
    "ppf": lambda x: x.ppf(0.3),
    "lo": lambda x: x.interval(0.8).lo,
    "affine": lambda x: (2.5 * x - 1.0).mean(),
    "turned": lambda x: (1.0 - x).var(),
    "above": lambda x: (x > 1.0).bounds[0],
}


def presence(column: Distribution) -> Any:
    return column.presence if isinstance(column, Alternatives) else np.ones(len(column))


def test_every_kind_is_known_by_its_name() -> None:
    assert set(KINDS) == set(EVERY)


@every
@few
@given(data=st.data())
def test_a_column_is_its_rows(kind: str, data: DataObject) -> None:
    column = data.draw(columns(kind))
    n = len(column)
    assert isinstance(column, Column)
    assert column.kind == kind
    assert column.slice(slice(0, n)).equals(column)
    assert column.slice(slice(0, 1)).concat([column.slice(slice(1, n))]).equals(column)
    assert column.take(np.arange(n)[::-1]).take(np.arange(n)[::-1]).equals(column)
    assert type(column).stack([column.at(i) for i in range(n)]).equals(column)
    assert column.at(0).shape == ()
    batch = Batch({"x": column})
    assert Batch.from_rows(batch.rows()) == batch


@every
@few
@given(data=st.data())
def test_a_column_comes_back_from_the_wire_and_from_a_pickle_to_the_bit(
    kind: str, data: DataObject
) -> None:
    column = data.draw(columns(kind))
    assert wire.loads(wire.dumps(column)).equals(column)
    assert wire.loads(wire.dumps(column.at(0))).equals(column.at(0))
    assert pickle.loads(pickle.dumps(column)).equals(column)


@every
@few
@given(data=st.data())
def test_nobody_can_write_into_a_column(kind: str, data: DataObject) -> None:
    arrays = [a for a in data.draw(columns(kind)).parameters().values() if a is not None]
    assert not any(array.flags.writeable for array in arrays)


@every
@few
@given(data=st.data())
def test_a_column_is_neither_true_nor_false(kind: str, data: DataObject) -> None:
    with pytest.raises(TruthError, match="neither true nor false"):
        bool(data.draw(columns(kind)))


@numbers
@few
@given(data=st.data())
def test_a_row_is_the_same_to_the_bit_whatever_stands_beside_it(
    kind: str, data: DataObject
) -> None:
    column = data.draw(distributions(kind))
    for name, reading in READINGS.items():
        whole = reading(column)
        for i in range(len(column)):
            alone, scalar = reading(column[i : i + 1]), reading(column.at(i))
            assert whole[i : i + 1].tobytes() == alone.tobytes(), name
            assert np.float64(whole[i]).tobytes() == np.float64(scalar).tobytes(), name


@numbers
@few
@given(data=st.data())
def test_a_cdf_rises_from_nothing_to_one(kind: str, data: DataObject) -> None:
    column = data.draw(distributions(kind))
    at = np.linspace(-900, 900, 41)[:, None]
    heights = column.cdf(at)
    assert heights.shape == (41, len(column))
    assert (np.diff(heights, axis=0) >= -1e-15).all()
    assert ((heights >= 0) & (heights <= 1)).all()
    assert (column.below(at) <= heights).all()
    np.testing.assert_allclose(column.sf(at) + heights, 1, atol=1e-12)


@numbers
@few
@given(data=st.data(), q=st.sampled_from([0.01, 0.3, 0.5, 0.8, 0.99]))
def test_a_quantile_is_the_least_value_that_is_reached(
    kind: str, data: DataObject, q: float
) -> None:
    column = data.draw(distributions(kind))
    if kind == "quantiles":  # beyond its ends it says nothing
        q = min(max(q, 0.05), 0.95)
    at = column.ppf(q)
    slack = 1e-6 * (1 + np.abs(at))
    assert (column.cdf(at + slack) >= q - 1e-9).all()
    assert (column.below(at - slack) <= q + 1e-9).all()


@numbers
@few
@given(data=st.data(), scale=st.sampled_from([2.0, -0.5, 0.0]), shift=st.sampled_from([0.0, -3.0]))
def test_moments_follow_an_affine_map(
    kind: str, data: DataObject, scale: float, shift: float
) -> None:
    column = data.draw(distributions(kind))
    moved = column * scale + shift
    np.testing.assert_allclose(moved.mean(), column.mean() * scale + shift, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moved.var(), column.var() * scale**2, rtol=1e-7, atol=1e-9)


@numbers
@few
@given(data=st.data())
def test_a_wider_level_holds_the_narrower_interval(kind: str, data: DataObject) -> None:
    column = data.draw(distributions(kind))
    narrow, wide = column.interval(0.5), column.interval(0.9)
    assert (wide.lo <= narrow.lo + 1e-12).all()
    assert (wide.hi >= narrow.hi - 1e-12).all()


@numbers
@few
@given(data=st.data())
def test_a_column_less_itself_is_nothing(kind: str, data: DataObject) -> None:
    column = data.draw(distributions(kind))
    if kind == "beta":
        return  # there is no Beta that is always 0
    gone = column - column
    assert gone.mean().tolist() == [0.0] * len(column)
    assert gone.var().tolist() == [0.0] * len(column)
    present = presence(column)
    same = column
    assert (column > same).p.tolist() == [0.0] * len(column)
    assert (column >= same).p.tolist() == present.tolist()


@numbers
@few
@given(data=st.data())
def test_events_and_their_opposites_share_what_there_is(kind: str, data: DataObject) -> None:
    column = data.draw(distributions(kind))
    present = presence(column)
    above, at_most = (column > 1.0).bounds, (column <= 1.0).bounds
    np.testing.assert_allclose(above[0] + at_most[1], present, atol=1e-12)
    np.testing.assert_allclose((~(column > 1.0)).bounds[0], 1 - above[1], atol=1e-12)


@numbers
@few
@given(data=st.data())
def test_worlds_of_a_column_have_about_its_moments(kind: str, data: DataObject) -> None:
    column = data.draw(distributions(kind))
    if kind == "worlds":
        return
    ids = np.arange(len(column))
    drawn = column.to(Worlds, draws=Draws(5, 512), name="x", ids=ids)
    slack = 0.3 * column.std() + 1e-9
    assert (np.abs(drawn.mean() - column.mean()) <= slack).all()
    again = column[::-1].to(Worlds, draws=Draws(5, 512), name="x", ids=ids[::-1])
    assert again[::-1].equals(drawn)


@numbers
@few
@given(data=st.data())
def test_sums_of_independent_columns_add_means_and_variances(kind: str, data: DataObject) -> None:
    column = data.draw(distributions(kind))
    if kind in {"worlds", "quantiles"}:
        with pytest.raises(DistributionError, match=r"worlds|drawn"):
            _ = column + Normal(np.zeros(len(column)), 1.0)
        return
    total = column + Normal(np.full(len(column), 2.0), 3.0)
    np.testing.assert_allclose(total.mean(), column.mean() + 2, atol=1e-9)
    np.testing.assert_allclose(total.var(), column.var() + 3, rtol=1e-9)


def test_rows_of_another_kind_are_named() -> None:
    with pytest.raises(SchemaError, match="row 1 is 3"):
        Batch.from_rows([{"x": Normal(0.0, 1.0)}, {"x": 3}])
