"""Features only: event-time features of a list of rows; no server, no log, no model, no event loop of yours.

python examples/adopt_features.py
"""

from __future__ import annotations

import asyncio

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.eventtime import bounded
from rxml.windows import sliding

rides = [{"ts": 60 * i - 90 * (i % 3 == 0), "cab": "ab"[i % 2], "km": 1 + i % 4} for i in range(9)]
features = rxml.from_iterable(rides).pipe(
    ops.with_event_time("ts", bounded(120), unit="s"),  # up to two minutes out of order
    ops.key_by("cab"),
    ops.window(sliding(300, every=60)).aggregate(rides=agg.count(), km=agg.mean("km")),
)
table = asyncio.run(features.to_list())
print(f"{len(table)} rows; the last: {table[-1]['cab']} {table[-1]['rides']} {table[-1]['km']:g}")
