"""An estimator of scikit-learn as a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from rxml.batch import Batch, Schema
from rxml.batch.column import frozen
from rxml.batch.schema import ARRAY
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters import fitted, skops
from rxml.models.adapters.chosen import estimates_of, is_classifier
from rxml.models.adapters.distributed import hollowed
from rxml.models.adapters.linear import linear_of
from rxml.models.adapters.recipes import form_of, schema_from
from rxml.models.columns import Rows, as_wanted, numeric
from rxml.models.model import Recipe
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from rxml.models.adapters.estimates import Array, Columns, Estimates
    from rxml.models.adapters.linear import Linear

    Interval: TypeAlias = float | tuple[Any, Any]

ROUNDING: Final = 1e-9


class SklearnModel:
    """A model whose work is an estimator; see `from_sklearn`.

    Attributes:
        signature: what it wants and gives.
        digest: of the estimator and of how it is asked, by what skops writes; "" if skops cannot.
        tolerance: how much of the largest output the rows beside a row may change in its own: 0 for linear models.
        slopes: of a linear model with one number as its value and numbers as inputs, by input; None of another.
        level: of the intervals that it gives, if they are by a level.
    """

    def __init__(
        self,
        estimator: Any,
        inputs: Schema,
        *,
        positive: Any = None,
        interval: Interval | None = None,
        frame: bool = False,
        distribution: bool = False,
    ) -> None:
        self._given: dict[str, Any] = {
            "estimator": estimator,
            "inputs": form_of(inputs),
            "positive": positive,
            "interval": interval,
            "frame": frame,
        }
        if distribution:  # else the digest is as it always was
            self._given["distribution"] = True
        self._rows: Rows | None = None if frame else Rows(inputs)
        self._names: tuple[str, ...] = tuple(inputs)
        self._hollow: Callable[[Array], Any] = (
            np.isinf if fitted.allows_nan(estimator) else _not_finite
        )
        deviates = distribution and not is_classifier(estimator)
        linear = None if interval or frame or deviates else linear_of(estimator)
        self.tolerance: float = 0.0 if linear else ROUNDING
        self._estimates: Estimates = estimates_of(self._given, linear, self._rows)
        self.slopes: Mapping[str, float] | None = _slopes(linear, inputs)
        self.level: float | None = interval if isinstance(interval, float | int) else None
        outputs = self._estimates.outputs.values()
        self._certain: bool = all(f.dtype.kind != "f" and f.kind == ARRAY for f in outputs)
        self._looks: bool = linear is None or self._certain
        self.signature: Signature = Signature(
            inputs, self._estimates.outputs, self._estimates.uncertainty
        )
        self.digest: str = _digest(self._given)

    def predict(self, batch: Batch) -> Batch:
        """The outputs.

        A row with an infinite feature, or with NaN if the estimator admits no missing values, gets NaN, and a label that
        means nothing; the other rows are answered.

        Raises:
            ModelError: there is such a row, and no output could say so: there are labels alone.
        """
        if self._rows is None:
            return self._framed(batch)
        rows = self._rows.of(batch)
        if not len(rows):
            return self._estimates.nobody()
        if self._looks:
            holes = self._hollow(rows)
            if holes.any():
                return Batch(self._despite(rows, holes))
        found = self._estimates.of(rows)
        length = rows.shape[:1]
        for name, column in found.items():
            if column.shape[:1] != length:
                return Batch(found)  # which says what is wrong
            found[name] = frozen(column) if isinstance(column, np.ndarray) else column
        return Batch.adopt(found, length[0])

    def _framed(self, batch: Batch) -> Batch:
        if not len(batch):
            return self._estimates.nobody()
        wanted = as_wanted(batch.select(*self._names), self.signature.inputs)
        return Batch(self._estimates.of(wanted.to_pandas()))

    def _despite(self, rows: Array, holes: NDArray[np.bool_]) -> Columns:
        bad = np.logical_or.reduce(holes, axis=1)
        if self._certain:
            row, feature = np.argwhere(holes)[0]
            raise ModelError(
                f"row {row}: feature {feature} is {rows[row, feature]}, which the estimator does not admit"
            )
        columns = self._estimates.of(np.where(bad[:, None], 0.0, rows))
        for name, column in columns.items():
            columns[name] = hollowed(column, bad)
        return columns

    def recipe(self) -> Recipe:
        """How another process makes it: from what skops writes, which runs nothing when it is read.

        Raises:
            ModelError: skops has no safe form of part of it, or that part is not in a module.
        """
        data = skops.dumped(self._given)
        trusted = skops.findable(skops.strangers(data))
        return Recipe(f"{__name__}:from_dump", (data, trusted))


def from_sklearn(
    estimator: Any,
    *,
    inputs: Schema | Iterable[str] | None = None,
    positive: Any = None,
    interval: Interval | None = None,
    frame: bool | None = None,
    distribution: bool = False,
) -> SklearnModel:
    """A model from a fitted estimator or pipeline of scikit-learn (extra `sklearn`). Do not fit it any further.

    A regressor gives `value`. A classifier gives the label as `value`, and `probabilities` of its classes in the order of
    `classes_`, if it knows them. Linear models, and pipelines of StandardScalers and one, are computed with numpy (see
    `rxml.models.adapters.linear`).

    Args:
        estimator: fitted.
        inputs: names of features, all float64, or a schema whose fields are numbers, vectors of numbers or, for a
            pipeline that takes a DataFrame, anything. None: the names that the estimator was fitted with, or one vector
            `features` of shape (k,).
        positive: a class: the value is then its probability, and nothing else is given.
        interval: bounds for a regressor. Two fitted estimators, of the lower and of the upper quantile; or a level, such
            as 0.9, for one whose `predict` has `return_std` (BayesianRidge, ARDRegression, GaussianProcessRegressor).
        frame: whether it takes a pandas.DataFrame (extra `pandas`); by itself, if an input is no number.
        distribution: the value is a distribution: a `Normal` of a regressor whose `predict` has `return_std`; of a
            classifier that knows probabilities a `Categorical`, and the label is the output `label`.

    Raises:
        PipelineError: it is not fitted, does not predict, its features are others, or it knows no such class or interval.
    """
    if not hasattr(estimator, "predict"):
        raise PipelineError(f"from_sklearn wants an estimator that predicts, got {estimator!r}")
    fitted.require(estimator)
    schema = fitted.inputs_of(estimator, inputs)
    framed = frame if frame is not None else not all(numeric(f.dtype) for f in schema.values())
    if framed and any(field.shape for field in schema.values()):
        raise PipelineError("an estimator that takes a DataFrame has scalar inputs, got a vector")
    if isinstance(interval, float | int) and not 0 < interval < 1:
        raise PipelineError(f"the level of an interval is between 0 and 1, got {interval!r}")
    if distribution and not (positive is None and interval is None):
        raise PipelineError("distribution= tells all: leave out positive= and interval=")
    return SklearnModel(
        estimator,
        schema,
        positive=positive,
        interval=interval,
        frame=framed,
        distribution=distribution,
    )


def from_skops(
    data: bytes,
    *,
    trusted: Iterable[str] = (),
    inputs: Schema | Iterable[str] | None = None,
    positive: Any = None,
    frame: bool | None = None,
) -> SklearnModel:
    """A model from a file that skops wrote of an estimator; reading it runs nothing but scikit-learn's own constructors.

    Args:
        data: the file.
        trusted: types that may be made beside those of scikit-learn that skops knows to be harmless.
        inputs: see `from_sklearn`.
        positive: see `from_sklearn`.
        frame: see `from_sklearn`.

    Raises:
        ModelError: it is damaged, or holds types that are not trusted.
        PipelineError: see `from_sklearn`.
    """
    estimator = skops.loaded(data, trusted)
    return from_sklearn(estimator, inputs=inputs, positive=positive, frame=frame)


def from_dump(data: bytes, trusted: Iterable[str]) -> SklearnModel:
    """The model that a recipe tells of.

    Args:
        data: of skops.
        trusted: types that may be made.

    Raises:
        ModelError: the bytes are damaged, or hold other types.
    """
    given: dict[str, Any] = skops.loaded(data, trusted)
    interval: Any = given["interval"]
    return SklearnModel(
        given["estimator"],
        schema_from(given["inputs"]),
        positive=given["positive"],
        interval=interval,
        frame=given["frame"],
        distribution=given.get("distribution", False),
    )


def _slopes(linear: Linear | None, inputs: Schema) -> Mapping[str, float] | None:
    found = None if linear is None else linear.slopes()
    if found is None or any(field.shape for field in inputs.values()):
        return None
    return dict(zip(inputs, found.tolist(), strict=True))


def _not_finite(rows: Array) -> Any:
    return np.logical_not(np.isfinite(rows))


def _digest(given: dict[str, Any]) -> str:
    try:
        data = skops.dumped(given)
        skops.strangers(data)
        return skops.digest(data)
    except (ModelError, ModuleNotFoundError):
        return ""
