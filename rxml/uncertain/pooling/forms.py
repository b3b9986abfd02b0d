"""Forms: which one columns of members are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.beta import Beta
from rxml.uncertain.categorical import Categorical
from rxml.uncertain.pooling.form import Form
from rxml.uncertain.pooling.forms_of_chances import Chances, Choices, Events
from rxml.uncertain.pooling.forms_of_numbers import Levels, Normals
from rxml.uncertain.pooling.members import require_choice
from rxml.uncertain.quantiles import Quantiles

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Chances",
    "Choices",
    "Events",
    "Form",
    "Levels",
    "Normals",
    "form_from",
    "form_of",
    "require_pool",
]


def form_of(column: Any, *, chances: bool = True) -> Form:
    """The form of members whose first is this column.

    Args:
        column: of numbers, or distributions.
        chances: whether betas are pooled to betas; else they tell of events.

    Raises:
        DistributionError: there is none for such columns.
    """
    match column:
        case Quantiles():
            return Levels(column.taus)
        case Categorical():
            return Choices(column.classes)
        case Beta():
            return Chances() if chances else Events()
        case Bernoulli():
            return Events()
        case _:
            Normals().read(column)
            return Normals()


def form_from(setting: list[Any]) -> Form:
    """The form that has this setting."""
    name, *given = setting
    kinds: tuple[Callable[..., Form], ...] = (Normals, Levels, Events, Chances, Choices)
    named = {each.__name__: each for each in kinds}
    return named[name](*(np.asarray(each) for each in given))


def require_pool(form: Form, rule: str | None) -> str:
    """The rule, if the form can be pooled by it; the usual one if none is given.

    Raises:
        ValueError: it cannot.
    """
    return form.pools[0] if rule is None else require_choice("the rule of a pool", rule, form.pools)
