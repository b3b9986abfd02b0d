"""check_model finds each way in which a model may be wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml import models
from rxml.batch import Batch, Schema
from rxml.testing.models import ModelBroken, check_model

BATCH = Batch({"x": np.arange(1.0, 8.0), "y": np.arange(7.0) ** 2})
INPUTS = Schema.of(x="float64", y="float64")


def checked(function: Any, **options: Any) -> None:
    check_model(models.from_function(function, inputs=INPUTS), BATCH, **options)


def honest(rows: Batch) -> Any:
    return rows["x"] + rows["y"]


def doubled(rows: Batch) -> Any:
    return 2 * honest(rows)


def shifted(rows: Batch) -> Any:
    return np.roll(rows["x"], 1)


def centred(rows: Batch) -> Any:
    return rows["x"] - (rows["x"].mean() if len(rows) else 0)


def by_place(rows: Batch) -> Any:
    return rows["x"] + np.arange(len(rows))


def by_memory(rows: Batch) -> Any:
    return rows["x"] + (rows["x"].strides[0] != 8)


def by_order(rows: Batch) -> Any:
    return rows[rows.names[0]] + 0.0


def afraid_of_nothing(rows: Batch) -> Any:
    return rows["x"] * (rows["x"][0] > -np.inf)


def spoilt(rows: Batch) -> Any:
    return rows["x"] + (1 if np.isnan(rows["x"]).any() else 0)


def short(rows: Batch) -> Any:
    return rows["x"][:-1]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (shifted, "L60|L61"),
        (centred, "L60"),
        (by_place, "L60"),
        (by_memory, "lie otherwise in memory"),
        (by_order, "in another order, with one more"),
        (afraid_of_nothing, "no rows: IndexError"),
        (spoilt, "NaN as 'x' of row 1"),
        (short, "gave 6 rows for 7"),
    ],
)
def test_a_model_that_breaks_the_contract_is_told_how(function: Any, why: str) -> None:
    checked(honest)
    with pytest.raises(ModelBroken, match=why):
        checked(function)


def test_a_model_that_is_another_each_time_is_found() -> None:
    calls: list[int] = []

    def ageing(rows: Batch) -> Any:
        calls.append(1)
        return rows["x"] + len(calls)

    with pytest.raises(ModelBroken, match="the same rows again"):
        checked(ageing)


def test_a_tolerance_is_a_share_of_the_largest() -> None:
    def rough(rows: Batch) -> Any:
        return rows["x"] * (1 + 1e-9 * len(rows))

    checked(rough, tolerance=1e-7)
    with pytest.raises(ModelBroken, match="tolerance 1e-12"):
        checked(rough, tolerance=1e-12)


def test_a_digest_has_a_form() -> None:
    model = models.from_function(honest, inputs=INPUTS, digest="md5:7")
    with pytest.raises(ModelBroken, match="neither sha256"):
        check_model(model, BATCH)


def test_a_recipe_that_makes_another_model_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.from_function(honest, inputs=INPUTS)
    other = models.from_function(doubled, inputs=INPUTS)
    monkeypatch.setattr(model, "recipe", other.recipe)
    with pytest.raises(ModelBroken, match="what its recipe makes"):
        check_model(model, BATCH)


def test_what_it_is_checked_with_must_fit() -> None:
    with pytest.raises(ModelBroken, match="it refuses the rows"):
        check_model(models.from_function(honest, inputs=Schema.of(x=str)), BATCH)
    with pytest.raises(ValueError, match="3 rows at least"):
        check_model(models.from_function(honest, inputs=INPUTS), BATCH[:2])
