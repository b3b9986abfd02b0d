"""Survey: whether a pipeline can be saved, and by what it is known again."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import CheckpointError, CheckpointVersionError, PipelineError
from rxml.flow.checkpointing.slot import require_version
from rxml.flow.checkpointing.store import FORMAT
from rxml.flow.kernel import Kernel
from rxml.flow.node import Checkpointing, KernelSpec, MarkSpec, StageSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rxml.flow.checkpointing.store import Saved
    from rxml.flow.node import Node

_BASE: Final[type[Kernel[Any, Any]]] = Kernel
_ADDRESS: Final = re.compile(r" at (0x[0-9a-fA-F]*…?|0?…)")
"""Where an object lies in memory, perhaps cut short: different in each process."""


class Survey:
    """What is known of a pipeline before it runs.

    Args:
        flow: the pipeline.
        name: of it, in the store.

    Attributes:
        nodes: the stages that take part, sources first.

    Raises:
        PipelineError: a stage cannot be saved.
    """

    def __init__(self, flow: Node, name: str) -> None:
        self.nodes: list[Node] = [
            node for node in flow.walk() if not isinstance(node.spec, MarkSpec)
        ]
        self._name = name
        self._versions: dict[int, int] = {}
        for place, node in enumerate(self.nodes):
            spec = node.spec
            if isinstance(spec, StageSpec) and spec.checkpointing is Checkpointing.REFUSED:
                raise PipelineError(_refusal(node))
            if isinstance(spec, KernelSpec):
                self._versions[place] = _version(node, spec.kernel())
        _require_one_reader(flow)

    def admit(self, saved: Saved, states: Mapping[int, Any]) -> None:
        """See `rxml.flow.checkpointing.store.Admit`: another pipeline, or other versions of kernels, are refused."""
        admitted(saved, names_of(self.nodes), self._name)
        for place, state in states.items():
            if place in self._versions:
                require_version(state, self._versions[place])


def _require_one_reader(flow: Node) -> None:
    readers = Counter(id(source) for node in flow.walk() for source in node.sources)
    for node in flow.walk():
        if readers[id(node)] > 1:
            raise PipelineError(
                f"run(checkpoint=...): {node.spec.name}, built at {node.spec.built}, stands in the pipeline "
                f"{readers[id(node)]} times and would run as often; build it once for each place"
            )


def _version(node: Node, kernel: Kernel[Any, Any]) -> int:
    """The version of a kernel's state."""
    kind = type(kernel)
    saves = kind.snapshot is not _BASE.snapshot and kind.restore is not _BASE.restore
    if not (saves or kernel.stateless):
        raise PipelineError(
            f"run(checkpoint=...): {node.spec.name}, built at {node.spec.built}, may have a state that nobody saves: give "
            f"{kind.__qualname__} both snapshot and restore, or say that it has none (stateless = True)"
        )
    return kernel.version


def has_state(node: Node) -> bool:
    """Whether the stage of this node has anything to save."""
    spec = node.spec
    passes = Checkpointing.PASSES
    return not (isinstance(spec, StageSpec) and spec.checkpointing is passes)


def _refusal(node: Node) -> str:
    where = f"{node.spec.name}, built at {node.spec.built},"
    if not node.sources:
        return (
            f"run(checkpoint=...): {where} has no position that a run could go on from; read from a FactLog, "
            "from_iterable, from_batches, from_async_iterable or range, or write it to a FactLog first"
        )
    return (
        f"run(checkpoint=...): {where} holds what cannot be saved (time that passes, or streams that are open); put it "
        "in front of a FactLog and recover what reads from that, or take an operator that can: map, filter, scan, "
        "buffer(n), window, merge, concat, flat_map, map_async, prefetch and their like"
    )


def names_of(nodes: Sequence[Node]) -> tuple[str, ...]:
    """The stages as they are known again in another process."""
    return tuple(_ADDRESS.sub("", node.spec.name) for node in nodes)


def admitted(saved: Saved, names: tuple[str, ...], pipeline: str) -> None:
    """Raises a CheckpointError if a checkpoint is not one of a pipeline of these stages."""
    if saved.format != FORMAT:
        raise CheckpointVersionError(
            f"the checkpoint {saved.number} of {pipeline!r} has format {saved.format}, this rxml knows {FORMAT}; "
            "nothing was changed"
        )
    if saved.names == names:
        return
    at = next(
        (at for at, pair in enumerate(zip(saved.names, names, strict=False)) if pair[0] != pair[1]),
        min(len(saved.names), len(names)),
    )
    raise CheckpointError(
        f"the checkpoint {saved.number} of {pipeline!r} is of another pipeline: its stage {at} is "
        f"{_at(saved.names, at)}, here it is {_at(names, at)} (saved: {' → '.join(saved.names)}; here: "
        f"{' → '.join(names)}). Run the pipeline that was saved, give this one a name of its own "
        "(Checkpoint(store, name=...)), or forget the old one: await store.forget(name). Nothing was changed"
    )


def _at(names: tuple[str, ...], at: int) -> str:
    return names[at] if at < len(names) else "missing"
