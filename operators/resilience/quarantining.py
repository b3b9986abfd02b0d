"""Operators that keep elements out which fail again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.errors import PipelineError, RefusedError
from rxml.flow.check import PLAIN, require_function
from rxml.flow.chunk import CHUNK
from rxml.flow.context import Context, Outcome
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.sifting import Sifted, SiftStage
from rxml.flow.supervision import DeadLetter, noted
from rxml.resilience.poison import Poison

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.flow.node import Env, Node
    from rxml.flow.shapes import Same


def quarantine(
    key: Callable[[Any], Hashable], *, after: int = 3, poison: Poison | None = None
) -> Same:
    """Bury elements at once whose key has led to a dead letter too often.

    Marble:
        -a-b-a-a-a-a-|
        quarantine(str, after=3), before a stage that leaves out each a
        -a-b-a-a-----|

    Demand: what is asked for.
    Buffers: at most one chunk, while the elements before an error go out.
    Emits: the elements whose key is not in quarantine, in order.
    Completes: with upstream.
    Fails: with upstream; when `key` raises. A supervisor can have the element left out.
    Cancels: upstream, at once.
    Cost: about two microseconds an element.

    Stand it before the stages that may fail, under `supervise("resume")`: an element that ends there as a dead letter
    counts against its key, one that is answered clears it. Elements of a key in quarantine become dead letters with a
    `RefusedError`, whatever the supervisor decides of errors, and cost those stages nothing; what is on its way already
    goes on. Under `supervise("stop")` all that is on its way ends as dropped, which counts against nobody. The counts are
    saved where a run is.

    Args:
        key: gives the key of an element.
        after: dead letters of a key, >= 1.
        poison: what counts, to be shared by runs, kept between them, or to release keys; None: one for each run.

    Raises:
        ValueError: after below 1.

    Example:
        >>> import rxml
        >>> from rxml import operators as ops
        >>> from rxml.testing.virtual_time import run
        >>> buried = []
        >>> flow = rxml.interval(1).pipe(
        ...     ops.take(6),
        ...     ops.quarantine(lambda i: i % 2, after=2),
        ...     ops.map(lambda i: 1 / (i % 2)),
        ...     ops.supervise("resume", dead_letters=lambda letter: buried.append(letter.stage)),
        ... )
        >>> run(flow.to_list()), len(buried), buried[-1][:10]
        ([1.0, 1.0, 1.0], 3, 'quarantine')
    """
    require_function("quarantine", key, "gives the key of an element", PLAIN)
    Poison(after)
    if poison is not None and not isinstance(poison, Poison):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
        raise PipelineError(f"quarantine wants poison as a Poison, got {poison!r}")

    def open_(env: Env, node: Node) -> _Quarantine:
        return _Quarantine(env, node, key, Poison(after) if poison is None else poison)

    return stage(
        label("quarantine", key),
        open_,
        cardinality=Cardinality.AT_MOST_ONE,
        capacity=CHUNK,
        rate=True,
        passes=True,
        checkpointing=Checkpointing.SAVED,
    )


class _Quarantine(SiftStage):
    """Asks of each element whether its key is known for failures, and has told how it ends."""

    def __init__(
        self, env: Env, node: Node, key: Callable[[Any], Hashable], poison: Poison
    ) -> None:
        super().__init__(env, node)
        self._key = key
        self._poison = poison

    @override
    def snapshot(self) -> Any:
        return self._poison.snapshot()

    @override
    def restore(self, state: Any) -> None:
        self._poison.restore(state)

    @override
    def judge(self, element: Any) -> Sifted:
        shut = self._poison.quarantined(self._key(element))
        return Sifted.LEAVES if shut else Sifted.PASSES

    @override
    def leave(self, element: Any, context: Context | None) -> None:
        error = RefusedError("quarantine", f"the key {self._key(element)!r} has failed too often")
        noted(error, self.env.where(self.node))
        self.env.supervisor.bury(DeadLetter(element, error, self.node.spec.name, context))

    @override
    def beside(self, element: Any, context: Context | None) -> Context:
        settle = _counting(
            self._poison, self._key(element), None if context is None else context.settle
        )
        return Context(settle=settle) if context is None else replace(context, settle=settle)


def _counting(
    poison: Poison, key: Hashable, settle: Callable[[Outcome], None] | None
) -> Callable[[Outcome], None]:
    """Counts how an element ends, before the one who waits is told; holds nothing of the run."""

    def told(outcome: Outcome) -> None:
        if outcome is Outcome.DEAD_LETTERED:
            poison.failed(key)
        elif outcome is Outcome.ANSWERED:
            poison.succeeded(key)
        if settle is not None:
            settle(outcome)

    return told
