"""A fact as a line of JSON and back: nothing that a fact can hold is lost or changed on the way.

    {"id":"0123","key":"lion-7","event_time":1767312000000000000,"arrival_time":1767312000000000001,
     "lower":2.0,"upper":5.0,"payload":{"seen":3}}

What JSON has no form for stands in a mapping with one name: `{"$bytes": "AAE="}` (Base64), `{"$datetime":
"2026-01-02T00:00:00+00:00"}`, `{"$float": "nan"}`, "inf" or "-inf"; `{"$distribution": ...}`, see `rxml.facts.distributions`; and a mapping that looks like one of these in `{"$map": {...}}`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final, cast

import msgspec

from rxml.errors import FactError
from rxml.facts.distributions import (
    distribution_of_parts,
    is_distribution,
    parts_of_distribution,
)
from rxml.facts.fact import Fact, nanoseconds_of

_BYTES: Final = "$bytes"
_DATETIME: Final = "$datetime"
_FLOAT: Final = "$float"
_DISTRIBUTION: Final = "$distribution"
_MAP: Final = "$map"
_BARE: Final = frozenset((type(None), bool, int, str))
_TAGS: Final = frozenset({_BYTES, _DATETIME, _FLOAT, _DISTRIBUTION, _MAP})
_FLOATS: Final = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a line holds, in the order in which it is written."""

    id: str | None = None
    key: str
    event_time: int | datetime
    arrival_time: int | datetime | None = None
    lower: float | None = None
    upper: float | None = None
    payload: dict[str, Any] = {}


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Line)
_PLAIN: Final = msgspec.json.Decoder(dict[str, Any])


def line_of(fact: Fact) -> bytes:
    """The fact as compact JSON, without a line break; the same fact gives the same bytes."""
    line = _Line(
        id=fact.id,
        key=fact.key,
        event_time=fact.event_time,
        arrival_time=fact.arrival_time,
        lower=fact.lower,
        upper=fact.upper,
        payload=_mapping(fact.payload),
    )
    return _ENCODER.encode(line)


def fact_of(line: bytes) -> Fact:
    """The fact that a line holds.

    Times are nanoseconds, or ISO 8601 with a zone. Without an id the fact gets a new one, without an arrival time that of now.

    Raises:
        FactError: it is no JSON, or no fact, and what is wrong.
    """
    try:
        found = _DECODER.decode(line)
        payload = {name: _value(each) for name, each in found.payload.items()}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FactError(f"no fact: {error}") from error
    if found.id is None or found.arrival_time is None:
        return _completed(found, payload)
    happened = nanoseconds_of(found.event_time, "event_time")
    arrived = nanoseconds_of(found.arrival_time, "arrival_time")
    return Fact(found.id, found.key, happened, arrived, payload, found.lower, found.upper)


def payload_text(payload: Mapping[str, Any]) -> str:
    """A payload as JSON text."""
    return _ENCODER.encode(_mapping(payload)).decode()


def payload_of(text: str) -> dict[str, Any]:
    """The payload that a text of `payload_text` holds.

    Raises:
        FactError: it holds none, and what is wrong.
    """
    try:
        return {name: _value(each) for name, each in _PLAIN.decode(text).items()}
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FactError(f"no payload: {error}") from error


def _completed(line: _Line, payload: dict[str, Any]) -> Fact:
    return Fact.of(
        line.key,
        line.event_time,
        payload,
        id=line.id,
        arrival_time=line.arrival_time,
        lower=line.lower,
        upper=line.upper,
    )


def _mapping(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json(value) for name, value in given.items()}


def _json(value: Any) -> Any:
    """The value in what JSON has."""
    if value.__class__ in _BARE:
        return value
    if isinstance(value, Mapping):
        mapping = _mapping(cast("Mapping[str, Any]", value))
        return {_MAP: mapping} if _tag(mapping) else mapping
    if isinstance(value, tuple | list):
        return [_json(each) for each in cast("list[Any]", value)]
    return _tagged(value)


def _tagged(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: b64encode(value).decode()}
    if isinstance(value, datetime):
        return {_DATETIME: value.isoformat()}
    if isinstance(value, float) and not isfinite(value):
        return {_FLOAT: str(value)}
    if is_distribution(value):
        return {_DISTRIBUTION: _mapping(parts_of_distribution(value))}
    return value


def _value(found: Any) -> Any:
    """The value that JSON stands for."""
    if isinstance(found, list):
        listed: list[Any] = cast("Any", found)
        return [_value(each) for each in listed]
    if not isinstance(found, dict):
        return found
    mapping = cast("dict[str, Any]", found)
    tag = _tag(mapping)
    if tag is None:
        return {name: _value(each) for name, each in mapping.items()}
    try:
        return _untagged(tag, mapping[tag])
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise FactError(f"{tag} has {mapping[tag]!r}, which is none: {error}") from error


def _tag(mapping: Mapping[str, Any]) -> str | None:
    """The one name of a mapping, if it is one that stands for something."""
    return next(iter(mapping)) if len(mapping) == 1 and not _TAGS.isdisjoint(mapping) else None


def _untagged(tag: str, inner: Any) -> Any:
    if tag == _BYTES:
        return b64decode(inner, validate=True)
    if tag == _DATETIME:
        return datetime.fromisoformat(inner)
    if tag == _FLOAT:
        return _FLOATS[inner]
    mapping = {name: _value(each) for name, each in inner.items()}
    return distribution_of_parts(mapping) if tag == _DISTRIBUTION else mapping
