"""Files that want to do harm, made the way an attacker makes them."""

from __future__ import annotations

import io
import json
import pickle
import stat
import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from typing_extensions import override

if TYPE_CHECKING:
    from pathlib import Path

MARK = "ran.txt"
"""What a file writes whose code has run."""


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.command = f"touch {folder / MARK}"

    @override
    def __reduce__(self) -> Any:
        return subprocess.getoutput, (self.command,)


def pickled(folder: Path) -> bytes:
    return pickle.dumps(Bomb(folder))


def npy(array: Any, **more: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **more)
    return buffer.getvalue()


def crowded(members: int) -> bytes:
    """A ZIP that lists one member so many times."""
    whole = zipped({"a": b""})
    first, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    entries = whole[first:end] * members
    tail = bytearray(whole[end:])
    tail[12:16] = len(entries).to_bytes(4, "little")
    return whole[:first] + entries + bytes(tail)


def zipped(members: dict[str, bytes], **more: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for field, value in more.items():
                setattr(info, field, value)
            archive.writestr(info, data)
    return buffer.getvalue()


def weights() -> dict[str, bytes]:
    return {"coefficients.npy": npy(np.ones(2)), "intercept.npy": npy(np.zeros(1))}


def object_npz(folder: Path) -> bytes:
    array = np.empty(1, object)
    array[0] = Bomb(folder)
    return zipped(weights() | {"extra.npy": npy(array, allow_pickle=True)})


def pickle_npz(folder: Path) -> bytes:
    return zipped(weights() | {"extra.npy": pickled(folder)})


def huge_claim() -> bytes:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }"
    header += b" " * (118 - len(header)) + b"\n"
    made = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    return zipped(weights() | {"extra.npy": made})


def zip_bomb() -> bytes:
    """50 MB of zeros in 50 KB."""
    return zipped(weights() | {"extra.npy": bytes(50 << 20)})


def twice_npz() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (*weights().items(), ("c.npy", npy(np.ones(1)))):
            archive.writestr(name, data)
        archive.writestr("d.npy", npy(np.ones(1)))
    return buffer.getvalue().replace(b"d.npy", b"c.npy")


def linked_npz() -> bytes:
    return zipped(
        {**weights(), "link.npy": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16
    )


def linked_tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("model.onnx")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)


def skops_of(module: str, name: str) -> bytes:
    """A skops file that asks for any function to be called with arguments."""
    schema: dict[str, Any] = {
        "__class__": name,
        "__module__": module,
        "__loader__": "ReduceNode",
        "__id__": 1,
        "__reduce__": {
            "args": {
                "__class__": "tuple",
                "__module__": "builtins",
                "__loader__": "TupleNode",
                "__id__": 2,
                "content": [],
            }
        },
        "content": {
            "__class__": "dict",
            "__module__": "builtins",
            "__loader__": "DictNode",
            "__id__": 3,
            "content": {},
            "key_types": {
                "__class__": "list",
                "__module__": "builtins",
                "__loader__": "ListNode",
                "__id__": 4,
                "content": [],
            },
        },
        "protocol": 2,
        "_skops_version": "0.16.0",
    }
    return zipped({"schema.json": json.dumps(schema).encode()})


def graph(initializers: list[Any], nodes: list[Any] | None = None) -> Any:
    made = nodes or [helper.make_node("MatMul", ["x", "w"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])]
    return helper.make_graph(made, "g", inputs, outputs, initializers)


def onnx_bytes(made: Any | None = None) -> bytes:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2, 1], [1.0, 2.0])
    model = helper.make_model(
        graph([tensor]) if made is None else made,
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    data: bytes = model.SerializeToString()
    return data


def external(location: str = "/etc/passwd") -> Any:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2, 1], [1.0, 2.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return tensor


def external_onnx() -> bytes:
    return onnx_bytes(graph([external()]))


def external_in_a_branch() -> bytes:
    """The tensor is that of a Constant in a branch of an If."""
    constant = helper.make_node("Constant", [], ["y"], value=external("../../secret"))
    out = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 1])]
    branch = helper.make_graph([constant], "b", [], out)
    truth = helper.make_tensor("w", TensorProto.BOOL, [1], [True])
    node = helper.make_node("If", ["w"], ["y"], then_branch=branch, else_branch=branch)
    return onnx_bytes(graph([truth], [node]))


def context_onnx() -> bytes:
    node = helper.make_node(
        "EPContext", ["x"], ["y"], ep_cache_context="/tmp/evil.so", domain="com.microsoft"
    )
    return onnx_bytes(graph([], [node]))


def deep_onnx() -> bytes:
    """Graphs in graphs, written by hand: a library refuses to make them."""
    inner = b""
    for _ in range(200):
        attribute = _field(6, inner)
        inner = _field(1, _field(5, attribute))
    return b"\x08\x09" + _field(7, inner)


def _field(number: int, data: bytes) -> bytes:
    length, size = b"", len(data)
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def checked(data: bytes) -> bytes:
    """The bytes, if ONNX itself takes them for a model: then it is not for being none that they are refused."""
    onnx.load_from_string(data)
    return data
