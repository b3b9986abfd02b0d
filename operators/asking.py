"""Operators that ask people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.batch.schema import require_name
from rxml.flow.check import require_count
from rxml.flow.kinds import placed, stage
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.timing.duration import seconds_of
from rxml.flow.traits import trait
from rxml.flow.workers.map_async import MapAsyncStage
from rxml.learning.routing.asking import Asking, Questions
from rxml.learning.routing.sureness import marking

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.batch import Batch
    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.timing.duration import Duration


def ask(  # noqa: PLR0913 - each is a thing of its own that one may say of asking
    questions: Questions,
    *,
    when: str | Callable[[Batch], Any],
    within: Duration,
    above: float | None = None,
    budget: float = 0.05,
    burst: int = 10,
    id: Column = "id",  # noqa: A002 - what it is
    into: str = "value",
    ordered: bool | None = None,
    window: int = 500,
    capacity: int = 1024,
) -> Operator[Any, Any]:
    """Ask people about answers that are not sure enough, and take what they say if it comes in time.

    Marble:
        --{id:1,value:3,sd:.1}---{id:2,value:5,sd:9}---------------|
        ask(questions, when="sd", within=60), where somebody says 4 of 2
        --{..value:3,rung:primary}------------{..value:4,rung:human}--|

    Who shows questions to people reads `questions.flow` and calls `questions.answer(id, value)`. What they said is a flow of
    labels, too, late or not: `questions.labels`, for all that learns.

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `capacity` elements: waiting for an answer, or answered and not taken, and a chunk on its way there;
        `window` numbers.
    Emits: each element as a row. If somebody has answered, `into` is what they said and `rung` is "human"; else `rung` is as
        it was, or "primary", and `reason` tells why nobody did: "late", or "full" if too many were being asked. In order, so
        that others wait behind one that is asked about; in a service, where answers find those who asked by contexts, as
        soon as they are there.
    Completes: with upstream, after the last element.
    Fails: with upstream; when an element is no mapping, or has no id, or does not say how unsure it is. A supervisor can have
        the element left out.
    Cancels: upstream and what waits, at once: questions are closed.
    Cost: a task for each element, about 20 microseconds.

    Args:
        questions: what is asked; bounded, see `rxml.learning.Questions`.
        when: how unsure an answer is; see `escalate`.
        within: seconds, or a timedelta, > 0, that an answer is waited for; and at most 95 % of the time that is left until
            the element's deadline.
        above: numbers above this are too unsure; None: those of the least sure `budget` of the latest elements.
        budget: share of elements that may be asked about, above 0 and at most 1.
        burst: elements that may be asked about one behind the other, >= 1.
        id: the id of an element: a text or a whole number.
        into: the column that takes the answer.
        ordered: elements leave in their order; None: save in a service.
        window: latest elements that are compared, >= 1.
        capacity: elements that are held, at most.

    Raises:
        TypeError: `questions` are none.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.learning import Questions
        >>> async def main():
        ...     questions = Questions()
        ...     rows = rxml.of(
        ...         {"id": 1, "value": 3, "ok": True}, {"id": 2, "value": 5, "ok": False}
        ...     )
        ...     asked = ops.ask(questions, when=lambda b: ~b["ok"], within=9, budget=1)
        ...     answered = asyncio.create_task(rows.pipe(asked).to_list())
        ...     async for question in questions.flow:
        ...         questions.answer(question.id, 4)
        ...         return [(row["value"], row["rung"]) for row in await answered]
        >>> asyncio.run(main())
        [(3, 'primary'), (4, 'human')]
    """
    if not isinstance(questions, Questions):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"ask wants Questions, got {type(questions).__name__}")
    require_count("ask(capacity=)", capacity, 1)
    marked = marking(
        "ask",
        when,
        above=above,
        budget=budget,
        burst=burst,
        window=window,
        capacity=capacity,
    )
    seconds = seconds_of(within, "ask(within)")
    if not seconds:
        raise ValueError("ask wants within > 0 seconds, got 0")
    require_name(into)
    asking = Asking(questions, seconds, id, into)

    def made(flow: Flowable[Any]) -> Operator[Any, Any]:
        in_order = trait(flow, Matched) is None if ordered is None else ordered

        def open_(env: Env, node: Node) -> MapAsyncStage:
            return MapAsyncStage(
                env, node, asking, concurrency=capacity, ordered=in_order, key=None
            )

        asked: Operator[Any, Any] = stage(
            "ask",
            open_,
            cardinality=Cardinality.ONE,
            capacity=capacity,
            checkpointing=Checkpointing.PASSES,
        )
        return lambda source: asked(marked(source))

    return placed("ask", made)
