"""Models of scikit-learn as bytes that run nothing when they are read: skops, with a list of the types that may be made.

<https://skops.readthedocs.io/en/stable/persistence.html>
"""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np

from rxml.batch.extras import extra_module
from rxml.errors import ModelError
from rxml.models.adapters.recipes import digest_of, is_mapping, is_series, resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SCHEMA: Final = "schema.json"
_FLEETING: Final = frozenset({"__id__", "_skops_version", "protocol"})


def dumped(value: Any) -> bytes:
    """The bytes of an estimator, or of plain values around some.

    Raises:
        ModelError: part of it has no safe form.
    """
    try:
        written: bytes = extra_module("skops.io", "sklearn").dumps(value)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise ModelError(f"skops has no safe form for {type(value).__name__}: {error}") from error
    return written


def loaded(data: bytes, trusted: Iterable[str] = ()) -> Any:
    """What such bytes hold.

    Args:
        data: of `dumped`, or a file of skops.
        trusted: types beside those of scikit-learn, numpy, scipy and Python that may be made: `shop.features.Rounder`.

    Raises:
        ModelError: they are damaged, or hold types that are not trusted; none of these has been imported.
    """
    skops = extra_module("skops.io", "sklearn")
    allowed = set(trusted)
    try:
        found = skops.get_untrusted_types(data=data)
        strange = sorted(set(found) - allowed)
        if not strange:
            return skops.load(BytesIO(data), trusted=sorted(allowed & set(found)))
    except Exception as error:
        raise ModelError(f"these bytes are no model of skops: {error}") from error
    raise ModelError(
        f"the model holds types that are not trusted: {', '.join(strange)}; "
        "look at what they do, then name them in trusted"
    )


def strangers(data: bytes) -> list[str]:
    """The types in such bytes that are trusted only if named.

    Raises:
        ModelError: one of them is a lambda: only its name would be written, which stands for nothing.
    """
    found: list[str] = extra_module("skops.io", "sklearn").get_untrusted_types(data=data)
    for name in found:
        if "<" in name:
            raise ModelError(f"skops has no safe form for {name}, which is made where it runs")
    return sorted(found)


def findable(names: Iterable[str]) -> list[str]:
    """The same names of types, if another process finds them.

    Raises:
        ModelError: it does not find one.
    """
    found = list(names)
    for name in found:
        module, _, attribute = name.rpartition(".")
        if module == "__main__":
            raise ModelError(
                f"{attribute} is in the program that was started, which another process is not: move it to a module"
            )
        resolved(f"{module}:{attribute}")
    return found


def digest(data: bytes) -> str:
    """What is the same whenever the same values are dumped; skops writes addresses in memory, which are not.

    Raises:
        ModelError: the bytes are none of skops.
    """
    try:
        with ZipFile(BytesIO(data)) as archive:
            schema = json.loads(archive.read(_SCHEMA))
            steady = _Steady(archive).of(schema)
    except (BadZipFile, KeyError, ValueError) as error:
        raise ModelError(f"these bytes are no model of skops: {error}") from error
    return digest_of(json.dumps(steady, sort_keys=True).encode())


class _Steady:
    """A schema of skops without what changes from one dump to the next: numbers of objects become their order."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive: ZipFile = archive
        self._order: dict[Any, int] = {}

    def of(self, node: Any) -> Any:
        if is_series(node):
            return [self.of(each) for each in node]
        return self._mapping(node) if is_mapping(node) else node

    def _mapping(self, node: Mapping[str, Any]) -> dict[str, Any]:
        number = self._order.setdefault(node.get("__id__"), len(self._order))
        kept = {name: self.of(each) for name, each in node.items() if name not in _FLEETING}
        if node.get("__loader__") == "CachedNode":
            kept["same"] = number
        if isinstance(node.get("file"), str):
            kept["file"] = _content(node["file"], self._archive.read(node["file"]))
        return kept


def _content(name: str, data: bytes) -> str:
    if not name.endswith(".npy"):
        return sha256(data).hexdigest()
    array: Any = np.load(BytesIO(data), allow_pickle=False)
    if array.dtype.names is None:
        return sha256(data).hexdigest()
    # what lies between the fields of a record is whatever lay there before
    parts = [np.ascontiguousarray(array[field]).tobytes() for field in array.dtype.names]
    return digest_of(str(array.dtype).encode(), *parts)
