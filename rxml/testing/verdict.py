"""Verdicts: in what two runs differ, or a run and the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.testing.comparing import beyond, incomparable, same, same_multiset
from rxml.testing.subject import most

if TYPE_CHECKING:
    from rxml.testing.plan import Play
    from rxml.testing.subject import Subject


def difference(subject: Subject, one: Play, other: Play) -> str | None:
    """In what the second run differs from the first, in words; None if in nothing that matters.

    Elements that come in any order are compared as a multiset; which of them came before an error, or before the sink
    had seen enough, is open, and then only how the runs ended is compared.
    """
    if not _same_error(one.error, other.error) or one.ended != other.ended:
        return (
            f"{_shown(other.results)} {other.terminal}, "
            f"where {_shown(one.results)} {one.terminal} was to come"
        )
    if subject.order == "any" and not one.ended:
        return None
    looked_at = most(one.plan.elements)
    return differing(subject, one.results[:looked_at], other.results[:looked_at])


def differing(subject: Subject, wanted: list[Any], got: list[Any]) -> str | None:
    """In what two lists of results differ, in words; None if in nothing that matters."""
    if subject.order == "any":
        if same_multiset(wanted, got):
            return None
        missing, extra = beyond(wanted, got), beyond(got, wanted)
        return (
            f"{_shown(got)}, in which {_shown(missing)} is missing and {_shown(extra)} is too much"
            f"{_hint(missing, extra)}"
        )
    if same(wanted, got):
        return None
    return f"{_shown(got)}, where {_shown(wanted)} was to come{_hint(wanted, got)}"


def _hint(wanted: list[Any], got: list[Any]) -> str:
    """What to do where results may well be equal, and do not say so."""
    kind = incomparable(wanted, got)
    if kind is None:
        return ""
    return (
        f" (two {kind} are equal only if they are one object: give the class an __eq__, as a dataclass has,"
        " or compare what is in it by a map behind the operator)"
    )


def as_model(subject: Subject, play: Play) -> str | None:
    """In what a run differs from the model, in words."""
    expected = subject.expected(play.plan.elements)
    wanted = expected.results
    if expected.error is not None:
        return _failed_as(subject, play, wanted, expected.error)
    if play.error is not None:
        return f"failed with {play.error!r} after {_shown(play.results)}, where {_shown(wanted)} was to come"
    if play.ended:
        return differing(subject, wanted, play.results)
    if len(wanted) < most(play.plan.elements):
        return f"{_shown(play.results)} and no end, where {_shown(wanted)} and the end was to come"
    if subject.order == "any":  # which of them the sink saw before it had enough is open
        return None
    return differing(subject, wanted, play.results[: len(wanted)])


def _failed_as(subject: Subject, play: Play, wanted: list[Any], error: Exception) -> str | None:
    if play.error is None:
        return f"{_shown(play.results)} {play.terminal}, where {error!r} was to be raised"
    if not isinstance(play.error, type(error)):
        return f"failed with {play.error!r}, where {error!r} was to be raised"
    if subject.order == "any" or same(wanted, play.results):
        return None
    return f"{_shown(play.results)} came before {error!r}, where it should be {_shown(wanted)}"


def _same_error(one: Exception | None, other: Exception | None) -> bool:
    return one is other or (one is not None and other is not None and same(one, other))


def _shown(results: list[Any]) -> str:
    text = repr(results)
    return text if len(text) <= 160 else f"{text[:150]}… ({len(results)} results)"
