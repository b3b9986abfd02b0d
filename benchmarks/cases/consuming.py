"""How each library is made to run a flow of numbers and add them up: the cheapest way that it has."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.case import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1024
BATCH = 1000


def by_rxml(build: Callable[[Any, Any], Any], *, demand: int = CHUNK) -> Outcome:
    """Ask an rxml flow for `demand` elements at a time until it ends.

    Args:
        build: makes the flow, given `rxml` and `rxml.operators`.
        demand: elements asked for at a time, >= 1.
    """
    flow = build(import_module("rxml"), import_module("rxml.operators"))

    async def main() -> int:
        total = 0
        async with flow.open() as subscription:
            while not (chunk := await subscription.request(demand)).end:
                total += sum(chunk.elements)
        return total

    return Outcome(asyncio.run(main()))


def by_reactivex(build: Callable[[Any, Any], Any]) -> Outcome:
    """Subscribe a list's `append`: the cheapest observer there is.

    Args:
        build: makes the observable, given `reactivex` and `reactivex.operators`.
    """
    results: list[int] = []
    errors: list[Exception] = []
    observable = build(import_module("reactivex"), import_module("reactivex.operators"))
    observable.subscribe(results.append, errors.append)
    if errors:
        raise errors[0]
    return Outcome(sum(results))


def by_bytewax(size: int, steps: Callable[[Any, Any], Any]) -> Outcome:
    """Run a dataflow over 0..size-1, in batches of 1000, into a list, on one worker.

    Args:
        size: how many numbers.
        steps: adds the operators, given `bytewax.operators` and the stream.
    """
    operators, testing = import_module("bytewax.operators"), import_module("bytewax.testing")
    results: list[int] = []
    flow = import_module("bytewax.dataflow").Dataflow("benchmark")
    numbers = operators.input("numbers", flow, testing.TestingSource(range(size), batch_size=BATCH))
    operators.output("results", steps(operators, numbers), testing.TestingSink(results))
    testing.run_main(flow)
    return Outcome(sum(results))


def by_aiostream(build: Callable[[Any, Any], Any]) -> Outcome:
    """Iterate over a stream.

    Args:
        build: makes it, given `aiostream.stream` and `aiostream.pipe`.
    """
    library = import_module("aiostream")
    stream = build(library.stream, library.pipe)

    async def main() -> int:
        total = 0
        async with stream.stream() as elements:
            async for element in elements:
                total += element
        return total

    return Outcome(asyncio.run(main()))
