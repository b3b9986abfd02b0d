"""An ONNX file as a model, run by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np

from rxml.batch import Batch, Field, Schema
from rxml.batch.extras import extra_module
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters.recipes import digest_of, is_mapping
from rxml.models.columns import Rows, empty
from rxml.models.model import Recipe
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Names: TypeAlias = Mapping[str, str] | Iterable[str]

_DTYPES: Final[dict[str, Any]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(bool)": np.bool_,
    "tensor(string)": str,
} | {
    f"tensor({sign}int{bits})": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
ROUNDING: Final = 1e-5


@dataclass(frozen=True, slots=True)
class _Tensor:
    """An input of the graph.

    Attributes:
        name: in the graph.
        dtype: of its elements.
        shape: of one row of it.
        rows: how many it takes at a time; 0 for any number.
    """

    name: str
    dtype: Any
    shape: tuple[int, ...]
    rows: int


class OnnxModel:
    """A model whose work is a graph of ONNX; see `from_onnx`.

    Attributes:
        signature: what it wants and gives.
        digest: of the file's bytes.
        tolerance: how much of the largest output the rows beside a row may change in its own.
    """

    def __init__(
        self,
        data: bytes,
        features: tuple[str, ...],
        outputs: Mapping[str, str],
        *,
        threads: int,
        providers: Sequence[str],
    ) -> None:
        self._data: bytes = data
        self._told: tuple[Any, ...] = (list(features), dict(outputs), threads, list(providers))
        self._session: Any = _session(data, threads, providers)
        self._tensors: tuple[_Tensor, ...] = tuple(map(_tensor, self._session.get_inputs()))
        inputs = _fields(self._tensors, features)
        self._rows: Rows | None = Rows(inputs, self._tensors[0].dtype) if features else None
        self._size: int = _size(self._tensors)
        names: tuple[str, ...] = tuple(each.name for each in self._session.get_outputs())
        self._outputs: Mapping[str, str] = _chosen(outputs, names)
        self._classes: dict[str, list[Any]] = {}
        given = self._gives()
        self.signature: Signature = Signature(inputs, given)
        self.digest: str = digest_of(data)
        self.tolerance: float = ROUNDING

    @property
    def classes(self) -> dict[str, list[Any]]:
        """The labels that the columns of an output stand for, by its name, where the graph gives probabilities by label."""
        return {self._outputs[name]: list(labels) for name, labels in self._classes.items()}

    def predict(self, batch: Batch) -> Batch:
        """The outputs.

        Raises:
            ModelError: the graph refuses the rows, or gives another number of rows than it got.
        """
        count = len(batch)
        if not count:
            return empty(self.signature.outputs)
        columns = self._pieces(self._fed(batch), count)
        fields = self.signature.outputs
        return Batch(
            {
                name: self._formed(column, fields[name], count)
                for name, column in zip(fields, columns, strict=True)
            }
        )

    def _fed(self, batch: Batch) -> dict[str, Array]:
        if self._rows is not None:
            return {self._tensors[0].name: self._rows.of(batch)}
        return {
            t.name: np.ascontiguousarray(batch[t.name], _dtype(t)).reshape(len(batch), *t.shape)
            for t in self._tensors
        }

    def _pieces(self, feed: dict[str, Array], count: int) -> list[Array]:
        size = self._size
        if not size or size == count:
            return self._run(feed)
        pieces = [
            self._run({name: _piece(column, start, size) for name, column in feed.items()})
            for start in range(0, count, size)
        ]
        return [np.concatenate(column)[:count] for column in zip(*pieces, strict=True)]

    def _run(self, feed: dict[str, Array]) -> list[Array]:
        try:
            given = self._session.run(list(self._outputs), feed)
        except Exception as error:
            raise ModelError(f"ONNX Runtime refuses the rows: {error}") from error
        return [self._tabled(*pair) for pair in zip(self._outputs, given, strict=True)]

    def _tabled(self, name: str, given: Any) -> Array:
        """An output as an array; a row's mapping from labels to numbers as the numbers of the labels in order."""
        if not isinstance(given, list):
            return np.asarray(given)
        rows = cast("list[dict[Any, float]]", given)
        labels = self._classes.setdefault(name, sorted(rows[0]))
        return np.array([[row[label] for label in labels] for row in rows], np.float32)

    def _gives(self) -> Schema:
        """What comes of two rows of zeros, whose first dimension is that of rows: graphs often leave it unsaid."""
        count = self._size or 2
        zeros = {t.name: _zeros(t, count) for t in self._tensors}
        return Schema(
            _told(name, column, count)
            for name, column in zip(self._outputs.values(), self._run(zeros), strict=True)
        )

    def _formed(self, column: Array, field: Field, count: int) -> Array:
        if len(column) != count:
            raise ModelError(f"output {field.name!r} has {len(column)} rows for {count}")
        return column.reshape(count, *field.shape)

    def recipe(self) -> Recipe:
        """How another process makes it: from the file's bytes."""
        return Recipe(f"{__name__}:from_bytes", (self._data, *self._told))


