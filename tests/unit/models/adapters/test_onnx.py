from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import ModelError, PipelineError
from rxml.testing.models import check_model

if TYPE_CHECKING:
    from pathlib import Path

onnx: Any = import_module("onnx")
helper: Any = import_module("onnx.helper")
TYPES: Any = onnx.TensorProto
RNG = np.random.default_rng(5)


def graph(
    nodes: list[Any], inputs: dict[str, tuple[Any, list[Any]]], outputs: dict[str, tuple[Any, Any]]
) -> bytes:
    def told(values: Any) -> list[Any]:
        return [helper.make_tensor_value_info(n, kind, dims) for n, (kind, dims) in values.items()]

    made = helper.make_graph(nodes, "g", told(inputs), told(outputs))
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def summing(rows: Any = None, width: int = 3) -> bytes:
    return graph(
        [helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=1)]
        if rows == "all"
        else [helper.make_node("ReduceMax", ["x"], ["most"], axes=[1], keepdims=1)],
        {"x": (TYPES.FLOAT, [None if rows == "all" else rows, width])},
        {"sum" if rows == "all" else "most": (TYPES.FLOAT, None)},
    )


@pytest.mark.parametrize("rows", [None, 1, 4, 5])
def test_a_graph_of_a_fixed_number_of_rows_is_given_so_many(rows: int | None) -> None:
    x = RNG.normal(size=(11, 3)).astype(np.float32)
    model = models.from_onnx(summing(rows))
    assert model.signature.outputs == Schema.of(most="float32")
    assert model.predict(Batch({"x": x}))["most"].tolist() == x.max(axis=1).tolist()
    check_model(model, Batch({"x": x}))


def test_tensors_by_name_and_of_several_types() -> None:
    data = graph(
        [
            helper.make_node("Identity", ["word"], ["same"]),
            helper.make_node("Mul", ["number", "number"], ["square"]),
        ],
        {"word": (TYPES.STRING, [None, 1]), "number": (TYPES.INT64, [None, 2])},
        {"same": (TYPES.STRING, [None, 1]), "square": (TYPES.INT64, [None, 2])},
    )
    model = models.from_onnx(data)
    assert model.signature.inputs == Schema([Field("word", str), Field("number", "int64", (2,))])
    assert list(model.signature.outputs) == ["same", "square"]
    batch = Batch({"number": np.array([[1, 2], [3, 4], [5, 6]]), "word": ["a", "b", "c"]})
    got = model.predict(batch)
    assert got["same"].tolist() == ["a", "b", "c"]
    assert got["square"].tolist() == [[1, 4], [9, 16], [25, 36]]
    check_model(model, batch)
    squares = models.from_onnx(data, outputs=["square"])
    assert list(squares.signature.outputs) == ["square"]


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    data = summing()
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    digest = f"sha256:{sha256(data).hexdigest()}"
    for given in (data, path, str(path)):
        assert models.from_onnx(given).digest == digest


@pytest.mark.parametrize("data", [b"", b"nonsense", summing()[:40]])
def test_what_is_no_graph_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="cannot run these"):
        models.from_onnx(data)


@pytest.mark.parametrize(
    ("data", "options", "why"),
    [
        (
            summing(),
            {"features": ["a", "b"]},
            "2 features are named, but the graph takes x: n rows",
        ),
        (summing(), {"outputs": ["least"]}, r"no output 'least', it has \['most'\]"),
        (summing(width=-1), {}, "the others fixed"),
        (summing("all"), {}, "gives one for each"),
    ],
)
def test_what_is_no_model_of_rows_is_refused(data: bytes, options: Any, why: str) -> None:
    with pytest.raises(PipelineError, match=why):
        models.from_onnx(data, **options)
