"""A Python function as a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import TypeIs

from rxml.batch import Batch, Field, Schema
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters.recipes import form_of, path_of, resolved, schema_from
from rxml.models.columns import as_wanted
from rxml.models.model import Recipe
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.models.signature import Uncertainty


class FunctionModel:
    """A model whose work is a function; see `from_function`.

    Attributes:
        signature: what it wants and gives.
        digest: as given.
    """

    def __init__(
        self, function: Callable[[Batch], Any], signature: Signature, digest: str = ""
    ) -> None:
        self.function: Callable[[Batch], Any] = function
        self.signature: Signature = signature
        self.digest: str = digest
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
            (path_of(self.function), *forms, signature.uncertainty, self.digest),
        )


def _is_tuple(value: object) -> TypeIs[tuple[Any, ...]]:
    return isinstance(value, tuple)


def from_name(
    name: str, inputs: Any, outputs: Any, uncertainty: Uncertainty, digest: str
) -> FunctionModel:
    """The model that a recipe tells of.

    Args:
        name: of the function, `module:qualname`.
        inputs: form of the schema.
        outputs: form of the schema.
        uncertainty: that the outputs express.
        digest: as given.

    Raises:
        ModelError: there is no such function.
    """
    return from_function(
        resolved(name),
        inputs=schema_from(inputs),
        outputs=schema_from(outputs),
        uncertainty=uncertainty,
        digest=digest,
    )


def from_function(
    function: Callable[[Batch], Any],
    *,
    inputs: Schema,
    outputs: Schema | None = None,
    uncertainty: Uncertainty = "none",
    digest: str = "",
) -> FunctionModel:
    """A model from a function of a batch.

    Args:
        function: from a `Batch` with the inputs to one with the outputs, or to an array of shape (n, ...), or to a tuple of
            arrays, one an output.
        inputs: what it wants: `Schema.of(area="float64", rooms="int64")`.
        outputs: what it gives; `value`, a float64, unless told otherwise.
        uncertainty: that the outputs express.
        digest: what tells this model from others; a function has none of its own.

    Raises:
        PipelineError: it is no function, or the signature contradicts itself.
    """
    if not callable(function):
        raise PipelineError(f"from_function wants a function of a Batch, got {function!r}")
    outputs = Schema([Field("value", "float64")]) if outputs is None else outputs
    return FunctionModel(function, Signature(inputs, outputs, uncertainty), digest)
