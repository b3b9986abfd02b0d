"""Ages keep no more than twice what waits, whatever came and went, and look at none but who is due."""

from __future__ import annotations

from rxml.uncertain.calibration.ages import Ages


def test_what_waits_no_more_is_forgotten() -> None:
    since: dict[int, int] = {}
    ages = Ages(lambda name, time: since.get(name) == time)
    for name in range(10_000):
        since[name] = name
        since.pop(name - 10, None)
        ages.put([name], [name], len(since))
        assert len(ages) <= 2 * len(since) + 64
    assert ages.due(9_994) == [9_990, 9_991, 9_992, 9_993, 9_994]
    assert ages.due(9_994) == []


def test_a_name_that_came_again_is_due_in_its_later_place() -> None:
    since = {1: 5, 2: 5}
    ages = Ages(lambda name, time: since.get(name) == time)
    ages.put([1, 2, 1], [5, 5, 5], 2)
    assert ages.due(5) == [2, 1]


def test_a_watermark_looks_at_none_but_those_that_are_due() -> None:
    looked: list[int] = []

    def waits(name: int, _: int) -> bool:
        looked.append(name)
        return True

    ages = Ages(waits)
    ages.put(range(1000), range(1000), 1000)
    assert [ages.due(at) for at in range(5)] == [[at] for at in range(5)]
    assert looked == list(range(5))
