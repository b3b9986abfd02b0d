"""What the window and log cases are made of: events within their bound, hands that look, sums that notice."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cases import events, facts, log_append, log_read, sliding, windows_columns
from benchmarks.cases.windows_rows import Hand

SIZE = 20_000


def test_events_are_out_of_order_but_never_beyond_the_bound() -> None:
    times = np.array([event["ts"] for event in events.events(SIZE)])
    newest = np.maximum.accumulate(times)
    assert 0 < (newest - times).max() < events.BOUND
    assert (times % 1_000 == 0).all()  # so that a datetime loses nothing


def test_events_are_the_same_as_rows_with_datetimes_and_as_columns() -> None:
    rows, columns = events.events(SIZE), events.columns(SIZE)
    assert [row["ts"] for row in rows] == np.concatenate([each["ts"] for each in columns]).tolist()
    keys = np.concatenate([each["key"] for each in columns]).tolist()
    assert [row["key"] for row in rows] == [f"k{key}" for key in keys]
    for row, dated in zip(rows[:100], events.dated_events(SIZE), strict=False):
        seconds = dated["at"].timestamp()
        assert row["ts"] == pytest.approx(seconds * 1e9, rel=1e-15)
    assert events.events(10) == rows[:10]


def test_a_checksum_notices_a_swapped_key_a_swapped_window_and_a_missing_result() -> None:
    right = events.checksum([1, 2], [0, 1], [0.25, 0.5])
    assert events.checksum([2, 1], [1, 0], [0.5, 0.25]) == pytest.approx(right)
    assert events.checksum([2, 1], [0, 1], [0.25, 0.5]) != pytest.approx(right)
    assert events.checksum([1, 2], [1, 0], [0.25, 0.5]) != pytest.approx(right)
    assert events.checksum([1], [0], [0.25]) != pytest.approx(right)
    assert events.checksum([1, 2], [0, 1], [0.25, 0.5000001]) != pytest.approx(right, rel=1e-9)


def late_rows() -> list[dict[str, object]]:
    """The second comes when the window of ten seconds that it is in has ended; the third ends it again for nobody."""
    after = events.START + 11 * events.SECOND
    return [
        {"ts": after, "key": "k1", "value": 1.0},
        {"ts": events.START, "key": "k1", "value": 5.0},
        {"ts": after + 1, "key": "k1", "value": 2.0},
    ]


def test_the_loop_by_hand_leaves_out_what_is_late() -> None:
    hand = Hand()
    hand.run(late_rows())
    assert hand.late == 1
    assert [(row["key"], row["mean"]) for row in hand.results] == [("k1", 1.5)]


@pytest.mark.parametrize("places", [windows_columns.Same, windows_columns.Searched])
def test_numpy_by_hand_leaves_out_what_is_late(
    places: type[windows_columns.Same | windows_columns.Searched],
) -> None:
    rows = late_rows()
    batch = {
        "ts": np.array([row["ts"] for row in rows]),
        "key": np.array([7, 7, 7]),
        "value": np.array([row["value"] for row in rows]),
    }
    hand = windows_columns.Hand(places())
    ((keys, starts, means),) = list(hand.results([batch]))
    assert hand.late == 1
    assert keys.tolist() == [7]
    assert starts.tolist() == [events.START + 10 * events.SECOND]
    assert means.tolist() == [1.5]


@pytest.mark.parametrize("ratio", [3, 10])
def test_the_two_stacks_by_hand_give_what_adding_up_anew_does(ratio: int) -> None:
    told = sliding.Told()
    batches = sliding.columns(8_000)
    sliding.Hand(ratio).run(batches, told)
    times, keys, values = (
        np.concatenate([batch[name] for batch in batches]) for name in ("ts", "key", "value")
    )
    again = sliding.Told()
    first = int(times.min()) // events.SECOND * events.SECOND
    last = int(times.max()) + ratio * events.SECOND
    for end in range(first + events.SECOND, last + 1, events.SECOND):
        inside = (times >= end - ratio * events.SECOND) & (times < end)
        counts = np.bincount(keys[inside], minlength=events.KEYS)
        sums = np.bincount(keys[inside], values[inside], events.KEYS)
        present = np.flatnonzero(counts)
        again.add(present, np.full(len(present), end), sums[present] / counts[present])
    assert told.checksum() == pytest.approx(again.checksum(), rel=1e-12)


def test_a_log_and_the_one_by_hand_are_equal_to_the_byte_and_another_is_not() -> None:
    contestants = log_append.CASE.contestants.values()
    made = {contestant.run(3_000).checksum for contestant in contestants}
    assert len(made) == 1
    assert log_append.by_hand(3_001).checksum not in made


def test_reading_a_log_gives_what_was_appended() -> None:
    total = sum(float(batch["payload.value"].sum()) for batch in facts.batches(3_000))
    assert log_read.rxml(3_000).checksum == pytest.approx(3_000 + total)
