"""What receivers say of each element, and say in an odd way: nothing is taken for taken that was not."""

from __future__ import annotations

import json
from typing import Any

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import ConnectionLost
from rxml.http import webhook
from rxml.http.judging import judged
from tests.http.helpers import run
from tests.http.hooks import QUICK, hooked

NO = [{"index": 1, "error": "no"}]


def told(**fields: Any) -> bytes:
    return json.dumps({"rejected": 0, "errors": [], **fields}).encode()


async def posted(url: str, n: int, **how: Any) -> tuple[list[int], list[Any]]:
    """What came through of so many elements, and what did not."""
    letters: list[Any] = []
    flow = rxml.range(0, n).pipe(
        webhook(url, batch=n, **QUICK, **how),
        ops.supervise("resume", dead_letters=letters.append),
    )
    return await flow.to_list(), letters


def test_an_answer_is_read_to_its_end_however_it_comes() -> None:
    async def main() -> None:
        async with hooked((207, {}, told(rejected=1, errors=NO))) as hook:
            hook.halting = True
            taken, letters = await posted(hook.url, 4)
            assert taken == [0, 2, 3]
            assert [letter.element for letter in letters] == [1]
            assert len(hook.bodies) == 1

    run(main())


@pytest.mark.parametrize("status", [200, 202, 207])
def test_who_lists_only_some_of_what_it_refused_is_asked_about_each(status: int) -> None:
    async def main() -> None:
        some = told(rejected=3, errors=NO)
        one = told(rejected=1, errors=[{"index": 0, "error": "no"}])
        answers: list[Any] = [(status, {}, some), (422, {}, one), 200]
        async with hooked(*answers) as hook:
            taken, letters = await posted(hook.url, 4)
            assert taken == [1, 2, 3]
            assert [letter.element for letter in letters] == [0]
            assert hook.bodies == [[0, 1, 2, 3], [0, 1], [2, 3]]

    run(main())


@pytest.mark.parametrize("following", [-3, 0, 9])
@pytest.mark.parametrize("status", [200, 202, 422, 503])
def test_a_place_that_is_none_sends_nobody_round_in_circles(status: int, following: int) -> None:
    found = judged(status, {}, told(next=following), 4)
    assert 0 <= found.done <= 4
    assert found.done == 4 or found.halve or found.again


def test_one_element_that_is_refused_is_never_taken() -> None:
    found = judged(207, {}, told(rejected=1), 1)
    assert list(found.refused) == [0]


def test_who_wants_to_be_asked_again_too_late_is_not_waited_for() -> None:
    async def main() -> None:
        later = (429, {"Retry-After": "100000"}, told(next=2))
        async with hooked(later) as hook:
            taken, letters = await posted(hook.url, 4)
            assert taken == [0, 1]
            assert [letter.element for letter in letters] == [2, 3]
            assert all(isinstance(letter.error, ConnectionLost) for letter in letters)

    run(main())
