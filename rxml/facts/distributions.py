"""Distributions in payloads: when two are equal, and what they are in a log, and in JSON.

In a log they are extension values with the code that they have on the wire, made of a whole message of it. In JSON:

    {"$distribution": {"kind": "categorical", "logp": [-0.5, -0.9], "classes": {"U": ["fox", "lion"]}}}

A parameter is a number or nested lists of float64, or one name, that of another dtype, in front of them; one that
is not there is left out. What is read is checked as whatever comes from anybody, so it may be written by hand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import numpy as np
from typing_extensions import TypeIs

from rxml import wire
from rxml.errors import WireError
from rxml.uncertain import KINDS, Rows
from rxml.uncertain.checks import QUIET
from rxml.wire.distributions import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

DISTRIBUTIONS: Final = frozenset[type](KINDS.values())
"""What the wire knows."""

_DTYPES: Final = re.compile(r"b1|[iu][1248]|f[248]|[USTO]|M8\[[a-z]{1,2}\]")
_OF_ANY_WIDTH: Final = frozenset("USTO")
_SIMPLE: Final = frozenset("biuf")
_DEFAULT: Final = "f8"


def is_distribution(value: object) -> TypeIs[Rows]:
    """Whether it is of a kind that the wire knows, a column or a scalar."""
    return value.__class__ in DISTRIBUTIONS


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal, as `==` says, but distributions by their parameters, in tuples too."""
    if one is other:
        return True
    if is_distribution(one) or is_distribution(other):
        return is_distribution(one) and one.equals(other)
    if _is_tuple(one) and _is_tuple(other):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


def hash_of_value(value: Any) -> int:
    """A hash for `alike`: the same for equal values."""
    if is_distribution(value):
        return hash((value.kind, *map(_comparable, value.parameters().values())))
    if _is_tuple(value):
        return hash(tuple(map(hash_of_value, value)))
    return hash(value)


def _is_tuple(value: object) -> TypeIs[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _comparable(array: NDArray[Any] | None) -> object:
    if array is None or array.dtype.kind not in "biuf":
        return None  # texts may have other dtypes, and be equal
    values = np.asarray(array, np.float64)
    return (np.where(np.isnan(values), 0.0, values) + 0.0).tobytes()  # nor do -0 and 0 differ


def why_not_known(value: Rows) -> str | None:
    """Why the wire cannot have a distribution, such as for classes that are neither numbers nor texts; None: it can."""
    arrays = [array for array in value.parameters().values() if array is not None]
    odd = [array for array in arrays if array.dtype.kind not in _SIMPLE]
    if not odd:
        return None
    try:
        "".join(text for each in odd if each.dtype.kind == "U" for text in each.flat).encode()
        wire.dumps(value)
    except (WireError, UnicodeEncodeError) as error:
        return str(error)
    return None


def packed_distribution(value: Rows) -> msgspec.msgpack.Ext:
    """A distribution as an extension value of msgpack.

    Raises:
        WireError: it has classes or values that the wire has not.
    """
    return msgspec.msgpack.Ext(DISTRIBUTION, wire.dumps(value))


def unpacked_distribution(code: int, data: memoryview, limits: wire.Limits) -> Rows:
    """The distribution of such a value.

    Raises:
        WireError: it is none.
        ValueError: the code is another one's.
    """
    found: Any = wire.loads(bytes(data), limits=limits) if code == DISTRIBUTION else None
    if not is_distribution(found):
        raise ValueError(f"an extension value with the unknown code {code}")
    return found


def parts_of_distribution(value: Rows) -> dict[str, Any]:
    """A distribution as its kind and its parameters, of plain values."""
    parameters = {name: array for name, array in value.parameters().items() if array is not None}
    return {"kind": value.kind, **{name: _listed(each) for name, each in parameters.items()}}


def _listed(array: NDArray[Any]) -> Any:
    kind = array.dtype.kind
    name = kind if kind in _OF_ANY_WIDTH else array.dtype.str[1:]
    return array.tolist() if name == _DEFAULT else {name: array.tolist()}


@QUIET
def distribution_of_parts(parts: Mapping[str, Any]) -> Rows:
    """The scalar of such parts.

    Raises:
        ValueError, TypeError, LookupError, ArithmeticError, AttributeError: they make none.
    """
    kind = parts["kind"]
    if kind not in KINDS:
        raise ValueError(f"a distribution of kind {kind!r}: there are {sorted(KINDS)}")
    return KINDS[kind].rebuilt(
        **{name: _array(name, each) for name, each in parts.items() if name != "kind"}
    )


def _array(name: str, given: Any) -> NDArray[Any]:
    dtype, values = _DEFAULT, given
    if isinstance(given, dict):
        ((dtype, values),) = cast("dict[str, Any]", given).items()
    if _DTYPES.fullmatch(dtype) is None:
        raise ValueError(f"{name} has the dtype {dtype!r}, which is none of a distribution")
    return np.array(values, np.dtypes.StringDType() if dtype == "T" else np.dtype(dtype))
