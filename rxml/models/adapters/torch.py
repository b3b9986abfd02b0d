"""A module of PyTorch as a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np

from rxml.batch import Batch, Field, Schema
from rxml.batch.extras import extra_module
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters.recipes import (
    digest_of,
    form_of,
    is_mapping,
    is_series,
    made_by,
    schema_from,
)
from rxml.models.columns import Rows, empty
from rxml.models.model import Recipe
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

ROUNDING: Final = 1e-5


class TorchModel:
    """A model whose work is a module of PyTorch; see `from_torch`.

    Attributes:
        signature: what it wants and gives.
        digest: of the names and bytes of its parameters and buffers, and of the class's name; "" without safetensors.
        tolerance: how much of the largest output the rows beside a row may change in its own.
    """

    def __init__(
        self, module: Any, inputs: Schema, outputs: tuple[str, ...], factory: str, device: str
    ) -> None:
        self._torch: Any = extra_module("torch", "torch")
        self._module: Any = module.to(device).eval()
        self._told: tuple[Any, ...] = (form_of(inputs), list(outputs), factory, device)
        self._device: str = device
        self._fields: tuple[Field, ...] = tuple(inputs.values())
        scalars = not any(field.shape for field in self._fields)
        self._rows: Rows | None = Rows(inputs, _float(inputs)) if scalars else None
        given = self._gives(outputs)
        self.signature: Signature = Signature(inputs, given)
        self.digest: str = _digest(module)
        self.tolerance: float = ROUNDING

    def predict(self, batch: Batch) -> Batch:
        """The outputs.

        Raises:
            ModelError: the module gives another number of rows than it got, or other outputs.
        """
        count = len(batch)
        if not count:
            return empty(self.signature.outputs)
        if self._rows is not None:
            fed = [self._rows.of(batch)]
        else:
            fed = [np.asarray(batch[f.name], f.dtype) for f in self._fields]
        fields = self.signature.outputs
        given = self._run(fed)
        if len(given) != len(fields) or any(len(column) != count for column in given.values()):
            shapes = {name: column.shape for name, column in given.items()}
            raise ModelError(
                f"the module gave {shapes} for {count} rows and outputs {list(fields)}"
            )
        columns = zip(fields.values(), given.values(), strict=True)
        return Batch({field.name: column.reshape(count, *field.shape) for field, column in columns})

    def _run(self, fed: Sequence[Array]) -> dict[str, Array]:
        torch = self._torch
        with torch.inference_mode():
            # copied: torch warns of arrays that it may not write to
            tensors = [torch.tensor(each, device=self._device) for each in fed]
            return _arrays(self._module(*tensors))

    def _gives(self, outputs: tuple[str, ...]) -> Schema:
        """What comes of two rows of zeros."""
        if self._rows is not None:
            fed = [np.zeros((2, self._rows.width), self._rows.dtype)]
        else:
            fed = [np.zeros((2, *field.shape), field.dtype) for field in self._fields]
        given = self._run(fed)
        names = outputs or tuple(given)
        if len(names) != len(given):
            raise PipelineError(f"the module gives {len(given)} outputs, {len(names)} are named")
        pairs = zip(names, given.values(), strict=True)
        return Schema(_told(name, column) for name, column in pairs)

    def recipe(self) -> Recipe:
        """How another process makes it: by the factory, and the state of this module as safetensors.

        Raises:
            ModelError: no factory was given.
        """
        if not self._told[2]:
            raise ModelError(
                "safetensors holds the state of a module and not its code: give from_torch(factory='module:function'), "
                "which makes the module"
            )
        return Recipe(f"{__name__}:from_state", (_state(self._module), *self._told))


def from_torch(
    module: Any,
    *,
    inputs: Schema | Iterable[str],
    outputs: Iterable[str] = (),
    factory: str = "",
    device: str = "cpu",
) -> TorchModel:
    """A model from a module of PyTorch (extra `torch`); the module is set to evaluate. Do not train it any further.

    Scalar inputs become one tensor of shape (n, k); as soon as one is a vector, each is a tensor of its own, in order. What
    the module gives, a tensor, a tuple or a dict of some, is looked at with two rows of zeros; shape (n, 1) is a scalar.

    Args:
        module: a `torch.nn.Module`.
        inputs: names of scalar features, all float32, or a schema of numbers.
        outputs: names of what it gives, in order; `value` for one, and the keys of a dict, unless told otherwise.
        factory: `module:function` that makes a module with the same parameters in another process.
        device: where it runs.

    Raises:
        PipelineError: it is no module, an input is no number, or it gives other outputs than are named.
    """
    torch = extra_module("torch", "torch")
    if not isinstance(module, torch.nn.Module):
        raise PipelineError(f"from_torch wants a torch.nn.Module, got {module!r}")
    schema = inputs if isinstance(inputs, Schema) else Schema(Field(n, np.float32) for n in inputs)
    odd = next((field for field in schema.values() if field.dtype.kind not in "biuf"), None)
    if odd is not None:
        raise PipelineError(f"input {odd.name!r} is {odd.form}: tensors hold numbers")
    return TorchModel(module, schema, tuple(outputs), factory, device)


def from_state(
    state: bytes, inputs: Any, outputs: list[str], factory: str, device: str
) -> TorchModel:
    """The model that a recipe tells of.

    Args:
        state: of the module, as safetensors.
        inputs: form of the schema.
        outputs: see `from_torch`.
        factory: `module:function`.
        device: where it runs.

    Raises:
        ModelError: there is no such function, or what it makes has other parameters.
    """
    module = made_by(factory)
    try:
        module.load_state_dict(extra_module("safetensors.torch", "safetensors").load(state))
    except Exception as error:
        raise ModelError(f"what {factory} makes does not take this state: {error}") from error
    return TorchModel(module, schema_from(inputs), tuple(outputs), factory, device)


def _arrays(given: Any) -> dict[str, Array]:
    if is_mapping(given):
        named = given
    elif is_series(given):
        named = {f"output{i}": each for i, each in enumerate(given)}
    else:
        named = {"value": given}
    return {name: tensor.cpu().numpy() for name, tensor in named.items()}


def _told(name: str, column: Array) -> Field:
    if not column.ndim or len(column) != 2:
        raise PipelineError(
            f"output {name!r} has shape {column.shape} for two rows: a model of rows gives one for each"
        )
    shape = column.shape[1:]
    return Field(name, column.dtype, () if shape == (1,) else shape)


def _float(inputs: Schema) -> Any:
    return np.result_type(*(field.dtype for field in inputs.values()))


def _state(module: Any) -> bytes:
    tensors = {name: each.detach().cpu().clone() for name, each in module.state_dict().items()}
    plain = {name: each.contiguous() for name, each in tensors.items()}
    data: bytes = extra_module("safetensors.torch", "safetensors").save(plain)
    return data


def _digest(module: Any) -> str:
    kind = cast("type[object]", type(module))
    try:
        state = _state(module)
    except ModuleNotFoundError:
        return ""
    return digest_of(f"{kind.__module__}:{kind.__qualname__}".encode(), state)
