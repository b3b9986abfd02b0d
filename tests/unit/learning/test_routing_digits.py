"""A10: on handwritten digits a cascade is nearly as good as its bigger model, at a fifth of its calls."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

import rxml
from rxml import models
from rxml import operators as ops
from rxml.batch import Batch, Field, Schema
from rxml.testing.virtual_time import run

INPUTS = Schema([Field("x", "float64", (64,))])


def sk(module: str, name: str) -> Any:
    return getattr(import_module(f"sklearn.{module}"), name)


def test_the_cascade_of_a_regression_and_a_support_vector_machine() -> None:
    x, y = sk("datasets", "load_digits")(return_X_y=True)
    halves = sk("model_selection", "train_test_split")(x, y, test_size=0.5, random_state=0)
    x_train, x_test, y_train, y_test = halves
    scale = sk("preprocessing", "StandardScaler")().fit(x_train)
    small = sk("linear_model", "LogisticRegression")(max_iter=60, C=0.05)
    small.fit(scale.transform(x_train), y_train)
    big = sk("svm", "SVC")(gamma=0.001).fit(x_train, y_train)
    asked: list[int] = []

    def first(rows: Batch) -> Batch:
        p: Any = small.predict_proba(scale.transform(rows["x"]))
        return rows.with_columns(p=p, value=p.argmax(axis=1))

    def second(rows: Batch) -> Any:
        asked.append(len(rows))
        return big.predict(rows["x"])

    model = models.from_function(second, inputs=INPUTS, outputs=Schema.of(value="int64"))
    parts: list[Any] = np.array_split(x_test, 40)
    flow = rxml.from_batches([Batch({"x": part}) for part in parts])
    cascade = ops.escalate(model, when="p", budget=0.2, on=models.on_loop())
    rows: list[Any] = run(flow.pipe(ops.map_batch(first), cascade).to_list())
    said: Any = [row["value"] for row in rows]
    right = np.equal(said, y_test).mean()
    alone = np.equal(first(Batch({"x": x_test})).array("value"), y_test).mean()
    assert right >= 0.985
    assert sum(asked) <= 0.205 * len(rows)
    assert alone < 0.97
