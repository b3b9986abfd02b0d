"""A model of River that learns in the stream."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from rxml.batch import Batch, Field, Schema
from rxml.batch.column import sealed, values_of
from rxml.batch.extras import extra_module
from rxml.errors import CheckpointError, PipelineError
from rxml.uncertain import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Kind: TypeAlias = Literal["regression", "classification"]


class RiverOnline:
    """An `OnlineModel` that asks and teaches a model of River (extra `river`), row by row in their order.

    What it predicts is what River's own `progressive_val_score` would have judged, to the last digit.

    A regressor gives `value`; a classifier `value`, None before it knows a class, and with `classes` the
    `probabilities` of these. It cannot be saved with checkpoints: a model of River is an object and no data.

    Args:
        model: of River. It is copied, and not changed.
        inputs: names of features, all float64, or a schema; each row is a dict of them.
        kind: of model; by itself, if River tells.
        classes: those whose probabilities are wanted, in their order.
        many: what is learned from at once (`ops.learn(mini_batch=n)`) is given to the model's `learn_many` as a frame of pandas
            (extra `pandas`), and not row by row. The model is copied before, so that one that fails midway has learned nothing.
        level: of a wrapper that gives intervals, such as `river.conf.RegressionJackknife`, its confidence level: a column
            `interval` is then given, too.

    Raises:
        PipelineError: River does not tell what kind of model it is, or it has no `learn_many`.
    """

    inputs: Schema

    def __init__(
        self,
        model: Any,
        inputs: Schema | Iterable[str],
        *,
        kind: Kind | None = None,
        classes: Sequence[Any] = (),
        many: bool = False,
        level: float | None = None,
    ) -> None:
        if many and not hasattr(model, "learn_many"):
            raise PipelineError(
                f"{type(model).__name__} of River has no learn_many: leave many out"
            )
        self._model: Any = deepcopy(model)
        named = (Field(name, np.float64) for name in inputs)
        self.inputs = inputs if isinstance(inputs, Schema) else Schema(named)
        self._kind: Kind = _kind(model) if kind is None else kind
        self._classes = list(classes)
        self._many = many
        self.stepwise: bool = not many
        self._level = level

    def predict(self, batch: Batch) -> Batch:
        """See `OnlineModel`."""
        rows = self._rows(batch)
        given = [self._model.predict_one(row) for row in rows]
        if self._kind == "classification":
            return self._classified(rows, given)
        columns: dict[str, Any] = {"value": np.array(given, np.float64)}
        if self._level is not None:
            columns["interval"] = self._intervals(rows, self._level)
        return Batch(columns)

    def _classified(self, rows: list[dict[str, Any]], given: list[Any]) -> Batch:
        columns: dict[str, Any] = {"value": objects(given)}
        if self._classes:
            chances = [self._model.predict_proba_one(row) for row in rows]
            shares = [[chance.get(each, 0.0) for each in self._classes] for chance in chances]
            columns["probabilities"] = np.array(shares, np.float64)
        return Batch(columns)

    def _intervals(self, rows: list[dict[str, Any]], level: float) -> Interval:
        given = [self._model.predict_one(row, with_interval=True) for row in rows]
        lower, upper = [each.lower for each in given], [each.upper for each in given]
        return Interval(lower, upper, level=level, sort="conformal")

    def learn(self, batch: Batch, labels: Sequence[Any]) -> None:
        """See `OnlineModel`."""
        if self._many:
            frame = batch.select(*self.inputs).to_pandas()
            series = extra_module("pandas", "pandas").Series(list(labels), index=frame.index)
            self._learn_many(frame, series)
            return
        for row, label in zip(self._rows(batch), labels, strict=True):
            self._model.learn_one(row, label)

    def _learn_many(self, frame: Any, series: Any) -> None:
        before = deepcopy(self._model)
        try:
            self._model.learn_many(frame, series)
        except Exception:
            self._model = before
            raise

    def _rows(self, batch: Batch) -> list[dict[str, Any]]:
        names = tuple(self.inputs)
        if not names:
            return [{} for _ in range(len(batch))]
        columns = [values_of(batch.columns[name]) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def copied(self) -> RiverOnline:
        """See `OnlineModel`."""
        return RiverOnline(
            self._model,
            self.inputs,
            kind=self._kind,
            classes=self._classes,
            many=self._many,
            level=self._level,
        )

    def snapshot(self) -> Any:
        """Refuses.

        Raises:
            CheckpointError: always.
        """
        raise CheckpointError(
            f"a {type(self._model).__name__} of River cannot be saved with a checkpoint: it is an object that only pickle "
            "could write, and nothing is unpickled here; run it without a store, or take a model of rxml.learning"
        )

    def restore(self, state: Any) -> None:
        """Refuses.

        Raises:
            CheckpointError: always.
        """
        del state
        self.snapshot()


def objects(values: Sequence[Any]) -> NDArray[Any]:
    """A column of whatever values these are, each as it is."""
    column = np.empty(len(values), object)
    column[:] = values
    return sealed(column)


def _kind(model: Any) -> Kind:
    base = extra_module("river.base", "river")
    if isinstance(model, base.Classifier):
        return "classification"
    if isinstance(model, base.Regressor):
        return "regression"
    raise PipelineError(
        f"River does not tell what {type(model).__name__} predicts: give kind, regression or classification"
    )
