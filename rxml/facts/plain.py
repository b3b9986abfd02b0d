"""What a payload can hold, checked and kept so that it cannot be changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn

from typing_extensions import TypeIs, override

from rxml.errors import FactError
from rxml.facts.distributions import (
    DISTRIBUTIONS,
    alike,
    hash_of_value,
    is_distribution,
    packed_distribution,
    why_not_known,
)

if TYPE_CHECKING:
    from rxml.uncertain import Rows

_SCALARS: Final = frozenset({type(None), bool, float, str, bytes})
_MOST: Final = 2**63


class Frozen(dict[str, Any]):
    """A mapping that cannot be written to. It has a hash, and can be copied and pickled."""

    __slots__ = ()

    @override
    def __reduce__(self) -> tuple[type[Frozen], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)

    if not TYPE_CHECKING:

        def __hash__(self) -> int:
            return hash(frozenset(self.items()))

        def _refuse(self, *_: Any, **__: Any) -> NoReturn:
            raise TypeError("what a fact holds cannot be changed: make a dict of it")

        __setitem__ = __delitem__ = __ior__ = _refuse
        clear = pop = popitem = setdefault = update = _refuse


class Uncertain(Frozen):
    """One with distributions, whose own `==` gives a probability: here they are equal if their parameters are."""

    __slots__ = ()

    @override
    def __eq__(self, other: object) -> bool:
        if not is_mapping(other):
            return NotImplemented
        return self.keys() == other.keys() and all(
            alike(value, other[name]) for name, value in self.items()
        )

    @override
    def __ne__(self, other: object) -> bool:
        return not self == other  # that of dict would ask the distributions

    if not TYPE_CHECKING:

        def __hash__(self) -> int:
            return hash(frozenset((name, hash_of_value(each)) for name, each in self.items()))


def check_encodable(name: str, text: str) -> None:
    """Raise FactError if a text has what UTF-8 has not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FactError(f"{name} {text!r} has a lone surrogate, which UTF-8 has not") from None


def plain_text(text: str) -> str:
    """The text itself of a subclass, such as an enum's or numpy's."""
    return str.__str__(text)


def frozen_payload(payload: object) -> Mapping[str, Any]:
    """A copy of the payload that cannot be changed.

    Raises:
        FactError: it is no mapping from names to plain values.
    """
    if not is_mapping(payload):
        raise FactError(f"payload is {payload!r}, a {type(payload).__name__}: give a mapping")
    return _frozen_mapping("payload", payload, 0)


def _frozen_mapping(where: str, given: Mapping[Any, Any], depth: int) -> Mapping[str, Any]:
    taken: dict[str, Any] = {}
    uncertain = False
    for name, value in given.items():
        if not isinstance(name, str):
            raise FactError(f"{where} has the name {name!r}: names are str")
        if not name.isascii():
            check_encodable(f"a name in {where}", name)
        if type(value) in _SCALARS:
            kept = value
        else:
            kept = _plain(where, name, value, depth + 1)
            uncertain = uncertain or _is_uncertain(kept)
        taken[name if name.__class__ is str else plain_text(name)] = kept
        if type(value) is str and not value.isascii():
            check_encodable(f"{where}[{name!r}]", value)
    return Uncertain(taken) if uncertain else Frozen(taken)


def _is_uncertain(value: Any) -> bool:
    """Whether it is a distribution, or a list with one; a mapping looks after its own."""
    if value.__class__ is not tuple:
        return value.__class__ in DISTRIBUTIONS
    kinds = set(map(type, value))
    return not DISTRIBUTIONS.isdisjoint(kinds) or (
        tuple in kinds and any(map(_is_uncertain, value))
    )


def _plain(where: str, name: object, value: Any, depth: int) -> Any:
    """A value that is none of the simple ones, as it is kept."""
    here = f"{where}[{name!r}]"
    if depth > 32:
        raise FactError(f"{where} is nested more than 32 deep: flatten it")
    if type(value) in _SCALARS or isinstance(value, str | int | float):
        return _scalar(here, value)
    if is_mapping(value):
        return _frozen_mapping(here, value, depth)
    if is_listed(value):
        return tuple(_plain(here, at, each, depth + 1) for at, each in enumerate(value))
    return _distribution(here, value) if is_distribution(value) else _moment(here, value)


def _scalar(here: str, value: Any) -> Any:
    """A value that has no parts; of a subclass, such as an enum's or numpy's, what it stands for."""
    if isinstance(value, str):
        check_encodable(here, value)
        return value if value.__class__ is str else plain_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not -_MOST <= value < 2 * _MOST:
            raise FactError(f"{here} is {value}: whole numbers must be -2^63 to 2^64 - 1")
        return int.__int__(value)
    return float.__float__(value) if isinstance(value, float) else value


def _distribution(here: str, value: Rows) -> Rows:
    if value.shape:
        text = f"{here} is a column of {len(value)} distributions"
        raise FactError(f"{text}: give the one of this fact, a scalar such as column[0]")
    why = why_not_known(value)
    if why is not None:
        raise FactError(f"{here} is a {type(value).__name__} that cannot be stored: {why}")
    return value


def _moment(here: str, value: Any) -> datetime:
    try:
        if isinstance(value, datetime) and value.utcoffset() is not None:
            utc = value.astimezone(UTC)
            return (
                utc if utc.__class__ is datetime else datetime.combine(utc.date(), utc.time(), UTC)
            )
    except (TypeError, ValueError, OverflowError) as error:
        raise FactError(f"{here} is {value!r}, which is no moment: {error}") from error
    text = f"{here} is {value!r}, a {type(value).__name__}"
    raise FactError(
        f"{text}: give None, bool, int, float, str, bytes, aware datetimes, distributions, "
        "or lists and mappings of these"
    )


def thawed(value: Any) -> Any:
    """A frozen payload as plain dicts and tuples; what msgspec asks for what it does not know."""
    if is_mapping(value):
        return dict(value)
    if is_distribution(value):
        return packed_distribution(value)
    raise TypeError(f"a {type(value).__name__} is no plain value")


def melted(value: Any) -> Any:
    """A frozen value as plain dicts and lists."""
    if is_mapping(value):
        return {name: melted(each) for name, each in value.items()}
    return [melted(each) for each in value] if is_listed(value) else value


def is_mapping(value: object) -> TypeIs[Mapping[Any, Any]]:
    """Whether it is a mapping, from whatever to whatever."""
    return isinstance(value, Mapping)


def is_listed(value: object) -> TypeIs[list[Any] | tuple[Any, ...]]:
    """Whether it is a list or a tuple."""
    return isinstance(value, (list, tuple))
