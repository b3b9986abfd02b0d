"""What is asked of an estimator of scikit-learn for rows, and what columns it becomes."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

import numpy as np

from rxml.batch import Batch, Field, Schema
from rxml.batch.extras import extra_module
from rxml.errors import PipelineError
from rxml.models.columns import empty
from rxml.models.signature import BOUNDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rxml.models.adapters.linear import Linear
    from rxml.models.signature import Uncertainty
    from rxml.uncertain.rows import Rows

    Array: TypeAlias = NDArray[Any]
    Columns: TypeAlias = dict[str, Array | Rows]

VALUE: Final = "value"
SHARES: Final = "probabilities"


class Engine(Protocol):
    """Computes."""

    def values(self, rows: Any) -> Array:
        """A number for each row, or several."""
        ...

    def positive(self, rows: Any, index: int) -> Array:
        """The probability of one class, shape (n,)."""
        ...

    def both(self, rows: Any) -> tuple[Array, Array | None]:
        """Labels of shape (n,), and the probabilities of all classes, shape (n, c), if it knows them."""
        ...


class Asked:
    """An estimator, asked as its library does.

    Args:
        estimator: fitted.
        likely: whether it gives probabilities.
    """

    def __init__(self, estimator: Any, *, likely: bool = False) -> None:
        self._estimator: Any = estimator
        self._likely: bool = likely

    def values(self, rows: Any) -> Array:
        """See `Engine`."""
        return np.asarray(self._estimator.predict(rows))

    def positive(self, rows: Any, index: int) -> Array:
        """See `Engine`."""
        return np.ascontiguousarray(self._estimator.predict_proba(rows)[:, index])

    def both(self, rows: Any) -> tuple[Array, Array | None]:
        """See `Engine`."""
        return self.values(rows), self._estimator.predict_proba(rows) if self._likely else None


class Summed:
    """A linear model, computed here."""

    def __init__(self, linear: Linear, classes: Array | None) -> None:
        self._linear: Linear = linear
        self._classes: Array | None = classes

    def values(self, rows: Any) -> Array:
        """See `Engine`."""
        return self._linear.sums(rows)

    def positive(self, rows: Any, index: int) -> Array:
        """See `Engine`."""
        linear = self._linear
        sums = linear.sums(rows)
        if sums.ndim == 1:
            share = linear.positive(sums)
            return share if index else 1 - share
        return np.ascontiguousarray(linear.probabilities(sums)[:, index])

    def both(self, rows: Any) -> tuple[Array, Array | None]:
        """See `Engine`."""
        linear = self._linear
        sums = linear.sums(rows)
        labels = cast("Array", self._classes)[linear.chosen(sums)]
        return labels, linear.probabilities(sums) if linear.squash else None


class Estimates:
    """What a model of scikit-learn gives for rows.

    Attributes:
        outputs: their names and forms.
        uncertainty: that they express.
        of: columns by name for the rows.
        none: of no rows; None: such as the outputs say.
    """

    def __init__(
        self,
        outputs: Schema,
        uncertainty: Uncertainty,
        of: Callable[[Any], Columns],
        none: Columns | None = None,
    ) -> None:
        self.outputs: Schema = outputs
        self.uncertainty: Uncertainty = uncertainty
        self.of: Callable[[Any], Columns] = of
        self._none = none

    def nobody(self) -> Batch:
        """No rows of the outputs."""
        return empty(self.outputs) if self._none is None else Batch(self._none)


def of_class(engine: Engine, classes: Array, index: int) -> Estimates:
    """The probability of one class as the value."""
    if not 0 <= index < len(classes):
        raise PipelineError(f"there is no class {index} of {len(classes)}")
    outputs = Schema([Field(VALUE, np.float64)])
    return Estimates(outputs, "none", lambda rows: {VALUE: engine.positive(rows, index)})


def of_classes(engine: Engine, classes: Array, *, likely: bool) -> Estimates:
    """The label as the value, and the probabilities beside it, if the estimator knows them."""
    textual = classes.dtype.kind in "USO"
    fields = [Field(VALUE, str if textual else classes.dtype)]
    if likely:
        fields.append(Field(SHARES, np.float64, (len(classes),)))

    def of(rows: Any) -> Columns:
        labels, shares = engine.both(rows)
        columns: Columns = {VALUE: labels.astype(object) if textual else labels}
        if shares is not None:
            columns[SHARES] = shares.astype(float, copy=False)
        return columns

    return Estimates(Schema(fields), "none", of)


def of_values(engine: Engine, sample: Array) -> Estimates:
    """What the estimator predicts, of the form of a sample of shape (n, ...)."""
    field = Field(VALUE, sample.dtype, sample.shape[1:])
    return Estimates(Schema([field]), "none", lambda rows: {VALUE: engine.values(rows)})


def bounded(value: Callable[[Any], Array], bounds: tuple[Any, Any]) -> Estimates:
    """A value between what two other estimators predict: its quantiles. Where they cross, they change places."""
    low, high = bounds

    def of(rows: Any) -> Columns:
        ends = np.sort([low.predict(rows), high.predict(rows)], axis=0)
        return _interval(value(rows), ends[0], ends[1])

    return Estimates(_bounds_schema(), "interval", of)


def spread(estimator: Any, level: float) -> Estimates:
    """A value with the interval of a normal distribution about it, which the estimator gives the deviation of."""
    reach: float = extra_module("scipy.special", "sklearn").ndtri((1 + level) / 2)

    def of(rows: Any) -> Columns:
        mean, deviation = estimator.predict(rows, return_std=True)
        return _interval(mean, mean - reach * deviation, mean + reach * deviation)

    return Estimates(_bounds_schema(), "interval", of)


def _interval(value: Array, low: Array, high: Array) -> Columns:
    columns = (value, low, high)
    return {
        name: np.asarray(column, float)
        for name, column in zip((VALUE, *BOUNDS), columns, strict=True)
    }


def _bounds_schema() -> Schema:
    return Schema(Field(name, np.float64) for name in (VALUE, *BOUNDS))


def nameless(value: Any) -> Any:
    """An estimator that does not ask for the names of features, which a matrix has not; what needs no change is shared."""
    kind = cast("type[object]", type(value))
    if kind is list:
        return [nameless(each) for each in value]
    if kind is tuple:
        return tuple(map(nameless, value))
    if kind is dict:
        return _all_nameless(value)
    if not isinstance(value, extra_module("sklearn.base", "sklearn").BaseEstimator):
        return value
    changed: Any = copy(value)
    changed.__dict__ = _all_nameless(changed.__dict__)
    changed.__dict__.pop("feature_names_in_", None)
    return changed


def _all_nameless(values: dict[str, Any]) -> dict[str, Any]:
    return {name: nameless(each) for name, each in values.items()}
