"""The store only: facts in one file, asked as of any moment; no flow, no server, no model, no event loop.

python examples/adopt_store.py
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rxml.facts import Fact, FactLog, View

noon, hour = datetime(2026, 1, 2, 12, tzinfo=UTC), timedelta(hours=1)
with tempfile.TemporaryDirectory() as folder, FactLog(Path(folder) / "facts.db") as log:
    for at, price in ((noon, 9.0), (noon + hour, 12.0)):
        log.append_facts([Fact.of("fare", at, {"price": price}, arrival_time=at)])
    late = Fact.of("fare", noon + hour / 2, {"price": 10.0}, arrival_time=noon + 3 * hour)
    log.append_facts([late])  # heard of when it was long over

    view = View(log).key("fare")
    before = view.as_of(noon + hour / 2, known_at=noon + 2 * hour).fact()
    after = view.as_of(noon + hour / 2).fact()
    assert before is not None
    assert after is not None
    print(f"at 12:30 the price was {after.payload['price']:g};", end=" ")
    print(f"until 15:00 it was thought to be {before.payload['price']:g}")
