"""Possible worlds through models: one call, the same draws in every replay, and dependence is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import DistributionError, PipelineError
from rxml.uncertain import Draws, Interval, Normal, Worlds
from tests.unit.models.propagating.counted import XY, Counted, curve

X = Schema.of(x="float64")
numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
facts = st.tuples(numbers, st.sampled_from([0.0, 0.5, 4.0]), numbers, st.integers(0, 2**64 - 1))


def worlds(batch: Batch, name: str = "value") -> Worlds:
    found = batch[name]
    assert isinstance(found, Worlds)
    return found


def rows_of(part: list[Any]) -> Batch:
    x, var, y, ids = zip(*part, strict=True)
    return Batch(
        {
            "x": Normal(x, var),
            "y": np.array(y),
            "id": np.array(ids, np.uint64),
        }
    )


def test_the_model_is_called_once_for_all_worlds_of_all_rows() -> None:
    model = Counted(curve)
    found = models.propagated(model, "worlds(16)").predict(
        rows_of([(1.0, 1.0, 2.0, 5), (2.0, 1.0, 2.0, 6)])
    )
    assert model.calls == [16 * 2]
    assert worlds(found).values.shape == (16, 2)
    models.propagated(model, "worlds(16)").predict(rows_of([(1.0, 0.0, 2.0, 5)]))
    assert model.calls == [32, 1]


@given(st.lists(facts, min_size=1, max_size=6))
def test_a_row_has_the_same_worlds_whatever_rows_stand_beside_it(rows: list[Any]) -> None:
    model = models.propagated(Counted(curve), models.worlds(9, seed=3), explain=True)
    alone = Batch.concat([model.predict(rows_of([row])) for row in rows])
    assert model.predict(rows_of(rows)) == alone


def test_replays_draw_the_same_and_other_seeds_and_facts_others() -> None:
    row = rows_of([(1.0, 1.0, 2.0, 5)])

    def values(batch: Batch, seed: int = 1) -> Any:
        return worlds(
            models.propagated(Counted(curve), models.worlds(8, seed=seed)).predict(batch)
        ).values

    np.testing.assert_array_equal(values(row), values(row))
    assert not np.array_equal(values(row), values(row, seed=2))
    assert not np.array_equal(values(row), values(rows_of([(1.0, 1.0, 2.0, 6)])))


def test_draws_are_those_that_anybody_has_who_names_the_same_input_and_fact() -> None:
    column, draws = Normal([1.0, 2.0], [1.0, 4.0]), Draws(11, 32)
    for ids in (np.array([4, 7]), np.array(["a", "b"]), np.array(["a", 7], object)):
        apart = [numbered(each) for each in ids]
        wanted = np.concatenate(
            [
                column[i : i + 1].to(Worlds, draws=draws, name="x", ids=each).values
                for i, each in enumerate(apart)
            ],
            axis=1,
        )
        model = models.propagated(
            Counted(lambda rows: rows["x"], inputs=X), models.worlds(32, seed=11)
        )
        found = worlds(model.predict(Batch({"x": column, "id": ids})))
        np.testing.assert_array_equal(found.values, wanted)
        assert found.world == draws.key


def numbered(each: Any) -> Any:
    return np.array([int(each)]) if not isinstance(each, str) else np.array([each])


@given(st.lists(numbers, min_size=1, max_size=5))
def test_one_world_is_what_the_model_says_to_the_bit(xs: list[float]) -> None:
    x, y = np.array(xs), np.array(xs[::-1])
    plain = Counted(curve).predict(Batch({"x": x, "y": y}))["value"]
    one = Worlds(x[None], world=Draws(5, 1).key)
    with np.errstate(all="raise"):
        found = models.propagated(Counted(curve), models.worlds(1, seed=5)).predict(
            Batch({"x": one, "y": y})
        )
    assert worlds(found).values[0].tobytes() == plain.tobytes()


def test_facts_are_the_same_in_all_worlds_to_the_bit() -> None:
    x, y = np.array([1.1, 0.3]), np.array([0.7, -2.9])
    plain = Counted(curve).predict(Batch({"x": x, "y": y}))["value"]
    batch = Batch({"x": Normal(x, [0.0, 1.0]), "y": y, "id": np.arange(2)})
    values = worlds(models.propagated(Counted(curve), "worlds(4)").predict(batch)).values
    assert (values[:, 0] == plain[0]).all()
    assert (values[:, 1] != plain[1]).any()


def test_inputs_of_the_same_worlds_keep_what_they_have_to_do_with_each_other() -> None:
    draws = Draws(2, 64)
    x = Normal([3.0], [1.0]).to(Worlds, draws=draws, name="shared", ids=np.array([1]))
    model = models.from_function(lambda rows: rows["x"] - rows["y"], inputs=XY)
    found = models.propagated(model, models.worlds(64, seed=2)).predict(
        Batch({"x": x, "y": x, "id": [1]})
    )
    assert not worlds(found).values.any()


def test_worlds_that_are_not_these_are_refused() -> None:
    other = Normal([3.0], [1.0]).to(Worlds, draws=Draws(3, 64), name="x", ids=np.array([1]))
    fewer = Normal([3.0], [1.0]).to(Worlds, draws=Draws(2, 8), name="x", ids=np.array([1]))
    model = models.propagated(Counted(lambda rows: rows["x"], inputs=X), models.worlds(64, seed=2))
    for given_ in (other, fewer, Worlds(other.values)):
        with pytest.raises(
            DistributionError, match=r"input 'x': it was drawn in other worlds.*Draws\(2, 64\)"
        ):
            model.predict(Batch({"x": given_, "id": [1]}))


def test_ids_must_be_there_and_be_ids() -> None:
    model = models.propagated(Counted(curve), models.worlds(4, id="order"))
    uncertain: dict[str, Any] = {"x": Normal([1.0], [1.0]), "y": [1.0]}
    with pytest.raises(DistributionError, match="there is no column 'order'"):
        model.predict(Batch(uncertain))
    with pytest.raises(DistributionError, match=r"'order' is the id of a fact.*row 0"):
        model.predict(Batch({**uncertain, "order": np.array([None], object)}))
    assert len(model.predict(Batch({"x": [1.0], "y": [1.0]}))) == 1  # facts need none
    with pytest.raises(PipelineError, match="'x' is float64; say id="):
        models.propagated(Counted(curve), models.worlds(4, id="x"))


def test_a_variance_without_end_has_no_worlds() -> None:
    model = models.propagated(Counted(lambda rows: rows["x"], inputs=X), "worlds(4)")
    with pytest.raises(
        DistributionError, match=r"input 'x': an input of infinite variance has no worlds.*row 1"
    ):
        model.predict(Batch({"x": Normal([1.0, 2.0], [1.0, np.inf]), "id": [1, 2]}))


def test_labels_are_those_at_the_means() -> None:
    outputs = Schema([Field("value", "float64"), Field("label", str)])

    def said(rows: Batch) -> Any:
        return rows["x"], np.where(rows["x"] > 0, "up", "down").astype(object)

    model = Counted(said, inputs=X, outputs=outputs)
    batch = Batch({"x": Interval([-1.0, -3.0], [3.0, 1.0]), "id": [1, 2]})
    found = models.propagated(model, "worlds(4)").predict(batch)
    assert found["label"].tolist() == ["up", "down"]
    assert worlds(found).values.shape == (4, 2)
    assert model.calls == [2 * 5]


def test_what_a_function_makes_infinite_is_a_hole() -> None:
    def said(rows: Batch) -> Any:
        with np.errstate(all="ignore"):
            return np.log(rows["x"])

    model = models.propagated(Counted(said, inputs=X), "worlds(8)")
    found = model.predict(Batch({"x": Normal([0.0, 100.0], [1.0, 1.0]), "id": [1, 2]}))
    holes = model.signature.holes(found)
    assert holes is not None
    assert holes.tolist() == [True, False]


@pytest.mark.parametrize(
    ("words", "worlds", "seed"),
    [("worlds", 128, 0), ("worlds()", 128, 0), ("worlds(9)", 9, 0), ("worlds(9, seed=4)", 9, 4)],
)
def test_worlds_in_words(words: str, worlds: int, seed: int) -> None:
    model = models.propagated(Counted(curve), words)
    told = model.signature.propagates
    assert told is not None
    assert told.worlds == worlds
    same = models.propagated(Counted(curve), models.worlds(worlds, seed=seed))
    batch = rows_of([(1.0, 1.0, 2.0, 5)])
    assert model.predict(batch) == same.predict(batch)


@pytest.mark.parametrize("how", [{"count": 0}, {"count": 1 << 17}, {"seed": -1}, {"id": ""}])
def test_numbers_out_of_range(how: Any) -> None:
    with pytest.raises(ValueError, match=r"world|seed"):
        models.worlds(**how)
