"""Linear models as arrays: what a regression has learnt, without the library that it has learnt with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from rxml.batch import Batch, Field, Schema
from rxml.errors import ArtefactError
from rxml.models.artefacts.arrays import (
    read_npz,
    read_safetensors,
    write_npz,
    write_safetensors,
)
from rxml.models.artefacts.digests import digest_of
from rxml.models.artefacts.limits import LIMITS
from rxml.models.model import Recipe
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

Link: TypeAlias = Literal["identity", "logistic"]
"""What is made of the weighted sum: nothing, or 1 / (1 + exp(-sum))."""

ArrayForm: TypeAlias = Literal["npz", "safetensors"]

_LOADER: Final = "rxml.models.artefacts.linear:linear_of"
_WEIGHTS: Final = "coefficients"
_INTERCEPT: Final = "intercept"


class LinearModel:
    """`link(intercept + sum of coefficient_i * feature_i)`, one output `value` of float64; see `linear`.

    The sum is taken feature by feature, so that a row's result is the same to the bit whatever stands beside it (law L60).

    Attributes:
        signature: one input a coefficient.
        digest: of `data`.
        data: the file with its arrays.
        form: of that file.
    """

    def __init__(self, data: bytes, form: ArrayForm, names: Sequence[str], link: Link) -> None:
        weights, self._intercept = _parts(_read(data, form))
        if len(names) != len(weights):
            raise ArtefactError(
                f"there are {len(weights)} coefficients for the inputs {tuple(names)}"
            )
        if link not in _LINKS:
            raise ArtefactError(f"a link is one of {tuple(_LINKS)}, got {link!r}")
        self._terms = list(zip(names, weights.tolist(), strict=True))
        self._link = link
        self.data: bytes = data
        self.form: ArrayForm = form
        inputs = Schema(Field(name, "float64") for name in names)
        self.signature: Signature = Signature(inputs, Schema([Field("value", "float64")]))
        self.digest: str = digest_of(data)

    def predict(self, batch: Batch) -> Batch:
        """One `value` for each row."""
        total = np.full(len(batch), self._intercept)
        for name, weight in self._terms:
            total += np.multiply(batch[name], weight, dtype=np.float64, casting="same_kind")
        return Batch({"value": _LINKS[self._link](total)})

    def recipe(self) -> Recipe:
        """How another process makes it."""
        return Recipe(_LOADER, (self.data, self.form, list(self.signature.inputs), self._link))


def linear(
    coefficients: Mapping[str, float],
    intercept: float = 0.0,
    *,
    link: Link = "identity",
    form: ArrayForm = "npz",
) -> LinearModel:
    """A linear or logistic regression from its numbers.

    Args:
        coefficients: by the name of the feature.
        intercept: the sum for features that are all 0.
        link: "identity" for a regression, "logistic" for the probability of a class.
        form: of the file in which the model is kept; "safetensors" needs the extra.

    Raises:
        ArtefactError: there is no coefficient, or a number is not finite.
    """
    arrays = {
        _WEIGHTS: np.asarray(list(coefficients.values()), np.float64),
        _INTERCEPT: np.asarray([intercept], np.float64),
    }
    write = write_npz if form == "npz" else write_safetensors
    return LinearModel(write(arrays), form, tuple(coefficients), link)


def linear_of(data: bytes, form: ArrayForm, names: Sequence[str], link: Link) -> LinearModel:
    """The model whose recipe has these arguments.

    Raises:
        ArtefactError: they are not such.
    """
    return LinearModel(data, form, names, link)


def _read(data: bytes, form: str) -> dict[str, NDArray[Any]]:
    if form not in {"npz", "safetensors"}:
        raise ArtefactError(f"arrays are in npz or safetensors, got {form!r}")
    return read_npz(data, LIMITS) if form == "npz" else read_safetensors(data)


def _parts(arrays: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float64], float]:
    """Coefficients of shape (k,) and the intercept."""
    if _WEIGHTS not in arrays:
        raise ArtefactError(
            f"a linear model has arrays {_WEIGHTS!r} and {_INTERCEPT!r}, got {sorted(arrays)}"
        )
    weights = _numbers(arrays[_WEIGHTS], _WEIGHTS)
    intercept = _numbers(arrays.get(_INTERCEPT, np.zeros(1)), _INTERCEPT)
    if not weights.size or intercept.size != 1:
        raise ArtefactError(
            f"a linear model has 1 or more coefficients and one intercept, got {weights.size} and {intercept.size}"
        )
    return weights, float(intercept[0])


def _numbers(array: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(array).ravel().astype(np.float64, casting="same_kind")
    except TypeError as error:
        raise ArtefactError(f"array {name!r} holds no real numbers: {error}") from error
    if not np.isfinite(numbers).all():
        raise ArtefactError(f"array {name!r} holds a number that is not finite")
    return numbers


def _logistic(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow where x is far below 0."""
    small = np.exp(-np.abs(total))
    return np.where(total >= 0, 1.0, small) / (1.0 + small)


_LINKS: Final[Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = {
    "identity": partial(np.asarray, dtype=np.float64),
    "logistic": _logistic,
}
