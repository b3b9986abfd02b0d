"""Operators that hold each key to a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import override

from rxml.flow.check import PLAIN, permit_function
from rxml.flow.chunk import CHUNK
from rxml.flow.context import Outcome
from rxml.flow.kinds import label, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.sifting import Sifted, SiftStage
from rxml.resilience.buckets import TokenBuckets

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.flow.context import Context
    from rxml.flow.node import Env, Node
    from rxml.flow.shapes import Same
    from rxml.resilience.bucket import TokenBucket


def rate_limit(
    rate: float,
    burst: float = 1,
    *,
    key: Callable[[Any], Hashable] | None = None,
    excess: Literal["wait", "shed"] = "wait",
    weight: Callable[[Any], float] | None = None,
    keys: int = 10_000,
) -> Same:
    """Let the elements of each key through at no more than a rate: what is above waits, or is shed.

    Marble:
        -aab----a----|
        rate_limit(1 / 3, key=lambda x: x, excess="shed")
        -a-b----a----|

    Demand: what is asked for, when what was taken before has gone on.
    Buffers: at most one chunk, the first element of which waits for a token. Order is kept, so one key that is above its
        rate holds up those behind it: where keys are strangers to one another, shed.
    Emits: elements in order; with `excess="wait"` all of them.
    Completes: with upstream.
    Fails: with upstream; when `key` or `weight` raises. A supervisor can have the element left out.
    Cancels: upstream, at once; what waits is dropped.
    Cost: no task; about a microsecond an element. What is shed ends as shed, and is counted as dropped.

    Args:
        rate: elements a second for each key, > 0.
        burst: elements that a key may have at once after a pause, >= 1.
        key: gives the key of an element; None: one for all.
        excess: `wait` or `shed`.
        weight: of a key: its rate and burst are multiplied by it, > 0; with it, `burst` times the weight must be >= 1.
        keys: keys that are remembered, >= 1; of more, the one used longest ago begins anew with a full bucket.

    Raises:
        ValueError: a number out of its range, an unknown `excess`.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> flow = rxml.of("a", "a", "b", "a").pipe(ops.rate_limit(1, key=str, excess="shed"))
        >>> asyncio.run(flow.to_list())
        ['a', 'b']
    """
    if excess not in ("wait", "shed"):
        raise ValueError(f"rate_limit wants excess='wait' or 'shed', got {excess!r}")
    if not burst >= 1:
        raise ValueError(f"rate_limit wants burst >= 1, or nothing would ever pass, got {burst!r}")
    permit_function("rate_limit(key=)", key, "gives the key of an element", PLAIN)
    permit_function("rate_limit(weight=)", weight, "gives the weight of a key", PLAIN)
    TokenBuckets(rate, burst, keys=keys)
    waits = excess == "wait"

    def open_(env: Env, node: Node) -> _RateLimit:
        buckets = TokenBuckets(rate, burst, keys=keys, weight=weight)
        return _RateLimit(env, node, buckets, key, waits=waits)

    return stage(
        label("rate_limit", rate, burst),
        open_,
        cardinality=Cardinality.ONE if waits else Cardinality.AT_MOST_ONE,
        capacity=CHUNK,
        rate=True,
        passes=True,
        # what is shed depends on when it comes, and a run that goes on comes at another time
        checkpointing=Checkpointing.PASSES if waits else Checkpointing.REFUSED,
    )


class _RateLimit(SiftStage):
    """Takes a token for each element from the bucket of its key."""

    def __init__(
        self,
        env: Env,
        node: Node,
        buckets: TokenBuckets,
        key: Callable[[Any], Hashable] | None,
        *,
        waits: bool,
    ) -> None:
        super().__init__(env, node)
        self._buckets = buckets
        self._key = key
        self._without = Sifted.WAITS if waits else Sifted.LEAVES

    def _bucket(self, element: Any) -> TokenBucket:
        return self._buckets.of(None if self._key is None else self._key(element))

    @override
    def judge(self, element: Any) -> Sifted:
        admitted = self._bucket(element).admit(1, self.env.clock.time())
        return Sifted.PASSES if admitted else self._without

    @override
    def delay(self, element: Any) -> float:
        if self._without is Sifted.LEAVES:
            return 0.0
        return self._bucket(element).wait(1, self.env.clock.time())

    @override
    def leave(self, element: Any, context: Context | None) -> None:
        if context is not None:
            context.settled(Outcome.SHED)
