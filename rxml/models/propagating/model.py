"""A model that takes distributions where another takes floats, and gives distributions for floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Batch, Field, Schema
from rxml.batch.column import sliced
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters.recipes import resolved
from rxml.models.model import Portable, Recipe
from rxml.models.propagating.by_moments import ByMoments
from rxml.models.propagating.by_worlds import ByWorlds
from rxml.models.propagating.methods import Method, method_of
from rxml.models.propagating.parts import INPUT, MODEL, RESIDUAL, TOGETHER
from rxml.models.propagating.points import Asked, at_moments, at_worlds
from rxml.models.propagating.said import Reader
from rxml.models.signature import Propagates, Signature, may_be_uncertain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.models.model import Edition, Model, Release
    from rxml.models.propagating.outcomes import Outcome
    from rxml.models.propagating.points import Points
    from rxml.models.propagating.said import Said
    from rxml.uncertain.checks import Floats


_ANY: Final = 0.9
"""A level of intervals, where it changes nothing."""


class PropagatingModel:
    """A model asked at several points for each row, in one call; see `propagated`.

    Attributes:
        signature: what it wants and gives.
        digest: of the model.
        model: which is asked.
        tolerance: of the model, as its adapter says.
    """

    def __init__(self, model: Model, method: Method, *, explain: bool = False) -> None:
        self.model: Model = model
        self.digest: str = model.digest
        self.tolerance: float = getattr(model, "tolerance", 0.0)
        self.__name__: str = getattr(model, "__name__", type(model).__name__)
        self._method = method
        self._explain = explain
        level = _told(model, "level") if method.level is None else method.level
        self._reader = Reader(model.signature, level)
        self._slopes = _slopes(model, self._reader)
        self.signature: Signature = _signature(
            model.signature, self._reader, method, explain=explain
        )

    @property
    def release(self) -> Release | None:
        """Of the model, if it knows it."""
        return getattr(self.model, "release", None)

    @property
    def examples(self) -> Batch | None:
        """Of the model, if it has any; with ids where worlds follow from them."""
        examples: Batch | None = getattr(self.model, "examples", None)
        name = self._method.id
        if examples is None or not name or name in examples.columns:
            return examples
        return examples.with_columns({name: np.arange(len(examples))})

    def predict(self, batch: Batch) -> Batch:
        """The outputs, from one call of the model.

        Raises:
            DistributionError: an input is none that can be propagated; names it and the rows.
            ModelError: the model does not give what it promises.
        """
        points = self._points(batch)
        shape, asked = (points.count, points.rows), self.model.signature
        result = asked.conformed(self.model.predict(points.batch), points.count * points.rows)
        columns: dict[str, Any] = {
            name: sliced(result.columns[name], slice(points.rows)) for name in self._reader.others
        }
        told: dict[str, Any] = {}
        for name in self._reader.numbers:
            outcome = self._outcome(batch, points, name, self._reader.of(result, name, shape))
            columns[name] = outcome.column
            if self._explain and name == self._reader.value:
                told = self._told(outcome)
        return Batch({name: columns[name] for name in asked.outputs if name in columns} | told)

    def _points(self, batch: Batch) -> Points:
        inputs = self.model.signature.inputs
        if self._method.worlds:
            return at_worlds(batch, inputs, self._method, center=bool(self._reader.others))
        return at_moments(batch, inputs, self._method, linear=self._slopes is not None)

    def _outcome(self, batch: Batch, points: Points, name: str, said: Said) -> Outcome:
        method = self._method
        noise = method.residual if name == self._reader.value else 0.0
        if method.worlds:
            return ByWorlds(
                points, method.draws, Asked(batch, method.id), explain=self._explain
            ).outcome(said, name, noise)
        return ByMoments(points, self._slopes, curved=method.way == "unscented").outcome(
            said, noise
        )

    def _told(self, outcome: Outcome) -> dict[str, Floats]:
        none = np.zeros(len(outcome.model))
        told = {
            name: outcome.inputs.get(name.removeprefix(INPUT), none)
            for name in self.signature.outputs
            if name.startswith(INPUT)
        }
        if outcome.together is not None:
            told[TOGETHER] = outcome.together
        return told | {MODEL: outcome.model, RESIDUAL: outcome.residual}

    def recipe(self) -> Recipe:
        """How another process makes it: the model by its own recipe, and this around it.

        Raises:
            ModelError: the model cannot be made there.
        """
        if not isinstance(self.model, Portable):
            raise ModelError(
                f"{type(self.model).__name__} has no recipe() by which another process could make it: "
                "propagate through it on the loop or in a thread"
            )
        inner, how = self.model.recipe(), self._method
        words = (how.way, how.level, how.residual, how.worlds, how.seed, how.id)
        return Recipe(
            f"{__name__}:from_recipe", (inner.loader, inner.arguments, words, self._explain)
        )


def from_recipe(loader: str, arguments: Any, words: Any, explain: bool) -> PropagatingModel:  # noqa: FBT001
    """The model that a recipe tells of.

    Args:
        loader: of the model within, `module:function`.
        arguments: of that function.
        words: the fields of the method.
        explain: see `propagated`.

    Raises:
        ModelError: there is no such function.
    """
    return PropagatingModel(resolved(loader)(*arguments), Method(*words), explain=explain)


def propagated(
    model: Model, method: str | Method = "unscented", *, explain: bool = False
) -> PropagatingModel:
    """A model that takes distributions where another takes floats, and gives distributions for floats.

    It asks the other once for all points of all rows (`delta`, `unscented`, `worlds`), and takes inputs to be independent
    but for `Worlds` of the same draws. One float input a row may be a `Normal`, `Beta`, `Interval` (of bounds, or
    central), `Quantiles`, `Mixture`, `Worlds` or `Alternatives`; other inputs are what they were. Each output of one float
    a row becomes a `Normal`, or `Worlds`; others, such as labels and vectors, are what the model says at the means.
    Moments are closed form for models that say their `slopes`: linear ones of scikit-learn, and functions that declare them.

    If the model gives an interval or a distribution itself, the variance of that is added (law of total variance). Input
    that is not there must come as what is known of it, such as of an `Imputer`: NaN stays NaN, and fails the row. An
    infinite variance makes the variance of the value infinite.

    Args:
        model: which is asked.
        method: "delta", "unscented", "worlds(128)", or of `delta()`, `unscented()`, `worlds()`.
        explain: what the variance of the value is made of stands beside it, in outputs named `variance/...`; see
            `explain`.

    Raises:
        PipelineError: it is no method; the model gives no number, or intervals of a level that is not known.
    """
    return PropagatingModel(model, method_of(method), explain=explain)


@dataclass(frozen=True, slots=True)
class Dress:
    """Makes models, or editions of them, take distributions.

    Attributes:
        method: see `propagated`.
        explain: see `propagated`.
    """

    method: Method
    explain: bool = False

    def model(self, model: Model) -> PropagatingModel:
        """The model, around another.

        Raises:
            PipelineError: see `propagated`.
        """
        return PropagatingModel(model, self.method, explain=self.explain)

    def signature(self, signature: Signature) -> Signature:
        """Of the model around one of that signature.

        Raises:
            PipelineError: see `propagated`.
        """
        reader = Reader(signature, self.method.level or _ANY)
        return _signature(signature, reader, self.method, explain=self.explain)

    def __call__(self, edition: Edition) -> PropagatingEdition:
        """The edition, around another."""
        return PropagatingEdition(edition, self)


@dataclass(frozen=True, slots=True)
class PropagatingEdition:
    """An edition whose model takes distributions.

    Attributes:
        edition: of the model.
        dress: that it gets.
    """

    edition: Edition
    dress: Dress

    @property
    def release(self) -> Release:
        """Of the edition."""
        return self.edition.release

    def load(self) -> PropagatingModel:
        """The model.

        Raises:
            Exception: it cannot be had.
        """
        return self.dress.model(self.edition.load())


def _signature(signature: Signature, reader: Reader, method: Method, *, explain: bool) -> Signature:
    if not reader.numbers:
        raise PipelineError(
            f"the model gives no float, but {tuple(signature.outputs.values())}: there is nothing to propagate; "
            "a classifier gives the probability of a class by from_sklearn(positive=)"
        )
    if explain and reader.value not in reader.numbers:
        raise PipelineError(
            f"the value of the model, {reader.value!r}, is no float: its variance is none to explain"
        )
    kind = "worlds" if method.worlds else "normal"
    outputs = [
        Field(each.name, object, kind=kind) if each.name in reader.numbers else each
        for name, each in signature.outputs.items()
        if name in reader.numbers or name in reader.others
    ]
    outputs += [
        Field(name, np.float64, nullable=True) for name in _parts(signature, method) if explain
    ]
    uncertainty = "distribution" if reader.value in reader.numbers else signature.uncertainty
    return Signature(
        _inputs(signature.inputs, method),
        Schema(outputs),
        uncertainty,
        Propagates(method.worlds, method.id),
    )


def _inputs(inputs: Schema, method: Method) -> Schema:
    if not method.id:
        return inputs
    if method.id not in inputs:
        return Schema([*inputs.values(), Field(method.id, object)])
    if inputs[method.id].dtype.kind not in "iuOSUT":
        raise PipelineError(
            f"worlds follow from ids, whole numbers or text: {method.id!r} is {inputs[method.id].form}; say id="
        )
    return inputs


def _parts(signature: Signature, method: Method) -> list[str]:
    inputs = [INPUT + name for name, each in signature.inputs.items() if may_be_uncertain(each)]
    return [*inputs, *([TOGETHER] if method.worlds else []), MODEL, RESIDUAL]


def _slopes(model: Model, reader: Reader) -> Mapping[str, float] | None:
    """Of the one number that a linear model gives."""
    slopes: Mapping[str, float] | None = _told(model, "slopes")
    return slopes if len(reader.numbers) == 1 else None


def _told(model: Any, name: str) -> Any:
    """What a model, or the one within that a registry has released, tells of itself; None if it does not."""
    own = getattr(model, name, None)
    return own if own is not None else getattr(getattr(model, "model", None), name, None)
