"""Flows made of several flows. Each is an operator, too: `ops.merge(b)(a)` is `merge(a, b)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from rxml.flow.adopt import flows
from rxml.flow.chunk import CHUNK
from rxml.flow.combining.latest import (
    CombineLatestStage,
    ForkJoinStage,
    WithLatestFromStage,
    ZipLatestStage,
)
from rxml.flow.combining.merging import AmbStage, ConcatStage, MergeStage
from rxml.flow.combining.zipping import ZipStage
from rxml.flow.flowable import Flowable
from rxml.flow.node import Cardinality, Checkpointing, StageSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.node import Env, Node
    from rxml.flow.subscription import Subscription

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")


@overload
def merge(s1: Flowable[A], s2: Flowable[B], /) -> Flowable[A | B]: ...


@overload
def merge(s1: Flowable[A], s2: Flowable[B], s3: Flowable[C], /) -> Flowable[A | B | C]: ...


@overload
def merge(*sources: Flowable[T]) -> Flowable[T]: ...


def merge(*sources: Flowable[Any]) -> Flowable[Any]:
    """The elements of all flows as they come; see `ops.merge`. Without a flow: nothing."""
    return _combined("merge", MergeStage, sources, capacity=_shared(sources), merges=True)


@overload
def concat(s1: Flowable[A], s2: Flowable[B], /) -> Flowable[A | B]: ...


@overload
def concat(s1: Flowable[A], s2: Flowable[B], s3: Flowable[C], /) -> Flowable[A | B | C]: ...


@overload
def concat(*sources: Flowable[T]) -> Flowable[T]: ...


def concat(*sources: Flowable[Any]) -> Flowable[Any]:
    """The elements of one flow after the other; see `ops.concat`. Without a flow: nothing."""
    return _combined("concat", ConcatStage, sources, merges=True)


def zip(*sources: Flowable[Any]) -> Flowable[tuple[Any, ...]]:  # noqa: A001 - reactivex's name
    """Tuples of the k-th elements of all flows; see `ops.zip`.

    Raises:
        ValueError: no flow.
    """
    _some("zip", sources)
    return _combined("zip", ZipStage, sources, capacity=CHUNK * len(sources))


def zip_latest(*sources: Flowable[Any]) -> Flowable[tuple[Any, ...]]:
    """Tuples of the newest elements, each used once; see `ops.zip_latest`.

    Raises:
        ValueError: no flow.
    """
    _some("zip_latest", sources)
    return _combined("zip_latest", ZipLatestStage, sources, capacity=_shared(sources), rate=True)


def combine_latest(*sources: Flowable[Any]) -> Flowable[tuple[Any, ...]]:
    """Tuples of the newest elements, one for each new element; see `ops.combine_latest`.

    Raises:
        ValueError: no flow.
    """
    _some("combine_latest", sources)
    return _combined(
        "combine_latest", CombineLatestStage, sources, capacity=_shared(sources), rate=True
    )


def with_latest_from(*sources: Flowable[Any]) -> Flowable[tuple[Any, ...]]:
    """The elements of the first flow, each with the newest of the others; see `ops.with_latest_from`.

    Raises:
        ValueError: no flow.
    """
    _some("with_latest_from", sources)
    return _combined(
        "with_latest_from",
        WithLatestFromStage,
        sources,
        capacity=CHUNK,
        rate=True,
        checkpointing=Checkpointing.REFUSED,
    )


def fork_join(*sources: Flowable[Any]) -> Flowable[tuple[Any, ...]]:
    """One tuple of the last elements of all flows; see `ops.fork_join`.

    Raises:
        ValueError: no flow.
    """
    _some("fork_join", sources)
    return _combined("fork_join", ForkJoinStage, sources, capacity=len(sources))


def amb(*sources: Flowable[T]) -> Flowable[T]:
    """The flow that answers first; see `ops.amb`. Without a flow: nothing, and no end."""
    return _combined(
        "amb",
        AmbStage,
        sources,
        capacity=1,
        rate=True,
        merges=True,
        checkpointing=Checkpointing.REFUSED,
    )


def _combined(
    name: str,
    stage: Callable[[Env, Node], Subscription[Any]],
    sources: tuple[object, ...],
    *,
    capacity: int = 0,
    rate: bool = False,
    merges: bool = False,
    checkpointing: Checkpointing = Checkpointing.SAVED,
) -> Flowable[Any]:
    spec = StageSpec(
        name=name,
        open=stage,
        cardinality=Cardinality.MANY,
        capacity=capacity,
        rate=rate,
        merges=merges,
        checkpointing=checkpointing,
    )
    return Flowable(spec, flows(name, sources))


def _shared(sources: tuple[object, ...]) -> int:
    """What inputs that share one demand may hold: one chunk, or one element each if they are more than that."""
    return max(CHUNK, len(sources))


def _some(name: str, sources: tuple[object, ...]) -> None:
    if not sources:
        message = f"{name} wants at least one flow, got none"
        raise ValueError(message)
