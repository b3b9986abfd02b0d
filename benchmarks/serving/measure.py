"""Measure: a server is started, looked at for right answers, warmed up and asked, and then ended."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Final

from benchmarks.case import Outcome
from benchmarks.serving.closed import Closed, ClosedLoop
from benchmarks.serving.process import free_port, pinned, serving
from benchmarks.serving.rows import probability, rows

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from benchmarks.serving.dialects import Dialect
    from benchmarks.serving.process import Server

ROWS: Final = 512
READY_SECONDS: Final = 30.0
TOLERANCE: Final = 1e-6


class WrongAnswerError(Exception):
    """A server has answered something else than it must."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked.

    Attributes:
        command: starts the server; `{port}` in it stands for the port.
        dialect: how it is asked.
    """

    command: Sequence[str]
    dialect: Dialect

    @contextmanager
    def started(self) -> Generator[Server]:
        """The server, when it has answered one request."""
        port = free_port()
        command = [part.format(port=port) for part in self.command]
        with serving(command, port) as server, pinned():
            self._ready(server)
            yield server

    def requests(self, **headers: str) -> list[bytes]:
        """One request a row."""
        return [self.dialect.request(row, headers) for row in rows(ROWS)]

    def _ready(self, server: Server) -> None:
        end = time.monotonic() + READY_SECONDS
        while not self._answers(server):
            server.check()
            if time.monotonic() > end:
                raise WrongAnswerError(f"no answer after {READY_SECONDS} s: {server.said()}")
            time.sleep(0.01)

    def _answers(self, server: Server) -> bool:
        try:
            found = asked(server, self.requests()[:1], connections=1, most=1)
        except OSError:
            return False
        return bool(found.latencies)

    def check(self, bodies: Sequence[tuple[int, bytes]]) -> None:
        """Look at answers.

        Args:
            bodies: number of the row, and what was answered.

        Raises:
            WrongAnswerError: one is further from the truth than 1e-6.
        """
        asked_for = rows(ROWS)
        for number, body in bodies:
            right, said = probability(asked_for[number]), self.dialect.answer(body)
            if said is not None and not abs(said - right) <= TOLERANCE:
                raise WrongAnswerError(f"row {number}: must be {right}, got {body[:200]!r}")


def asked(
    server: Server,
    requests: Sequence[bytes],
    *,
    connections: int,
    most: int,
    seconds: float = 60.0,
    keep: int = 1,
) -> Closed:
    """One closed loop, from new connections to their end."""
    loop = ClosedLoop(server.port, requests, connections, keep=keep)
    try:
        return loop.run(seconds, most)
    finally:
        loop.close()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; nan if there are none."""
    if len(values) < 2:
        return values[0] if values else math.nan
    return quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def total() -> float:
    """The sum of all right answers: the checksum of who has given them."""
    return sum(map(probability, rows(ROWS)))


def closed(target: Target, size: int, *, connections: int, seconds: float) -> Outcome:
    """So many requests, or as many as can be answered in `seconds`; all measures are for `size` requests.

    Raises:
        WrongAnswerError: an answer is wrong, or is none.
    """
    requests = target.requests()
    with target.started() as server:
        target.check(asked(server, requests, connections=connections, most=ROWS).bodies)
        asked(server, requests, connections=connections, most=size, seconds=seconds / 5)
        before = server.cpu_seconds()
        found = asked(
            server, requests, connections=connections, most=size, seconds=seconds, keep=64
        )
        spent = server.cpu_seconds() - before
    if found.refused or found.lost:
        raise WrongAnswerError(f"refused {found.refused}, lost {found.lost} of {size}")
    target.check(found.bodies)
    scale = size / len(found.latencies)
    return Outcome(
        round(total(), 6),
        {
            "seconds": found.seconds * scale,
            "cpu_seconds": spent * scale,
            "p50_seconds": percentile(found.latencies, 0.5),
            "p99_seconds": percentile(found.latencies, 0.99),
        },
    )
