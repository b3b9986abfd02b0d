"""Arrays in files: npz without objects, and safetensors; each refused before it takes more memory than it should."""

from __future__ import annotations

import io
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib import format as npy

from rxml.batch.extras import extra_module
from rxml.errors import ArtefactError
from rxml.models.artefacts.archive import member, opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rxml.models.artefacts.limits import Limits

_SUFFIX: Final = ".npy"
_HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(data: bytes, limits: Limits) -> dict[str, NDArray[Any]]:
    """The arrays of an npz by name.

    Raises:
        ArtefactError: it is no npz, damaged, or hostile: see `rxml.models.artefacts.archive`; an array holds objects,
            which would be unpickled; or one claims another size than it has.
    """
    what = "the npz"
    with opened(data, what, limits) as archive:
        return {
            _key(name): _array(member(archive, name, what), name) for name in archive.namelist()
        }


def write_npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The npz of arrays; the same arrays give the same bytes.

    Raises:
        ArtefactError: an array holds objects.
    """
    _refuse_objects(arrays)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def read_safetensors(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file by name; the library checks the claims of its header.

    Raises:
        ArtefactError: it is none, or damaged.
        ModuleNotFoundError: the extra `safetensors` is not installed.
    """
    library = extra_module("safetensors.numpy", "safetensors")
    error_type = extra_module("safetensors", "safetensors").SafetensorError
    try:
        arrays: dict[str, NDArray[Any]] = library.load(data)
    except (error_type, KeyError, ValueError) as error:
        raise ArtefactError(f"no safetensors file, or a damaged one: {error}") from error
    return arrays


def check_safetensors(data: bytes) -> None:
    """Refuse what is no safetensors file; types that numpy lacks, such as bfloat16, are admitted.

    Raises:
        ArtefactError: it is none, or damaged.
        ModuleNotFoundError: the extra `safetensors` is not installed.
    """
    library = extra_module("safetensors", "safetensors")
    try:
        library.deserialize(data)
    except library.SafetensorError as error:
        raise ArtefactError(f"no safetensors file, or a damaged one: {error}") from error


def write_safetensors(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The safetensors file of arrays.

    Raises:
        ArtefactError: an array holds objects.
        ModuleNotFoundError: the extra `safetensors` is not installed.
    """
    _refuse_objects(arrays)
    library = extra_module("safetensors.numpy", "safetensors")
    whole = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    return bytes(library.save(whole))


def _refuse_objects(arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ArtefactError(f"array {name!r} holds objects, which no model's file may")


def _key(name: str) -> str:
    if not name.endswith(_SUFFIX):
        raise ArtefactError(f"the npz: member {name!r} is no array (*{_SUFFIX})")
    return name.removesuffix(_SUFFIX)


def _array(data: bytes, name: str) -> NDArray[Any]:
    """One array, once its header claims no more than there is."""
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        shape, _, dtype = _HEADERS[version](file)
    except (ValueError, KeyError, SyntaxError, RecursionError, MemoryError) as error:
        raise ArtefactError(f"the npz: member {name!r} is no array: {error!r}") from error
    if dtype.hasobject:
        raise ArtefactError(
            f"the npz: array {name!r} holds objects: it would be unpickled, which can run anything"
        )
    claimed, there = prod(shape) * dtype.itemsize, len(data) - file.tell()
    if claimed != there or min(shape, default=0) < 0:
        raise ArtefactError(
            f"the npz: array {name!r} claims {dtype}{tuple(shape)}, {claimed:,} bytes, and has {there:,}"
        )
    file.seek(0)
    array: NDArray[Any] = np.load(file, allow_pickle=False)
    return array
