"""Event times: what is taken, to the nanosecond, and what is refused, with a word on what would be right."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.errors import SchemaError
from rxml.eventtime import bounded
from rxml.eventtime.instants import instant, instants, nanoseconds
from rxml.flow.chunk import Chunk
from rxml.flow.supervision import Directive
from rxml.stores import Checkpoint
from rxml.testing import run, scripted
from tests.unit.checkpointing.memory_store import Died, MemoryStore

if TYPE_CHECKING:
    from rxml.flow.operator import Operator

LEAST, MOST = -(2**63), 2**63 - 1
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOON_NS = 1_714_564_800_000_000_000


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (NOON_NS + 1, None, NOON_NS + 1),
        (np.int32(5), None, 5),
        (-5, "us", -5_000),
        (1_714_564_800, "s", NOON_NS),
        (1_714_564_800.25, "s", NOON_NS + 250_000_000),
        (1_714_564_800_123, "ms", NOON_NS + 123_000_000),
        (0.5, "ns", 0),
        (NOON, None, NOON_NS),
        (NOON.astimezone(timezone(timedelta(hours=5))), "s", NOON_NS),
        (NOON + timedelta(microseconds=1), None, NOON_NS + 1000),
        (np.datetime64("2024-05-01T12:00"), None, NOON_NS),
        (np.datetime64(7, "ns"), None, 7),
        (MOST, None, MOST),
        (LEAST + 1, None, LEAST + 1),
        (MOST // 10**9, "s", MOST // 10**9 * 10**9),
    ],
)
def test_what_is_a_time(value: Any, unit: Any, expected: int) -> None:
    assert instant(value, unit) == expected
    assert instants([value], unit).tolist() == [expected]
    assert instants(np.array([value]), unit).tolist() == [expected]


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        (None, None, "missing: None; leave such elements out before"),
        (float("nan"), "s", "missing: nan"),
        (float("inf"), "s", "missing: inf"),
        (np.datetime64("NaT"), None, "missing: NaT"),
        (LEAST, None, "least int64, which stands for a missing time"),
        (1.5, None, "is a fraction: say what it counts, such as unit='s'"),
        (
            True,
            None,
            r"True_? \(bool_?\) is neither a whole number, an aware datetime nor a datetime64",
        ),
        ("2024-05-01", None, r"2024-05-01.* is neither a whole number"),
        (datetime(2024, 5, 1), None, "has no time zone; give it one, such as datetime.UTC"),  # noqa: DTZ001
        (MOST + 1, None, "beyond the years 1677 to 2262"),
        (2**70, None, "beyond the years 1677 to 2262"),
        (MOST // 10**9 + 1, "s", "beyond the years 1677 to 2262"),
        (-(MOST // 10**3) - 1, "us", "beyond the years 1677 to 2262"),
        (1e300, "s", "beyond the years 1677 to 2262"),
        (datetime(9999, 12, 31, tzinfo=UTC), None, "beyond the years 1677 to 2262"),
        (np.datetime64("9999-12-31"), None, "beyond the years 1677 to 2262"),
    ],
)
def test_what_is_none(value: Any, unit: Any, message: str) -> None:
    for give in (
        lambda: instant(value, unit),
        lambda: instants([3, value], unit),
        lambda: instants(np.array([value]), unit),
    ):
        with pytest.raises(SchemaError, match=message):
            give()


DAY = 86_400 * 10**9


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, NOON], [3, NOON_NS]),
        ([np.datetime64(1, "D"), np.datetime64(5, "ns")], [DAY, 5]),
        ([np.datetime64("2200-01-01"), np.datetime64(5, "ns")], [84_006 * DAY, 5]),
        ([np.int64(3), 4], [3, 4]),
        ([], []),
    ],
)
def test_times_of_several_kinds_side_by_side(values: list[Any], expected: list[int]) -> None:
    assert instants(values).tolist() == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([3, np.bool_(True)], r"True_? \(bool_?\) is neither a whole number"),
        ([3, True], r"True \(bool\) is neither a whole number"),
        ([np.timedelta64(3, "s")], r"\(timedelta64\) is neither a whole number"),
        ([3, np.timedelta64(3, "ns")], r"\(timedelta64\) is neither a whole number"),
        (np.array([3], "m8[s]"), "is neither a whole number"),
        ([np.datetime64("2500-01-01"), np.datetime64(5, "ns")], "beyond the years 1677 to 2262"),
        ([np.datetime64(1, "ns"), np.datetime64("NaT")], "missing: NaT"),
        ([[1, 2]], "is neither a whole number"),
    ],
)
def test_what_numpy_would_make_a_time_of(values: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        instants(values)


UNITS = st.sampled_from(["ns", "us", "ms", "s"])
NUMBERS = st.integers(-(2**33), 2**33) | st.floats(-1e9, 1e9)


@given(values=st.lists(NUMBERS, max_size=6), unit=UNITS)
def test_a_time_does_not_depend_on_what_comes_beside_it(values: list[Any], unit: Any) -> None:
    assert instants(values, unit).tolist() == [instant(each, unit) for each in values]


@given(values=st.lists(st.integers(LEAST, MOST), min_size=1, max_size=5), unit=UNITS)
def test_no_number_wraps_around(values: list[int], unit: Any) -> None:
    scale = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}[unit]
    fits = all(-MOST <= each * scale <= MOST for each in values)
    for given_as in (values, np.array(values, np.int64)):
        if fits:
            assert instants(given_as, unit).tolist() == [each * scale for each in values]
        else:
            with pytest.raises(SchemaError):
                instants(given_as, unit)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(0, 0), (1.5, 1_500_000_000), (timedelta(days=1), 86_400 * 10**9), (10**9, 10**18), (1e-9, 1)],
)
def test_durations(duration: Any, expected: int) -> None:
    assert nanoseconds(duration, "it") == expected


@pytest.mark.parametrize(
    ("duration", "error", "message"),
    [
        (-1, ValueError, "it wants a duration >= 0, got -1"),
        (float("nan"), ValueError, "it wants a duration >= 0, got nan"),
        (10**10, ValueError, "less than 292 years, got 10000000000"),
        (float("inf"), ValueError, "less than 292 years, got inf"),
        (timedelta(days=365 * 300), ValueError, "less than 292 years"),
        ("1", TypeError, "it wants seconds as a number or a timedelta, got '1'"),
    ],
)
def test_what_is_no_duration(duration: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nanoseconds(duration, "it")


@pytest.mark.parametrize(
    ("first", "unit"),
    [(1_714_564_800, "s"), (1_714_564_800_000, "ms"), (1_714_564_800_000_000, "us")],
)
def test_seconds_where_nanoseconds_are_meant_are_noticed(first: int, unit: Any) -> None:
    flow: Any = rxml.of(first, first + 1)
    with pytest.raises(SchemaError, match=f"if it counts {unit}, say unit='{unit}'"):
        run(flow.pipe(ops.with_event_time(int)).to_list())
    for right in (unit, "ns"):
        timed = flow.pipe(ops.with_event_time(int, unit=right))
        assert run(timed.to_list()) == [first, first + 1]


def whole(value: Any) -> Any:
    return value


def test_no_later_element_is_taken_for_the_first() -> None:
    first, later = 1_000, 1_714_564_800
    timed: Any = ops.with_event_time(whole)
    resumed: Any = ops.supervise("resume", dead_letters=lambda _: None)
    assert run(rxml.of(first, later).pipe(timed).to_list()) == [first, later]
    source: Any = scripted(None, first, Chunk([None, later]), later)
    assert run(source.pipe(timed, resumed).to_list()) == [first, later, later]

    async def main() -> list[int]:
        store, out = MemoryStore(1), list[int]()
        for _ in range(2):
            flow = rxml.of(first, later).pipe(timed, ops.do_action(out.append))
            with suppress(Died):
                await flow.run(checkpoint=Checkpoint(store, every=None, elements=1))
        return out

    assert run(main()) == [first, later]


def test_bad_times_are_left_out_one_by_one_and_move_nothing() -> None:
    values = [5, None, 10**30, 7, float("nan"), "x", 6]
    letters: list[Any] = []
    resumed: Any = ops.supervise(lambda _: Directive.RESUME, dead_letters=letters.append)
    timed: Operator[Any, Any] = ops.with_event_time(lambda x: x, bounded(0), unit="ns")
    assert run(rxml.from_iterable(values).pipe(timed, resumed).to_list()) == [5, 7, 6]
    assert [each.element for each in letters] == [None, 10**30, values[4], "x"]


def test_a_batch_without_its_bad_rows_is_still_one() -> None:
    batch = Batch({"t": np.array([1.0, np.nan, 3.0]), "x": np.array([1, 2, 3])})
    resumed: Any = ops.supervise(lambda _: Directive.RESUME, dead_letters=lambda _: None)
    flow: Any = rxml.from_batches([batch]).pipe(ops.with_event_time("t", unit="s"), resumed)

    async def first() -> Any:
        async with flow.open() as stream:
            return (await stream.request(9)).elements

    kept = run(first())
    assert isinstance(kept, Batch)
    assert kept.array("x").tolist() == [1, 3]
