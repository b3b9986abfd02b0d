"""What is exported, imported and exported again is the same to the byte; what is no fact is told by its line."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml.batch import Batch
from rxml.errors import FactError
from rxml.facts import parquet, transfer
from rxml.facts.fact import Fact
from rxml.facts.log import FactLog
from rxml.facts.parquet import export_parquet, import_parquet
from rxml.facts.table import facts_batch
from rxml.facts.transfer import Imported, Problem, export_ndjson, import_ndjson
from rxml.facts.views import View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAYLOADS: list[dict[str, Any]] = [
    {},
    {"seen": 3, "where": "Tsavo é\n"},
    {
        "nan": float("nan"),
        "inf": float("-inf"),
        "raw": b"\0\xff",
        "at": datetime(2026, 1, 2, tzinfo=UTC),
    },
    {"$map": {"$bytes": "x"}, "list": [1, 2.0, [None, True]], "most": 2**64 - 1},
]
WAYS = pytest.mark.parametrize(
    ("export", "take_in"),
    [(export_ndjson, import_ndjson), (export_parquet, import_parquet)],
    ids=["ndjson", "parquet"],
)


def facts(count: int) -> list[Fact]:
    return [
        Fact(
            f"{at:04}",
            f"lion-{at % 3}",
            -(10**18) if at == 0 else 10**18 + at,
            10**18 + 2 * at,
            PAYLOADS[at % len(PAYLOADS)],
            *((-0.0, 1e300) if at % 2 else (None, None)),
        )
        for at in range(count)
    ]


@WAYS
def test_a_round_trip_is_the_same_to_the_byte(
    tmp_path: Path, export: Callable[..., int], take_in: Callable[..., Imported]
) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    with FactLog(tmp_path / "one.db") as log:
        for at in range(0, 100, 7):  # many small chunks; the copy has one
            log.append_batch(facts_batch(facts(100)[at : at + 7]))
        assert export(log, first) == 100
        assert take_in(log, first) == Imported(0, 100, 0, ())
        known = View(log).facts()
    with FactLog(tmp_path / "two.db") as copy:
        assert take_in(copy, str(first)) == Imported(100, 0, 0, ())
        assert repr(View(copy).facts()) == repr(known) == repr(facts(100))
        assert export(copy, str(second)) == 100
        with third.open("wb") as out:
            assert export(View(copy), out) == 100
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()
    assert not list(tmp_path.glob("*.part"))


@WAYS
def test_nothing_is_a_file_too(
    tmp_path: Path, export: Callable[..., int], take_in: Callable[..., Imported]
) -> None:
    with FactLog(tmp_path / "one.db") as log:
        log.append_batch(facts_batch(facts(3)))
        assert export(View(log).key("nobody"), tmp_path / "none") == 0
        assert take_in(log, tmp_path / "none") == Imported(0, 0, 0, ())


@WAYS
def test_columns_are_exported_as_payloads(
    tmp_path: Path, export: Callable[..., int], take_in: Callable[..., Imported]
) -> None:
    days = np.array(["2026-01-02", "NaT"], "M8[D]")
    batch = Batch(
        {"key": ["a", "b"], "event_time": [1, 2], "payload.seen": [3, 4], "payload.day": days}
    )
    with FactLog(tmp_path / "one.db") as log, FactLog(tmp_path / "two.db") as copy:
        log.append_batch(batch)
        export(log, tmp_path / "file")
        take_in(copy, tmp_path / "file")
        assert View(copy).facts() == View(log).facts()
        assert [dict(fact.payload) for fact in View(copy).facts()] == [
            {"seen": 3, "day": datetime(2026, 1, 2, tzinfo=UTC)},
            {"seen": 4, "day": None},
        ]


def test_lines_that_are_no_facts_are_told_and_the_others_stored(tmp_path: Path) -> None:
    good = b'{"key":"a","event_time":%d,"id":"%d"}\n'
    lines = [good % (at, at) for at in range(1, 6)]
    lines[1:1] = [b"\n", b"nonsense\n", b'{"key":"a"}\n']
    lines.append(b'{"key":"a","event_time":"2026-01-02"}')  # the last line need not end
    told: list[Problem] = []
    with FactLog(tmp_path / "one.db") as log:
        done = import_ndjson(log, io.BytesIO(b"".join(lines)), told.append)
        assert (done.stored, done.rejected) == (5, 3)
        assert [problem.line for problem in done.problems] == [3, 4, 9]
        assert told == list(done.problems)
        assert "event_time" in told[1].reason
        assert [fact.id for fact in View(log).facts()] == list("12345")


def test_what_the_log_refuses_is_told_by_its_line(tmp_path: Path) -> None:
    arrived = 1767312000 * 10**9
    seconds = {"id": "2", "key": "a", "event_time": 1767312000, "arrival_time": arrived}
    fine = {"id": "1", "key": "a", "event_time": arrived, "arrival_time": arrived}
    text = "\n".join(map(json.dumps, [fine, seconds]))
    with FactLog(tmp_path / "one.db") as log:
        done = import_ndjson(log, io.BytesIO(text.encode()))
    assert (done.stored, done.rejected) == (1, 1)
    assert done.problems[0].line == 2
    assert "seconds" in done.problems[0].reason


def test_a_line_without_an_end_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LONGEST", 100)
    long = b'{"key":"' + b"a" * 999 + b'","event_time":1}\n'
    fine = b'{"key":"a","event_time":1}\n'
    with FactLog(tmp_path / "one.db") as log:
        done = import_ndjson(log, io.BytesIO(fine + long + fine + long[:-1]))
    assert (done.stored, done.rejected) == (2, 2)
    assert [problem.line for problem in done.problems] == [2, 4]


def test_problems_beyond_a_thousand_are_counted(tmp_path: Path) -> None:
    with FactLog(tmp_path / "one.db") as log:
        done = import_ndjson(log, io.BytesIO(b"x\n" * 1500))
    assert (done.rejected, len(done.problems)) == (1500, 1000)


def test_facts_are_appended_in_batches_that_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "ROWS", 10)
    sizes: list[int] = []
    with FactLog(tmp_path / "one.db") as log:

        class Watched:
            def append_batch(self, batch: Batch) -> Any:
                sizes.append(len(batch))
                return log.append_batch(batch)

        file = io.BytesIO(b'{"key":"a","event_time":1}\n' * 25)
        assert import_ndjson(Watched(), file).stored == 25
    assert sizes == [10, 10, 5]


def test_an_export_that_fails_leaves_the_file_before_it(tmp_path: Path) -> None:
    target = tmp_path / "facts.ndjson"
    target.write_bytes(b"before")

    def broken(batch: Batch) -> Any:
        raise LookupError(len(batch))

    with FactLog(tmp_path / "one.db") as log:
        log.append_batch(facts_batch(facts(3)))
        with pytest.raises(LookupError):
            export_ndjson(View(log).rows(broken), target)
    assert target.read_bytes() == b"before"
    assert not list(tmp_path.glob("*.part"))


def test_a_parquet_file_can_be_read_by_others(tmp_path: Path) -> None:
    reader = pytest.importorskip("pyarrow.parquet")
    with FactLog(tmp_path / "one.db") as log:
        log.append_batch(facts_batch(facts(4)))
        export_parquet(log, tmp_path / "facts.parquet")
    table = reader.read_table(tmp_path / "facts.parquet")
    assert table.column("lower").to_pylist() == [None, -0.0, None, -0.0]
    assert json.loads(table.column("payload").to_pylist()[1])["seen"] == 3
    assert str(table.schema.field("event_time").type) == "timestamp[ns, tz=UTC]"
    moments = table.column("event_time").to_numpy()
    assert moments[1] == np.datetime64(10**18 + 1, "ns")


def test_row_groups_are_full_however_the_log_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(parquet, "GROUP", 10)
    for size in (1, 7, 25, 100):
        path = tmp_path / f"{size}.parquet"
        with FactLog(tmp_path / f"{size}.db") as log:
            for at in range(0, 35, size):
                log.append_batch(facts_batch(facts(35)[at : at + size]))
            assert export_parquet(log, path) == 35
        with reader.ParquetFile(path) as file:
            groups = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
        assert groups == [10, 10, 10, 5]
        assert path.read_bytes() == (tmp_path / "1.parquet").read_bytes()


def test_parquet_rows_that_are_no_facts_are_told(tmp_path: Path) -> None:
    arrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "facts.parquet"
    with FactLog(tmp_path / "one.db") as log:
        log.append_batch(facts_batch(facts(4)))
        export_parquet(log, path)
        table = files.read_table(path)
        broken = table.set_column(1, "key", arrow.array(["a", None, "", "b"], arrow.string()))
        files.write_table(broken, path)
        with FactLog(tmp_path / "two.db") as copy:
            done = import_parquet(copy, path)
        assert [problem.line for problem in done.problems] == [2, 3]
        assert (done.stored, done.rejected) == (2, 2)
        files.write_table(table.drop_columns(["key"]), path)
        with pytest.raises(FactError, match="wanted id string, key string"):
            import_parquet(log, path)
        path.write_bytes(b"no parquet")
        with pytest.raises(FactError, match="no Parquet file of facts"):
            import_parquet(log, path)
