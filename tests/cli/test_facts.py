"""`rxml facts` as a person types it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rxml.cli.main import main
from rxml.facts.fact import Fact, nanoseconds_of
from rxml.facts.log import FactLog
from rxml.facts.partitioned import PartitionedLog
from rxml.facts.table import facts_batch
from tests.cli.helpers import rxml

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = nanoseconds_of(datetime.fromisoformat("2026-01-02T12:00:00Z"), "noon")
HOUR = 3600 * 10**9


def facts() -> list[Fact]:
    """A lion seen each hour, and another at once, that was heard of late."""
    seen = [
        Fact(f"{at}", "simba", NOON + at * HOUR, NOON + at * HOUR, {"kind": "seen", "zebras": at})
        for at in range(5)
    ]
    return [*seen, Fact("n", "nala", NOON, NOON + 9 * HOUR, {"kind": "heard"}, 1.0, 2.0)]


@pytest.fixture
def log(tmp_path: Path) -> str:
    with FactLog(tmp_path / "facts.db") as made:
        made.append_batch(facts_batch(facts()))
    return str(tmp_path / "facts.db")


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        status = main(["facts", *arguments])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        return out

    return run


def test_list_tells_what_there_is(log: str, printed: Callable[..., str]) -> None:
    told = dict(line.split(maxsplit=1) for line in printed("list", log).splitlines())
    assert told["facts"] == "6"
    assert told["first"] == "2026-01-02T12:00:00Z"
    assert told["last"] == "2026-01-02T16:00:00Z"


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ([], "01234n"),
        (["--key", "simba"], "01234"),
        (["--key", "simba", "--key", "nala"], "01234n"),
        (["--from", "2026-01-02T14:00", "--until", "2026-01-02T16:00:00Z"], "23"),
        (["--from", str(NOON + HOUR), "--limit", "2"], "12"),
        (["--where", "kind=heard"], "n"),
        (["--where", "zebras=3", "--where", "kind=seen"], "3"),
        (["--last", "2"], "43"),
        (["--nth", "3"], "2"),
        (["--key", "simba", "--last", "10", "--skip", "3", "--limit", "1"], "1"),
        (["--latest"], "n4"),
        (["--as-of", "2026-01-02T13:30"], "n1"),
        (["--as-of", "2026-01-02T13:30", "--known-at", "2026-01-02T13:30"], "1"),
        (["--key", "nobody"], ""),
    ],
)
def test_query_prints_the_facts_that_are_asked_for(
    log: str, printed: Callable[..., str], asked: list[str], ids: str
) -> None:
    lines = [json.loads(line) for line in printed("query", log, *asked).splitlines()]
    assert [line["id"] for line in lines] == list(ids)
    assert printed("query", log, *asked, "--count") == f"{len(ids)}\n"


def test_query_prints_entities(tmp_path: Path, printed: Callable[..., str]) -> None:
    changes: list[dict[str, Any]] = [
        {"event": "$set", "properties": {"a": 1, "b": 2}},
        {"event": "$unset", "properties": {"b": None}},
    ]
    log = str(tmp_path / "facts.db")
    with FactLog(log) as made:
        made.append_facts([Fact(f"{at}", "2", at, at, each) for at, each in enumerate(changes)])
    assert json.loads(printed("query", log, "--entities")) == {
        "key": "2",
        "properties": {"a": 1},
        "first_updated": 0,
        "last_updated": 1,
    }
    assert json.loads(printed("query", log, "--entities", "--until", "1"))["properties"] == {
        "a": 1,
        "b": 2,
    }


@pytest.mark.parametrize("name", ["out.ndjson", "out.parquet"])
def test_export_and_import_keep_every_fact(
    log: str, tmp_path: Path, printed: Callable[..., str], name: str
) -> None:
    file, copy = str(tmp_path / name), str(tmp_path / "copy.db")
    assert printed("export", log, file) == f"6 facts in {file}\n"
    assert printed("import", copy, file) == "6 stored, 0 known already\n"
    assert printed("import", copy, file) == "0 stored, 6 known already\n"
    assert printed("query", copy) == printed("query", log)


def test_a_partitioned_log_is_looked_into_like_any_other(
    tmp_path: Path, log: str, printed: Callable[..., str]
) -> None:
    parts = str(tmp_path / "parts")
    with PartitionedLog(parts, 4) as made:
        made.append_batch(facts_batch(facts()))
    assert printed("query", parts) == printed("query", log)
    assert "partitions" in printed("list", parts)
    assert printed("trim", parts, "--max-bytes", "0") == "6 facts removed\n"


def test_upkeep_tells_what_it_did(tmp_path: Path, printed: Callable[..., str]) -> None:
    log = str(tmp_path / "facts.db")
    with FactLog(log) as made:
        for fact in facts():
            made.append_facts([fact])
    assert printed("compact", log) == "5 chunks less\n"
    assert printed("trim", log, "--older-than", "9999w") == "0 facts removed\n"
    assert printed("trim", log, "--max-bytes", "0") == "6 facts removed\n"
    assert printed("list", log).startswith("facts       0\nfirst       -\n")


def test_lines_that_are_no_facts_are_told_and_the_others_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "in.ndjson"
    file.write_text('{"key":"a","event_time":1}\nnonsense\x1b[2J\n{"key":"b","event_time":2}\n')
    assert main(["facts", "import", str(tmp_path / "facts.db"), str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == "2 stored, 0 known already\n"
    assert err.startswith("line 2: no fact")
    assert err.endswith("rxml facts: 1 line is no fact and was left out\n")
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "nowhere.db"], "there is no fact log at nowhere.db"),
        (["query", "nowhere.db"], "there is no fact log at nowhere.db"),
        (["list", "."], "give n to make one"),
        (["import", "new.db", "nowhere.ndjson"], "No such file"),
        (
            ["export", "facts.db", "nodir/y.ndjson"],
            "nodir/y.ndjson cannot be written: there is no directory nodir",
        ),
        (["trim", "empty.db", "--max-bytes", "0"], "empty.db is empty: it is no fact log"),
        (["compact", "empty.db"], "empty.db is empty: it is no fact log"),
        (["trim", "facts.db"], "wants --older-than, --max-bytes or both"),
        (["query", "facts.db", "--entities", "--last", "3"], "--entities goes with"),
        (["query", "facts.db", "--from", "noon"], "wants a time such as"),
        (["query", "facts.db", "--last", "0"], "wants a whole number >= 1, got 0"),
        (["query", "facts.db", "--last", "1", "--latest"], "not allowed with"),
        (["query", "facts.db", "--where", "kind"], "wants NAME=VALUE, got kind"),
        (["trim", "facts.db", "--older-than", "soon"], "wants a duration such as"),
        (["import", "new.db", "facts.db"], "no fact"),
        ([], "action"),
    ],
)
def test_mistakes_are_told_in_a_line(
    log: str,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(Path(log).parent)
    empty = Path("empty.db")
    empty.touch()
    status: Any = 0
    try:
        status = main(["facts", *arguments])
    except SystemExit as exit_:  # of argparse
        status = exit_.code
    assert status in {1, 2}
    assert said in capsys.readouterr().err
    assert not empty.stat().st_size


def test_an_entity_that_cannot_be_told_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(tmp_path / "facts.db")
    with FactLog(log) as made:
        for key, properties in (("a", 3), ("b", {"x": 1})):
            made.append_facts([Fact(key, key, 1, 1, {"event": "$set", "properties": properties})])
    assert main(["facts", "query", log, "--entities"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["key"] == "b"
    assert err.startswith("left out: fact a of 'a': $set has properties 3")


def test_a_locked_log_says_who_writes_to_it(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    with FactLog(log) as writer:
        writer.append_facts(())
        assert main(["facts", "compact", log]) == 1
    assert "has a writer already" in capsys.readouterr().err


def test_the_command_runs_in_a_process_of_its_own(log: str) -> None:
    done = rxml("facts", "export", log, "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == list("01234n")
