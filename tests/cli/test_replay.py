"""`rxml replay` as a person types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rxml.facts import Fact, FactLog
from tests.cli.helpers import rxml

if TYPE_CHECKING:
    from pathlib import Path

STORY = """
import rxml
from rxml import aggregates as agg, operators as ops
from rxml.eventtime import bounded
from rxml.windows import tumbling

counted = rxml.compose(
    ops.with_event_time("event_time", bounded(1)),
    ops.key_by("key"),
    ops.window(tumbling(10)).aggregate(n=agg.count()),
)
number = 3
"""
BASE = 10**18


def written(folder: Path) -> None:
    (folder / "story.py").write_text(STORY)
    with FactLog(folder / "facts.db") as log:
        log.append_facts(
            [Fact.of("s", BASE + i * 10**9, id=f"{i:032x}", arrival_time=BASE) for i in range(25)]
        )


def test_it_prints_what_the_pipeline_gives(tmp_path: Path) -> None:
    written(tmp_path)
    done = rxml("replay", "facts.db", "story:counted", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["n"] for row in rows] == [10, 10, 5]
    assert done.stderr == ""


def test_it_begins_where_it_is_told(tmp_path: Path) -> None:
    written(tmp_path)
    done = rxml(
        "replay", "facts.db", "story:counted", "--from", str(BASE + 20 * 10**9), cwd=tmp_path
    )
    assert [json.loads(line)["n"] for line in done.stdout.splitlines()] == [5]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    written(tmp_path)
    for arguments, words in (
        (("nothing.db", "story:counted"), "there is no fact log at nothing.db"),
        (("facts.db", "story:number"), "neither a flow nor an operator"),
        (("facts.db", "story:counted", "--speed", "fast"), "wants max, or a number"),
    ):
        done = rxml("replay", *arguments, cwd=tmp_path)
        assert done.returncode != 0
        assert words in done.stderr
