"""Case: an operator with its plain-list model, as the law book takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import SearchStrategy

    from rxml.flow.operator import Operator


@dataclass(frozen=True, slots=True)
class Case:
    """What `rxml.testing.check_operator` is called with; see its docstring for each argument.

    Attributes:
        op: makes the operator.
        model: the same on a plain list; lazy (a generator) where the operator may fail half-way.
        elements: a strategy for one element.
        options: further keyword arguments of `check_operator`.
    """

    op: Callable[[], Operator[Any, Any]]
    model: Callable[[list[Any]], Iterable[Any]] | None
    elements: SearchStrategy[Any] = st.integers(-5, 5)  # noqa: RUF009 - immutable
    options: dict[str, Any] = field(default_factory=dict[str, Any])
