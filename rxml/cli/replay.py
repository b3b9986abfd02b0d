"""`rxml replay facts.db module:flow`."""

from __future__ import annotations

import asyncio
import math
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rxml.cli.failure import CommandError, blamed, kind
from rxml.cli.plain import plain_json
from rxml.cli.target import load
from rxml.facts.log import FactLog
from rxml.facts.replay import replayed
from rxml.facts.views import View
from rxml.flow.chunk import CHUNK
from rxml.flow.node import Node
from rxml.flow.run import Run
from rxml.http.encode import to_plain
from rxml.virtual.paced import PacedLoop

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator

    from rxml.flow.flowable import Flowable


def replay(options: argparse.Namespace) -> None:
    """Run a pipeline over the facts of a log and print each result as a line of JSON.

    Raises:
        CommandError: there is no such log, or no such pipeline.
    """
    path = Path(options.log)
    if not path.exists():
        raise CommandError(f"there is no fact log at {path}")
    pipeline: Any = load(options.target)
    if not isinstance(pipeline, Node) and not callable(pipeline):
        raise CommandError(f"{options.target} is {kind(pipeline)}, neither a flow nor an operator")
    paced = True if options.speed < math.inf else None
    with FactLog(path, read_only=True) as log:
        with blamed(f"cannot replay {options.target}"):
            flow = replayed(log, pipeline, from_time=options.start, paced=paced)
        loop = partial(PacedLoop, options.speed)
        with (
            _progress(partial(_count, log, options.start)) as told,
            asyncio.Runner(loop_factory=loop) as runner,
        ):
            runner.run(_run(flow, told))


def _count(log: FactLog, start: int | None) -> int:
    """How many facts are to be read; those from a time on have to be counted."""
    return log.statistics().facts if start is None else View(log).between(start).count()


async def _run(flow: Flowable[Any], told: Callable[[int], None]) -> None:
    async with Run[Any](flow) as run:
        while not (chunk := await run.subscription.request(CHUNK)).end:
            for element in chunk.elements:
                line = msgspec.json.encode(element, enc_hook=to_plain).decode()
                print(plain_json(line))
            told(run.statistics().stages[0].emitted)
        told(run.statistics().stages[0].emitted)


@contextmanager
def _progress(count: Callable[[], int]) -> Generator[Callable[[int], None]]:
    """A bar of the facts that were read, for who watches; results are printed elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("facts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("facts", total=count() if console.is_terminal else None)

        def told(read: int) -> None:
            progress.update(bar, completed=read)

        yield told
