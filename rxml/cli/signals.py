"""Signals of the operating system as a flow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import rxml

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable


def signals(*numbers: int) -> Flowable[int]:
    """The numbers of signals as they come; handlers are in place from the first request to the end of the run."""

    def register(emitter: Any) -> Callable[[], None]:
        loop = asyncio.get_running_loop()
        for number in numbers:
            loop.add_signal_handler(number, emitter.on_next, number)

        def unregister() -> None:
            for number in numbers:
                loop.remove_signal_handler(number)

        return unregister

    return rxml.from_callback(register, capacity=len(numbers), overflow="drop_newest")
