"""A model of River as a model: what it has learnt so far, asked row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from rxml.batch import Batch, Field, Schema
from rxml.batch.column import values_of
from rxml.batch.extras import extra_module
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters.recipes import form_of, made_by, schema_from
from rxml.models.columns import empty
from rxml.models.model import Recipe
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Kind: TypeAlias = Literal["regression", "classification", "anomaly", "clustering"]

SHARES: Final = "probabilities"


class RiverModel:
    """A model whose work is one of River; see `from_river`.

    Attributes:
        signature: what it wants and gives.
        digest: "", as the model is another after each row that it learns from.
        tolerance: 0: each row is asked for alone.
    """

    def __init__(
        self,
        model: Any,
        inputs: Schema,
        kind: Kind,
        *,
        classes: tuple[Any, ...] = (),
        positive: Any = None,
        factory: str = "",
    ) -> None:
        self._model: Any = model
        self._told: tuple[Any, ...] = (form_of(inputs), kind, list(classes), positive)
        self._factory: str = factory
        self._names: tuple[str, ...] = tuple(inputs)
        self._score: Callable[[list[dict[str, Any]]], dict[str, Any]]
        outputs, self._score = _asked(model, kind, classes, positive)
        self.signature: Signature = Signature(inputs, outputs)
        self.digest: str = ""
        self.tolerance: float = 0.0

    def predict(self, batch: Batch) -> Batch:
        """The outputs.

        Raises:
            ModelError: it has not learnt yet, or knows labels that were not told of.
        """
        if not len(batch):
            return empty(self.signature.outputs)
        names = self._names
        values = [values_of(batch.columns[name]) for name in names]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        given = self._score(rows)
        fields = self.signature.outputs
        return Batch({name: np.array(given[name], field.dtype) for name, field in fields.items()})

    def recipe(self) -> Recipe:
        """How another process makes it: River has no safe file format, so by the function that makes it.

        Raises:
            ModelError: no factory was given.
        """
        if not self._factory:
            raise ModelError(
                "River has no file format that runs nothing when it is read: give from_river(factory='module:function'), "
                "which makes the model"
            )
        return Recipe(f"{__name__}:from_factory", (self._factory, *self._told))


def from_river(
    model: Any,
    *,
    inputs: Schema | Iterable[str],
    kind: Kind | None = None,
    classes: Iterable[Any] = (),
    positive: Any = None,
    factory: str = "",
) -> RiverModel:
    """A model from one of River (extra `river`), for predictions; what it learns meanwhile counts at once.

    A regressor gives `value`, a detector of anomalies its score, a clusterer the number of the cluster. A classifier gives
    the label, and `probabilities` of the classes.

    Args:
        model: of River.
        inputs: names of features, all float64, or a schema of scalars; each row is a dict of them.
        kind: of model; by itself, if River tells.
        classes: that a classifier may tell apart, all of one type, since River knows only those it has met; a label that
            is not among them has no column of probability.
        positive: a class: the value is then its probability, and nothing else is given.
        factory: `module:function` that makes the same model in another process.

    Raises:
        PipelineError: River does not tell what kind of model it is, an input is a vector, or classes are not told.
    """
    schema = inputs if isinstance(inputs, Schema) else Schema(Field(n, np.float64) for n in inputs)
    vector = next((field for field in schema.values() if field.shape), None)
    if vector is not None:
        raise PipelineError(f"input {vector.name!r} is {vector.form}: River takes scalars by name")
    kind = _kind(model) if kind is None else kind
    return RiverModel(
        model, schema, kind, classes=tuple(classes), positive=positive, factory=factory
    )


def from_factory(
    factory: str, inputs: Any, kind: Kind, classes: list[Any], positive: Any
) -> RiverModel:
    """The model that a recipe tells of.

    Args:
        factory: `module:function`.
        inputs: form of the schema.
        kind: of model.
        classes: see `from_river`.
        positive: see `from_river`.

    Raises:
        ModelError: there is no such function.
    """
    return RiverModel(
        made_by(factory),
        schema_from(inputs),
        kind,
        classes=tuple(classes),
        positive=positive,
        factory=factory,
    )


def _kind(model: Any) -> Kind:
    base = extra_module("river.base", "river")
    kinds: tuple[tuple[Kind, Any], ...] = (
        ("classification", base.Classifier),
        ("regression", base.Regressor),
        ("clustering", base.Clusterer),
        ("anomaly", base.AnomalyDetector),
    )
    for kind, known in kinds:
        if isinstance(model, known):
            return kind
    raise PipelineError(
        f"River does not tell what {type(model).__name__} predicts: give kind, one of regression, classification, anomaly, clustering"
    )


Score: TypeAlias = "Callable[[list[dict[str, Any]]], dict[str, Any]]"


def _asked(model: Any, kind: Kind, classes: tuple[Any, ...], positive: Any) -> tuple[Schema, Score]:
    if kind == "classification":
        return _classifier(model, classes, positive)
    one = model.score_one if kind == "anomaly" else model.predict_one
    dtype = np.int64 if kind == "clustering" else np.float64
    return Schema([Field("value", dtype)]), lambda rows: {"value": [one(row) for row in rows]}


def _classifier(model: Any, classes: tuple[Any, ...], positive: Any) -> tuple[Schema, Score]:
    if positive is not None:
        chance = model.predict_proba_one
        return Schema([Field("value", np.float64)]), lambda rows: {
            "value": [_share(chance(row), positive) for row in rows]
        }
    kinds: set[Any] = {type(label) for label in classes}
    if len(kinds) != 1:
        raise PipelineError(
            f"River knows only the classes it has met: tell them, all of one type, or the positive one; got {classes}"
        )
    fields = [Field("value", kinds.pop()), Field(SHARES, np.float64, (len(classes),))]
    return Schema(fields), lambda rows: _labelled(model, classes, rows)


def _labelled(model: Any, classes: tuple[Any, ...], rows: list[dict[str, Any]]) -> dict[str, Any]:
    labels = [model.predict_one(row) for row in rows]
    if None in labels:
        raise ModelError("the model of River has not learnt yet: it knows no label")
    strange = set(labels).difference(classes)
    if strange:
        raise ModelError(f"the model has learnt {sorted(strange)}, the classes told are {classes}")
    shares = [
        [_share(given, label) for label in classes] for given in map(model.predict_proba_one, rows)
    ]
    return {"value": labels, SHARES: shares}


def _share(given: dict[Any, float], label: Any) -> float:
    return given.get(label, 0.0) if given else np.nan
