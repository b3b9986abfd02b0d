"""Subject: the operator under test, and what its author says about it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from rxml.flow.node import Cardinality, MarkSpec
from rxml.flow.sources.create import empty
from rxml.testing.comparing import copied, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import SearchStrategy

    from rxml.flow.node import Node

MOST: Final = 200
"""Results of an endless operator that are looked at, beyond three for each element."""


def most(elements: list[Any]) -> int:
    """How many results of these elements are looked at."""
    return MOST + 3 * len(elements)


# Health is the business of who draws; here slow and filtered draws are usual.
UNCHECKED: Final = (
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.nested_given,
    HealthCheck.differing_executors,
    HealthCheck.function_scoped_fixture,
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the model says: results, and the error that comes after them, if any."""

    results: list[Any]
    error: Exception | None


@dataclass(frozen=True, slots=True)
class Subject:
    """An operator with its declarations; see `check_operator` for each."""

    op: Callable[[], Any]
    model: Callable[[list[Any]], Iterable[Any]] | None
    elements: SearchStrategy[Any]
    order: Literal["same", "any"] = "same"
    ahead: int | None = 0
    rate: bool = False
    columns: bool = False
    handles_errors: bool = False
    takes: float = 0.0
    pool: list[Any] = field(default_factory=list[Any], compare=False, repr=False)
    habits: list[bool] = field(default_factory=list[bool], compare=False, repr=False)
    sufficient: list[int | None] = field(default_factory=list[int | None], repr=False)
    runaway: list[BaseException] = field(default_factory=list[BaseException], repr=False)

    def expected(self, elements: list[Any]) -> Expected:
        """The results of the model, at most `most` of them."""
        if self.model is None:
            raise TypeError("the subject has no model to ask")
        results: list[Any] = []
        given = list(map(copied, elements)) if self._model_changes else list(elements)
        try:
            results.extend(islice(self.model(given), most(elements)))
        except Exception as error:  # noqa: BLE001 - the model says what fails
            return Expected(results, error)
        return Expected(results, None)

    def samples(self) -> list[Any]:
        """Some fifty elements, the same each time: what else might have come."""
        if not self.pool:

            @settings(
                max_examples=10,
                database=None,
                deadline=None,
                derandomize=True,
                phases=(Phase.generate,),
                suppress_health_check=UNCHECKED,
            )
            @given(st.lists(self.elements, min_size=5, max_size=5))
            def collect(elements: list[Any]) -> None:
                self.pool.extend(elements)

            collect()
        return self.pool

    @property
    def _model_changes(self) -> bool:
        """Whether the model changes elements in place, and is to be given copies."""
        if not self.habits:
            self.habits.append(False)
            given = list(map(copied, self.samples()))
            with suppress(Exception):
                deque(islice(self.model(given) if self.model is not None else (), MOST), 0)
            self.habits[0] = not same(given, self.samples())
        return self.habits[0]

    @property
    def mapped(self) -> bool:
        """Whether its elements are rows, so that they may come as a `Batch`."""
        return any(isinstance(sample, Mapping) for sample in self.samples())

    def nodes(self) -> list[Node]:
        """The stages that the operator puts behind a flow, sources first."""
        source = empty()
        return [node for node in self.op()(source).walk() if node is not source]

    @property
    def capacity(self) -> int:
        """Elements that the stages may hold, as declared."""
        return sum(node.spec.capacity for node in self.nodes())

    @property
    def cardinality(self) -> Cardinality:
        """Results for each element: ONE, AT_MOST_ONE, or anything else (MANY)."""
        nodes = [node for node in self.nodes() if not isinstance(node.spec, MarkSpec)]
        declared = {node.spec.cardinality for node in nodes}
        if len(nodes) < len(self.nodes()):
            declared.add(Cardinality.AT_MOST_ONE)
        if any(len(node.sources) != 1 for node in nodes):
            return Cardinality.MANY
        if declared <= {Cardinality.ONE}:
            return Cardinality.ONE
        return (
            Cardinality.AT_MOST_ONE
            if declared <= {Cardinality.ONE, Cardinality.AT_MOST_ONE}
            else Cardinality.MANY
        )
