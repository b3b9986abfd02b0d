"""Probe and Recorder: a sink by hand, a stage that notes everything, and the diagram of both."""

from __future__ import annotations

from typing import Any

import pytest

import rxml
from rxml import Chunk
from rxml import operators as ops
from rxml.testing import (
    Fail,
    Kind,
    Never,
    Probe,
    Recorder,
    Sleep,
    Timeline,
    Watermark,
    check_released,
    marble,
    run,
    scripted,
)
from rxml.testing.leaks import check_collected
from rxml.virtual.errors import LeakError


def double(x: int) -> int:
    return x * 2


def tenfold(x: int) -> int:
    return x * 10


def probed(flow: Any, *expectations: Any) -> None:
    async def main() -> None:
        async with Probe(flow) as probe:
            for name, *arguments in expectations:
                await getattr(probe, name)(*arguments)

    run(main())


def test_what_is_expected_comes() -> None:
    flow = scripted(1, Watermark(3), Chunk([2, float("nan")]), Sleep(5.0), 4, Watermark(9))
    probed(flow, ("expect", 1, 2), ("expect", float("nan")), ("expect_nothing", 2.0), ("expect", 4))
    probed(flow, ("expect", 1, 2, float("nan"), 4), ("expect_end",))
    probed(scripted(Fail(KeyError("k"))), ("expect_error", KeyError))


@pytest.mark.parametrize(
    ("flow", "expectation", "message"),
    [
        (rxml.of(1, 2), ("expect", 1, 3), r"expected \[1, 3\], got \[1, 2\]"),
        (rxml.of(1), ("expect", 1, 3), r"expected \[1, 3\], got \[1\] and then the end"),
        (scripted(1, Never()), ("expect", 1, 3), "got .1. and then nothing more"),
        (rxml.of(1), ("expect_end",), "expected the end, got Chunk"),
        (scripted(Never()), ("expect_end",), "expected the end, got no answer"),
        (rxml.empty(), ("expect_error",), "expected Exception, got END"),
        (rxml.of(1), ("expect_nothing",), "expected nothing, got Chunk"),
    ],
)
def test_what_is_not_expected_is_shown_with_the_timeline(
    flow: Any, expectation: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        probed(flow, expectation)
    assert "sink  ?" in str(caught.value)


def test_another_error_than_expected_comes_out_as_it_is() -> None:
    with pytest.raises(OSError, match="disk"):
        probed(scripted(Fail(OSError("disk"))), ("expect_error", KeyError))


def test_statistics_and_elements_can_be_looked_at() -> None:
    async def main() -> tuple[int, list[int]]:
        async with Probe(rxml.of(1, 2, 3).pipe(ops.map(double))) as probe:
            await probe.request(2)
            return probe.statistics()["of"].emitted, probe.elements

    assert run(main()) == (2, [2, 4])


def test_a_probe_has_a_run_only_while_it_is_open() -> None:
    with pytest.raises(RuntimeError, match="inside `async with"):
        _ = Probe(rxml.of(1)).run


def test_recorders_show_how_stages_play_together() -> None:
    timeline = Timeline()
    before, after = Recorder("before", timeline), Recorder("after", timeline)
    flow = scripted(Chunk([1, 2]), Sleep(3.0), 3).pipe(before, ops.map(tenfold), after)
    probed(flow, ("expect", 10), ("expect", 20, 30), ("expect_end",))
    assert timeline.elements("before") == timeline.elements("after") == 3
    assert [event.time for event in timeline.of("after", Kind.CHUNK)] == [0.0, 0.0, 3.0]
    assert str(before) == marble(timeline)
    check_released(timeline)


def test_the_diagram_shows_time_demand_chunks_signals_and_ends() -> None:
    timeline = Timeline()
    flow = scripted("a", Sleep(1.5), Chunk(["b", "c"], watermark=4), timeline=timeline)

    async def main() -> None:
        async with Probe(flow, timeline=timeline) as probe:
            await probe.request(3)
            await probe.request()
            await probe.request(1)

    run(main())
    assert marble(timeline).splitlines() == [
        "time    0                         1.5",
        "sink    ?3............-'a'-.?*.................-'b'-'c'-W4-.?1........|.",
        "source  ...?3.^.-'a'-..........?*.-'b'-'c'-W4-.................?1.$.|...",
    ]


def test_the_diagram_shows_errors_cancellations_and_misuse() -> None:
    timeline = Timeline()
    probed(scripted(Fail(ValueError()), timeline=timeline), ("expect_error",))
    probed(scripted(Never(), timeline=timeline, lane="other"), ("expect_nothing",), ("cancel",))
    text = marble(timeline)
    assert "#ValueError" in text
    for mark in "~!$^":
        assert mark in text


def test_a_long_diagram_is_cut_and_broken_into_lines() -> None:
    timeline = Timeline()
    flow = scripted(*range(100), timeline=timeline)
    probed(flow, ("expect", *range(100)))
    text = marble(timeline, width=60)
    assert " ... " in text
    assert max(map(len, text.splitlines())) <= 60
    assert len(text.splitlines()) > 20
    with pytest.raises(ValueError, match="at least 40"):
        marble(timeline, width=10)
    assert marble(Timeline()) == "(nothing happened)"


def test_leaks_are_named() -> None:
    timeline = Timeline()
    timeline.events.clear()
    probed(scripted(1, timeline=timeline), ("expect", 1))
    del timeline.events[-1]
    with pytest.raises(LeakError, match="source was opened 1 times and released 0 times"):
        check_released(timeline)


class Thing:
    """Something that a test holds."""


def test_what_is_held_in_memory_is_named() -> None:
    import weakref

    thing = Thing()
    holder = {"thing": thing}
    reference = weakref.ref(thing)
    del thing
    with pytest.raises(LeakError, match="Thing is still held in memory, by dict"):
        check_collected(reference)
    holder.clear()
    check_collected(reference)
