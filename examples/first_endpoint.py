"""A first endpoint: readings come in, the running mean of each sensor goes out.

Run it with `python examples/first_endpoint.py` or `rxml serve examples/first_endpoint.py:app`, then in other terminals:

    curl -N http://127.0.0.1:8080/means
    curl -H 'content-type: application/json' -d '{"sensor": "kitchen", "value": 21.5}' http://127.0.0.1:8080/readings
"""

from __future__ import annotations

import msgspec

from rxml import Flowable
from rxml import operators as ops
from rxml.http import App


class Reading(msgspec.Struct, frozen=True):
    """What clients send."""

    sensor: str
    value: float


class Mean(msgspec.Struct, frozen=True):
    """What clients get."""

    sensor: str
    mean: float
    count: int


class Means(msgspec.Struct, frozen=True):
    """The means so far; the last is that of the latest reading."""

    known: dict[str, Mean] = {}

    def after(self, reading: Reading) -> Means:
        """Take one reading more; beyond 1000 sensors the one that was silent longest is forgotten."""
        before = self.known.get(reading.sensor, Mean(reading.sensor, 0.0, 0))
        count = before.count + 1
        mean = before.mean + (reading.value - before.mean) / count
        rest = {name: known for name, known in self.known.items() if name != reading.sensor}
        kept = dict(list(rest.items())[-999:])
        return Means({**kept, reading.sensor: Mean(reading.sensor, mean, count)})

    def latest(self) -> Mean:
        """The mean that changed last."""
        return next(reversed(self.known.values()))


def sensor(mean: Mean) -> str:
    """Whose mean it is: a client that reads too slowly gets the latest of each."""
    return mean.sensor


def build(app: App) -> None:
    """The service: one pipeline, run once for all clients, and also while there is none."""
    readings = app.ingest("/readings", schema=Reading)
    # A client that stalls misses means; under "slowest", the default, it would stop everybody's.
    once = ops.share(lag=100, policy="drop_oldest")
    means: Flowable[Mean] = readings.pipe(
        ops.scan(Means.after, Means()), ops.map(Means.latest), once
    )
    app.stream("/means", means, key=sensor)
    app.background(means)


app = App()
build(app)

if __name__ == "__main__":
    app.run(ready=lambda server: print(f"listening at {server.url}"))
