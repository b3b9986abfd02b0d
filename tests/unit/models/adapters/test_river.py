from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import ModelError, PipelineError
from rxml.testing.models import check_model
from tests.contract.factories import learnt

linear: Any = import_module("river.linear_model")
tree: Any = import_module("river.tree")
anomaly: Any = import_module("river.anomaly")
cluster: Any = import_module("river.cluster")
bayes: Any = import_module("river.naive_bayes")
preprocessing: Any = import_module("river.preprocessing")

RNG = np.random.default_rng(1)
X = RNG.uniform(size=(150, 2))
BATCH = Batch({"a": X[:12, 0], "b": X[:12, 1]})
ROWS: list[dict[str, float]] = [dict(zip("ab", row, strict=True)) for row in X.tolist()]
WORDS = ["high" if row["a"] > 0.5 else "low" for row in ROWS]


def taught(model: Any, targets: list[Any] | None = None) -> Any:
    for i, row in enumerate(ROWS):
        model.learn_one(row) if targets is None else model.learn_one(row, targets[i])
    return model


def test_a_regressor_gives_numbers() -> None:
    model = taught(preprocessing.StandardScaler() | linear.LinearRegression(), X[:, 0].tolist())
    adapted = models.from_river(model, inputs=["a", "b"])
    got = adapted.predict(BATCH)["value"].tolist()
    assert got == [model.predict_one(row) for row in ROWS[:12]]
    check_model(adapted, BATCH)


def test_a_classifier_gives_labels_and_probabilities_or_one() -> None:
    model = taught(tree.HoeffdingTreeClassifier(), WORDS)
    adapted = models.from_river(model, inputs=["a", "b"], classes=("low", "high"))
    got = adapted.predict(BATCH)
    assert adapted.signature.outputs["value"].text
    assert got["value"].tolist() == [model.predict_one(row) for row in ROWS[:12]]
    chances = [model.predict_proba_one(row) for row in ROWS[:12]]
    assert got["probabilities"].tolist() == [[c.get("low", 0), c.get("high", 0)] for c in chances]
    high = models.from_river(model, inputs=["a", "b"], positive="high")
    np.testing.assert_array_equal(high.predict(BATCH)["value"], got["probabilities"][:, 1])
    check_model(adapted, BATCH)
    check_model(high, BATCH)


@pytest.mark.parametrize(
    ("make", "dtype"),
    [(lambda: anomaly.HalfSpaceTrees(seed=1), "float64"), (lambda: cluster.KMeans(2), "int64")],
    ids=["anomaly", "cluster"],
)
def test_kinds_that_learn_without_an_answer(make: Any, dtype: str) -> None:
    adapted = models.from_river(taught(make()), inputs=["a", "b"])
    assert adapted.signature.outputs == Schema.of(value=dtype)
    check_model(adapted, BATCH)


def test_what_it_learns_counts_at_once() -> None:
    model = linear.LinearRegression()
    adapted = models.from_river(model, inputs=["a", "b"])
    before = adapted.predict(BATCH)
    taught(model, X[:, 0].tolist())
    assert adapted.predict(BATCH) != before


def test_a_model_that_has_not_learnt_says_so() -> None:
    fresh = models.from_river(bayes.GaussianNB(), inputs=["a", "b"], classes=("low", "high"))
    with pytest.raises(ModelError, match="has not learnt yet"):
        fresh.predict(BATCH)
    chance = models.from_river(bayes.GaussianNB(), inputs=["a", "b"], positive="high")
    bad = chance.signature.holes(chance.predict(BATCH))
    assert bad is not None
    assert bad.all()


def test_a_label_that_was_not_told_is_refused() -> None:
    model = taught(tree.HoeffdingTreeClassifier(), WORDS)
    adapted = models.from_river(model, inputs=["a", "b"], classes=("low", "mid"))
    with pytest.raises(ModelError, match=r"has learnt \['high'\]"):
        adapted.predict(BATCH)


def test_what_river_does_not_tell_must_be_told() -> None:
    with pytest.raises(PipelineError, match="tell them, all of one type"):
        models.from_river(tree.HoeffdingTreeClassifier(), inputs=["a"])
    with pytest.raises(PipelineError, match="tell them, all of one type"):
        models.from_river(tree.HoeffdingTreeClassifier(), inputs=["a"], classes=(1, "one"))
    with pytest.raises(PipelineError, match="give kind"):
        models.from_river(preprocessing.StandardScaler(), inputs=["a"])
    vector = Schema([Field("v", "float64", (2,))])
    with pytest.raises(PipelineError, match="River takes scalars by name"):
        models.from_river(linear.LinearRegression(), inputs=vector)


def test_a_recipe_needs_a_factory() -> None:
    options: Any = {"inputs": ["x0", "x1", "x2"], "positive": 1}
    with pytest.raises(ModelError, match="factory"):
        models.from_river(learnt(), **options).recipe()
    made = models.from_river(learnt(), factory="tests.contract.factories:learnt", **options)
    assert made.recipe().arguments[0] == "tests.contract.factories:learnt"
