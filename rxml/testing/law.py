"""Law: a rule that holds for every operator, with the experiment that tries to break it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

from rxml.errors import RxmlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What a law works with (`Trial`, `Subject`) knows the law book, so that the book cannot name their types.
Check = TypeVar("Check", bound="Callable[[Any], None]")


@dataclass(frozen=True, slots=True)
class Law:
    """One law of the book.

    Attributes:
        number: as in the law book, "L13".
        name: unique, one or two words.
        family: the module of `rxml.testing.laws` that it stands in.
        sentence: what holds.
        check: the experiment: draws an input, runs the operator, raises `LawBroken`.
        applies: to which operators.
        effort: examples of it, as a share of those asked for; experiments that draw little need few.
    """

    number: str
    name: str
    family: str
    sentence: str
    check: Callable[[Any], None]
    applies: Callable[[Any], bool]
    effort: float

    @override
    def __str__(self) -> str:
        return f"{self.number} {self.name}: {self.sentence}"


class LawBroken(RxmlError, AssertionError):  # noqa: N818 - the name of what happened
    """An operator breaks a law; the message says which, with the smallest input found and its timeline.

    Attributes:
        law: the law that is broken.
        reason: what was seen, in a sentence.
    """

    def __init__(self, law: Law, reason: str, report: str) -> None:
        """Build with the text that is shown."""
        super().__init__(report)
        self.law = law
        self.reason = reason


FAMILIES: Final = (
    "conduct",
    "protocol",
    "chunks",
    "errors",
    "remains",
    "cancel",
    "bounds",
    "state",
)
"""The families, in the order in which they are tried: what others rest on comes first."""

LAWS: Final[dict[str, Law]] = {}
"""All laws by name, within a family in the order in which they are tried."""


def book() -> list[Law]:
    """All laws, in the order in which they are tried."""
    return sorted(LAWS.values(), key=lambda each: FAMILIES.index(each.family))


def _always(_: Any) -> bool:
    return True


def law(
    number: str, *, when: Callable[[Any], bool] = _always, effort: float = 1.0
) -> Callable[[Check], Check]:
    """Enter an experiment into the law book; its name is the function's, its sentence the docstring.

    Args:
        number: "L13".
        when: whether it applies to an operator.
        effort: share of the examples asked for, > 0.

    Raises:
        ValueError: the name is taken, or the function has no docstring.
    """

    def enter(check: Check) -> Check:
        name = check.__name__.replace("_", "-")
        sentence = " ".join((inspect.getdoc(check) or "").split())
        if name in LAWS or not sentence:
            raise ValueError(f"law {number} {name!r} needs a name of its own and a docstring")
        family = check.__module__.rpartition(".")[2]
        LAWS[name] = Law(number, name, family, sentence, check, when, effort)
        return check

    return enter


def chosen(wanted: Iterable[str] | None, waived: Iterable[str]) -> list[Law]:
    """The laws with these numbers or names (None: all), less the waived ones.

    Raises:
        ValueError: there is no such law.
    """
    known = {*LAWS, *(each.number for each in LAWS.values())}
    wanted, waived = None if wanted is None else set(wanted), set(waived)
    if unknown := ((wanted or set()) | waived) - known:
        raise ValueError(f"no law is called {sorted(unknown)}; the laws are {', '.join(LAWS)}")
    return [
        each
        for each in book()
        if (wanted is None or {each.number, each.name} & wanted)
        and not {each.number, each.name} & waived
    ]
