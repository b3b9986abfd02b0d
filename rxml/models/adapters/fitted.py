"""What a fitted estimator of scikit-learn tells of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch import Field, Schema
from rxml.batch.extras import extra_module
from rxml.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable

FEATURES: Final = "features"


def inputs_of(estimator: Any, given: Schema | Iterable[str] | None) -> Schema:
    """The features that it wants: those named, if it wants so many and these, in its order; else those it was fitted with.

    Raises:
        PipelineError: it was fitted with others, or tells nothing and none are named.
    """
    names: list[str] | None = _names(estimator)
    width: int | None = getattr(estimator, "n_features_in_", None)
    if given is None and names is not None:
        return Schema(Field(name, np.float64) for name in names)
    if given is None and width is not None:
        return Schema([Field(FEATURES, np.float64, (width,))])
    if given is None:
        raise PipelineError(f"{type(estimator).__name__} does not tell its features: give inputs")
    schema = given if isinstance(given, Schema) else Schema(Field(n, np.float64) for n in given)
    wide = sum(field.shape[0] if field.shape else 1 for field in schema.values())
    if width is not None and wide != width:
        raise PipelineError(f"the estimator was fitted with {width} features, inputs has {wide}")
    if names is None or any(field.shape for field in schema.values()):
        return schema
    if set(names) != set(schema):
        raise PipelineError(f"the estimator was fitted with {names}, inputs are {list(schema)}")
    return Schema(schema[name] for name in names)


def _names(estimator: Any) -> list[str] | None:
    names: Any = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def require(estimator: Any) -> None:
    """Check that it is fitted.

    Raises:
        PipelineError: it is not.
    """
    library = extra_module("sklearn.utils.validation", "sklearn")
    unfitted: type[Exception] = extra_module("sklearn.exceptions", "sklearn").NotFittedError
    try:
        library.check_is_fitted(estimator)
    except (TypeError, unfitted) as error:
        raise PipelineError(f"from_sklearn wants a fitted estimator: {error}") from error


def allows_nan(estimator: Any) -> bool:
    """Whether it admits missing values."""
    return bool(extra_module("sklearn.utils", "sklearn").get_tags(estimator).input_tags.allow_nan)
