"""Fact: something that happened, as it was known when it arrived. It never changes.

>>> from datetime import UTC, datetime
>>> fact = Fact.of("lion-7", datetime(2026, 1, 2, tzinfo=UTC), {"seen": 3}, lower=2.0, upper=5.0)
>>> fact.event_time
1767312000000000000
>>> fact.payload["seen"]
3
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, cast

from rxml.errors import FactError
from rxml.eventtime.instants import since_1970
from rxml.facts.ids import new_id
from rxml.facts.plain import Frozen, check_encodable, frozen_payload, melted, plain_text
from rxml.wire import register_extension

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

LONGEST_ID: Final = 255
LONGEST_KEY: Final = 1024
_EXTENSION: Final = 17
_MOST: Final = 2**63
_YEAR: Final = 366 * 86_400 * 10**9
_UNITS: Final = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3}
_NO_PAYLOAD: Final[Mapping[str, Any]] = Frozen()


@dataclass(frozen=True, slots=True)
class Fact:
    """One immutable fact. `Fact.of` is the easy way to make one.

    Attributes:
        id: who has the same id tells of the same fact; 1 to 255 characters, none of them NUL.
        key: the entity or sensor that it tells of; 1 to 1024 characters.
        event_time: when it happened, in nanoseconds since 1970 UTC, -2^63 to 2^63 - 1.
        arrival_time: when it became known, the same.
        payload: by name, plain values: None, bool, int, float, str, bytes, aware datetimes, scalars of
            `rxml.uncertain` (equal where their parameters are), and lists (kept as tuples) and mappings of these.
        lower: of the bounds of what was measured, <= upper, finite; None (both) where it is certain.
        upper: see there.

    Raises:
        FactError: one of these is not so.
    """

    id: str
    key: str
    event_time: int
    arrival_time: int
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        """Check everything, and take the payload as it is now."""
        check_text("id", self.id, LONGEST_ID)
        check_text("key", self.key, LONGEST_KEY)
        if self.id.__class__ is not str or self.key.__class__ is not str:
            object.__setattr__(self, "id", plain_text(self.id))
            object.__setattr__(self, "key", plain_text(self.key))
        _check_time("event_time", self.event_time)
        _check_time("arrival_time", self.arrival_time)
        if self.lower is not None or self.upper is not None:
            check_bounds(self.lower, self.upper)
        object.__setattr__(self, "payload", frozen_payload(self.payload))

    @classmethod
    def of(
        cls,
        key: str,
        event_time: int | datetime,
        payload: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,  # noqa: A002 - the fact's own word
        arrival_time: int | datetime | None = None,
        lower: float | None = None,
        upper: float | None = None,
    ) -> Self:
        """A fact, with what is not given filled in.

        Args:
            key: see `Fact`.
            event_time: nanoseconds since 1970 UTC, or an aware datetime.
            payload: see `Fact`; None for none.
            id: None for a new one.
            arrival_time: as the event time; None for now.
            lower: see `Fact`; a whole number is taken as a float.
            upper: see `Fact`.

        Raises:
            FactError: see `Fact`; or a datetime has no time zone, or a time looks like seconds.
        """
        arrived = time.time_ns() if arrival_time is None else arrival_time
        arrived = nanoseconds_of(arrived, "arrival_time")
        happened = nanoseconds_of(event_time, "event_time")
        hint = seconds_hint(happened, arrived)
        if hint is not None:
            raise FactError(hint)
        return cls(
            new_id() if id is None else id,
            key,
            happened,
            arrived,
            _NO_PAYLOAD if payload is None else payload,
            _number(lower),
            _number(upper),
        )


def nanoseconds_of(value: object, name: str) -> int:
    """A moment in nanoseconds since 1970 UTC, from nanoseconds or an aware datetime.

    Args:
        value: what was given.
        name: of the argument, for errors.

    Raises:
        FactError: it is neither, or is out of the range of int64.
    """
    if isinstance(value, datetime):
        value = _since_1970(value, name)
    _check_time(name, value)
    return cast("int", value)


def _since_1970(moment: datetime, name: str) -> int:
    try:
        if moment.utcoffset() is None:
            text = f"{name} is {moment!r}, a datetime without a time zone"
            raise FactError(f"{text}: give it one, such as datetime.UTC")
        return since_1970(moment)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, FactError):
            raise
        raise FactError(f"{name} is {moment!r}, which is no moment: {error}") from error


def seconds_hint(event_time: int, arrival_time: int) -> str | None:
    """What to say if an event time, taken as seconds, milli- or microseconds, is within a year of its arrival."""
    for unit, scale in _UNITS.items():
        if event_time and abs(event_time * scale - arrival_time) < _YEAR < abs(arrival_time):
            text = f"event_time is {event_time}, which would be in {unit} what is wanted in nanoseconds"
            return f"{text}: multiply it by {scale:_}"
    return None


def check_text(name: str, text: object, longest: int) -> None:
    """Raise FactError unless it is a text of 1 to `longest` characters that has UTF-8 and no NUL."""
    if not isinstance(text, str):
        raise FactError(f"{name} is {text!r}, a {type(text).__name__}: give a str")
    if not 0 < len(text) <= longest:
        raise FactError(f"{name} has {len(text)} characters: give 1 to {longest}")
    if "\0" in text:
        raise FactError(f"{name} {text!r} has a NUL in it: leave it out")
    if not text.isascii():
        check_encodable(name, text)


def _check_time(name: str, value: Any) -> None:
    if value.__class__ is not int:
        text = f"{name} is {value!r}, a {type(value).__name__}"
        raise FactError(f"{text}: give whole nanoseconds since 1970 UTC, or an aware datetime")
    if not -_MOST <= value < _MOST:
        raise FactError(f"{name} is {value}: nanoseconds since 1970 UTC must fit 64 bits")


def check_bounds(lower: object, upper: object) -> None:
    """Raise FactError unless both are finite floats and lower <= upper."""
    for name, value in (("lower", lower), ("upper", upper)):
        if not isinstance(value, float) or not isfinite(value):
            text = f"{name} is {value!r}: bounds are two finite floats, or both None"
            raise FactError(text)
    if cast("float", lower) > cast("float", upper):
        raise FactError(f"lower {lower} is above upper {upper}: exchange them")


def _number(value: Any) -> Any:
    try:
        return float(value) if value.__class__ is int else value
    except OverflowError:
        raise FactError(f"a bound of {len(str(value))} digits is no float: leave it out") from None


def _to_wire(fact: Fact) -> object:
    times = [fact.event_time, fact.arrival_time]
    return [fact.id, fact.key, *times, melted(fact.payload), fact.lower, fact.upper]


def _from_wire(value: Any) -> Fact:
    return Fact(*value)


register_extension(_EXTENSION, Fact, _to_wire, _from_wire)
