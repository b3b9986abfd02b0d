"""Subject: the operator under test, and what its author says about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from rxml.flow.node import Cardinality, KernelSpec, SuperviseSpec
from rxml.flow.sources.create import empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypothesis.strategies import SearchStrategy

    from rxml.flow.node import Node

MOST: Final = 200
"""Results of an endless operator that are looked at."""

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
    pool: list[Any] = field(default_factory=list[Any], compare=False, repr=False)
    sufficient: list[int | None] = field(default_factory=list[int | None], repr=False)
    runaway: list[BaseException] = field(default_factory=list[BaseException], repr=False)

    def expected(self, elements: list[Any]) -> Expected:
        """The results of the model, at most `MOST` of them."""
        if self.model is None:
            raise TypeError("the subject has no model to ask")
        results: list[Any] = []
        try:
            results.extend(islice(self.model(list(elements)), MOST))
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

    def nodes(self) -> list[Node]:
        """The stages that the operator puts behind a flow, sources first."""
        source = empty()
        return [node for node in self.op()(source).walk() if node is not source]

    def kernels(self) -> list[KernelSpec]:
        """The specs of those stages if all are synchronous; else none."""
        specs = [node.spec for node in self.nodes()]
        kernels = [spec for spec in specs if isinstance(spec, KernelSpec)]
        return kernels if len(kernels) == len(specs) else []

    @property
    def capacity(self) -> int:
        """Elements that the stages may hold, as declared."""
        return sum(node.spec.capacity for node in self.nodes())

    @property
    def cardinality(self) -> Cardinality:
        """Results for each element: ONE, AT_MOST_ONE, or anything else (MANY)."""
        nodes = [node for node in self.nodes() if not isinstance(node.spec, SuperviseSpec)]
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