def from_onnx(
    path_or_bytes: str | Path | bytes,
    *,
    features: Iterable[str] = (),
    outputs: Names = (),
    threads: int = 1,
    providers: Sequence[str] = ("CPUExecutionProvider",),
) -> OnnxModel:
    """A model from an ONNX file, or from its bytes (extra `onnx`).

    Its inputs and outputs are those of the graph, by name; tensors of shape (n, 1) are scalars. Where a graph takes a fixed
    number of rows, rows are given to it by so many, the last of them filled up. Missing values are the graph's affair.

    Args:
        path_or_bytes: the file.
        features: names of scalar inputs that are the columns of the graph's one input of shape (n, k), in order.
        outputs: those wanted, in order, the value first: their names, or a mapping from the graph's names to others. All.
        threads: that one call uses. One, because it is the workers that are several.
        providers: of ONNX Runtime, the first that there is.

    Raises:
        ModelError: it is no graph that ONNX Runtime can run; or it refuses a row of zeros.
        PipelineError: features or outputs are not those of the graph.
    """
    data = path_or_bytes if isinstance(path_or_bytes, bytes) else Path(path_or_bytes).read_bytes()
    named: dict[str, str] = (
        dict(outputs) if is_mapping(outputs) else {name: name for name in outputs}
    )
    return OnnxModel(data, tuple(features), named, threads=threads, providers=providers)


def from_bytes(
    data: bytes, features: list[str], outputs: dict[str, str], threads: int, providers: list[str]
) -> OnnxModel:
    """The model that a recipe tells of.

    Args:
        data: of the file.
        features: see `from_onnx`.
        outputs: see `from_onnx`.
        threads: see `from_onnx`.
        providers: see `from_onnx`.
    """
    return OnnxModel(data, tuple(features), outputs, threads=threads, providers=providers)


def _session(data: bytes, threads: int, providers: Sequence[str]) -> Any:
    library = extra_module("onnxruntime", "onnx")
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors are raised
    try:
        return library.InferenceSession(data, options, providers=list(providers))
    except Exception as error:
        raise ModelError(f"ONNX Runtime cannot run these {len(data)} bytes: {error}") from error


def _tensor(node: Any) -> _Tensor:
    dims: list[Any] = node.shape
    dtype = _DTYPES.get(node.type)
    if dtype is None or not dims or not all(isinstance(dim, int) for dim in dims[1:]):
        raise PipelineError(
            f"input {node.name!r} is {node.type} of shape {dims}: a model of rows takes tensors whose first dimension is that of rows, the others fixed"
        )
    return _Tensor(node.name, dtype, tuple(dims[1:]), dims[0] if isinstance(dims[0], int) else 0)


def _dtype(tensor: _Tensor) -> Any:
    return object if tensor.dtype is str else tensor.dtype


def _fields(tensors: Sequence[_Tensor], features: tuple[str, ...]) -> Schema:
    if not features:
        return Schema(Field(t.name, t.dtype, () if t.shape == (1,) else t.shape) for t in tensors)
    first = tensors[0]
    if len(tensors) != 1 or first.shape != (len(features),):
        takes = ", ".join(f"{t.name}: n rows of shape {t.shape}" for t in tensors)
        raise PipelineError(f"{len(features)} features are named, but the graph takes {takes}")
    return Schema(Field(name, first.dtype) for name in features)


def _size(tensors: Sequence[_Tensor]) -> int:
    sizes = {t.rows for t in tensors} - {0}
    if len(sizes) > 1:
        raise PipelineError(
            f"the inputs take {sorted(sizes)} rows at a time: that is no model of rows"
        )
    return sizes.pop() if sizes else 0


def _chosen(wanted: Mapping[str, str], names: Sequence[str]) -> Mapping[str, str]:
    strange = [name for name in wanted if name not in names]
    if strange:
        raise PipelineError(f"the graph has no output {strange[0]!r}, it has {list(names)}")
    return wanted or {name: name for name in names}


def _zeros(tensor: _Tensor, count: int) -> Array:
    if tensor.dtype is str:
        return np.full((count, *tensor.shape), "", object)
    return np.zeros((count, *tensor.shape), tensor.dtype)


def _told(name: str, column: Array, count: int) -> Field:
    if not column.ndim or len(column) != count:
        raise PipelineError(
            f"output {name!r} has shape {column.shape} for {count} rows: a model of rows gives one for each"
        )
    shape = column.shape[1:]
    return Field(
        name, str if column.dtype == object else column.dtype, () if shape == (1,) else shape
    )


def _piece(column: Array, start: int, size: int) -> Array:
    piece = column[start : start + size]
    short = size - len(piece)
    return np.concatenate([piece, np.repeat(piece[-1:], short, axis=0)]) if short else piece
