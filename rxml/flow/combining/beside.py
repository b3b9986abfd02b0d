"""Beside: a flow with another one beside it, whose elements come in between and are asked for first."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from rxml.flow.chunk import CHUNK, Chunk
from rxml.flow.combining.fan_in_stage import FanInStage
from rxml.flow.flowable import Flowable
from rxml.flow.node import Cardinality, Checkpointing, StageSpec

if TYPE_CHECKING:
    from rxml.flow.combining.fan_in import Inlet

_LOG: Final = logging.getLogger("rxml.flow")


class BesideStage(FanInStage):
    """The elements of the first input, and in between, as they come, those of the second.

    The second is asked first, so that what is there already comes before what comes at the same moment. It does not hold
    back watermarks, its end is no end, and if it fails that is logged and the first goes on: whoever is answered must not
    suffer from it. A barrier passes when both have come to it.
    """

    @override
    def open(self) -> None:
        super().open()
        for inlet in self.fan.inlets[1:]:
            if not self.signals.knows(inlet):  # it had ended, or failed, when the run was saved
                self.signals.enter(inlet)
            self.signals.note(inlet, {"idle": True})

    @override
    def ask(self, n: int) -> None:
        for inlet in sorted(self.idle(), key=lambda inlet: inlet.tag == 0):
            self.fan.ask(inlet, min(n, CHUNK))

    @override
    def took(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        self.ready.put(Chunk(chunk.elements, chunk.contexts))

    @override
    def noted(self, inlet: Inlet, chunk: Chunk[Any]) -> None:
        if inlet.tag == 0:
            super().noted(inlet, chunk)
        elif chunk.barrier is not None:
            self.signals.note(inlet, {"barrier": chunk.barrier})

    @override
    def ended(self, inlet: Inlet) -> None:
        self.over: bool = self.over or inlet.tag == 0

    @override
    def failed(self, inlet: Inlet, error: Exception) -> None:
        if inlet.tag == 0:
            super().failed(inlet, error)
            return
        self.signals.leave(inlet)
        _LOG.warning("%s: what comes beside has failed: %r", self.node.spec.name, error)


def beside(source: Flowable[Any], other: Flowable[Any]) -> Flowable[Any]:
    """The elements of a flow, one for each that it has, and in between those of another one.

    Args:
        source: ends the flow, and gives it its watermarks.
        other: what comes in between; of its elements nothing comes out further on.
    """
    spec = StageSpec(
        name="beside",
        open=BesideStage,
        cardinality=Cardinality.ONE,
        capacity=2 * CHUNK,
        rate=True,
        passes=True,
        checkpointing=Checkpointing.SAVED,
    )
    return Flowable(spec, (source, other))
