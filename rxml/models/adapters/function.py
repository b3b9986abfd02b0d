"""A Python function as a model."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import TypeIs

from rxml.batch import Batch, Field, Schema
from rxml.batch.schema import ARRAY
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters.recipes import form_of, path_of, resolved, schema_from
from rxml.models.columns import as_wanted
from rxml.models.model import Recipe
from rxml.models.signature import Signature, may_be_uncertain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.models.signature import Uncertainty


class FunctionModel:
    """A model whose work is a function; see `from_function`.

    Attributes:
        signature: what it wants and gives.
        digest: as given.
        slopes: of a linear function, by input; None if it is none.
    """

    def __init__(
        self,
        function: Callable[[Batch], Any],
        signature: Signature,
        digest: str = "",
        slopes: Mapping[str, float] | None = None,
    ) -> None:
        self.function: Callable[[Batch], Any] = function
        self.signature: Signature = signature
        self.digest: str = digest
        self.slopes: Mapping[str, float] | None = slopes
        self._arrays = all(field.kind == ARRAY for field in signature.outputs.values())
        self.__name__: str = getattr(function, "__name__", type(function).__name__)

    def predict(self, batch: Batch) -> Batch:
        """What the function gives; an array, or a tuple of some, as the outputs in order."""
        result = self.function(as_wanted(batch, self.signature.inputs))
        if isinstance(result, Batch):
            return result
        outputs = self.signature.outputs
        columns = result if _is_tuple(result) else (result,)
        if len(columns) != len(outputs):
            raise ModelError(
                f"{self.__name__} gave {len(columns)} columns for the outputs {tuple(outputs)}"
            )
        if not self._arrays:
            return Batch(dict(zip(outputs, columns, strict=True)))
        return Batch(
            {
                field.name: np.asarray(column, field.dtype)
                for field, column in zip(outputs.values(), columns, strict=True)
            }
        )

    def recipe(self) -> Recipe:
        """How another process makes it: it imports the function by its name.

        Raises:
            ModelError: the function has no name there: it is a lambda, a local one, or in `__main__`.
        """
        signature = self.signature
        forms = form_of(signature.inputs), form_of(signature.outputs)
        return Recipe(
            f"{__name__}:from_name",
            (path_of(self.function), *forms, signature.uncertainty, self.digest, *self._linear()),
        )

    def _linear(self) -> list[Any]:
        return [] if self.slopes is None else [dict(self.slopes)]


def _is_tuple(value: object) -> TypeIs[tuple[Any, ...]]:
    return isinstance(value, tuple)


def from_name(  # noqa: PLR0917 - what a recipe says, in order
    name: str,
    inputs: Any,
    outputs: Any,
    uncertainty: Uncertainty,
    digest: str,
    linear: Mapping[str, float] | None = None,
) -> FunctionModel:
    """The model that a recipe tells of.

    Args:
        name: of the function, `module:qualname`.
        inputs: form of the schema.
        outputs: form of the schema.
        uncertainty: that the outputs express.
        digest: as given.
        linear: see `from_function`.

    Raises:
        ModelError: there is no such function.
    """
    return from_function(
        resolved(name),
        inputs=schema_from(inputs),
        outputs=schema_from(outputs),
        uncertainty=uncertainty,
        digest=digest,
        linear=linear,
    )


def from_function(
    function: Callable[[Batch], Any],
    *,
    inputs: Schema,
    outputs: Schema | None = None,
    uncertainty: Uncertainty = "none",
    digest: str = "",
    linear: Mapping[str, float] | None = None,
) -> FunctionModel:
    """A model from a function of a batch.

    Args:
        function: from a `Batch` with the inputs to one with the outputs, or to an array of shape (n, ...) or a column of
            distributions, or to a tuple of them, one an output.
        inputs: what it wants: `Schema.of(area="float64", rooms="int64")`.
        outputs: what it gives; `value`, a float64, unless told otherwise.
        uncertainty: that the outputs express.
        digest: what tells this model from others; a function has none of its own.
        linear: the slope of each input, if the value is a weighted sum of them and a constant: distributions then go
            through it in closed form (`ops.score(propagate=)`). It is declared, not checked.

    Raises:
        PipelineError: it is no function, the signature contradicts itself, or slopes are not of its inputs.
    """
    if not callable(function):
        raise PipelineError(f"from_function wants a function of a Batch, got {function!r}")
    outputs = Schema([Field("value", "float64")]) if outputs is None else outputs
    signature = Signature(inputs, outputs, uncertainty)
    return FunctionModel(function, signature, digest, _slopes(linear, signature))


def _slopes(linear: Mapping[str, float] | None, signature: Signature) -> Mapping[str, float] | None:
    if linear is None:
        return None
    wanted = {name for name, field in signature.inputs.items() if may_be_uncertain(field)}
    if set(linear) != wanted or not all(map(isfinite, linear.values())):
        raise PipelineError(
            f"linear= wants a finite slope of each float input {sorted(wanted)}, got {dict(linear)}"
        )
    return dict(linear)
