"""ask: somebody answers in time or late, for one or for two, and what they said is a label."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import operators as ops
from rxml.errors import SchemaError
from rxml.flow.service import Service
from rxml.learning import Label, Questions
from rxml.testing.virtual_time import run
from tests.unit.learning.labelled import results

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from rxml.flow.operator import Operator


def unsure(name: Any, *, ok: bool = False, **more: Any) -> dict[str, Any]:
    return {"id": name, "value": 0, "unsure": not ok, **more}


def asked(questions: Questions, **how: Any) -> Operator[Any, Any]:
    settings: dict[str, Any] = {"when": "unsure", "within": 10, "budget": 1.0, **how}
    return ops.ask(questions, **settings)


def answers(rows: list[Any]) -> list[tuple[Any, str, str]]:
    return [(row["value"], row["rung"], row["reason"]) for row in rows]


async def later(seconds: float, questions: Questions, name: Any, value: Any) -> bool:
    await asyncio.sleep(seconds)
    return questions.answer(name, value)


async def together(*work: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*work))


def test_answers_in_time_count_and_all_of_them_are_labels() -> None:
    questions = Questions()
    flow = rxml.of(unsure(1), unsure(2), unsure(3, ok=True), unsure(4)).pipe(asked(questions))

    async def main() -> list[Any]:
        rows, *told = await together(
            flow.to_list(),
            later(1, questions, 2, "two"),
            later(5, questions, 1, "one"),
            later(6, questions, 3, "nobody asked"),
            later(20, questions, 4, "four"),
            later(21, questions, 4, "again"),
        )
        learnt = await questions.labels.pipe(ops.take(3)).to_list()
        return [answers(rows), told, learnt]

    rows, told, learnt = run(main())
    assert rows == [
        ("one", "human", ""),
        ("two", "human", ""),
        (0, "primary", ""),
        (0, "primary", "late"),
    ]
    assert told == [True, True, False, False, False]
    assert learnt == [Label(2, "two"), Label(1, "one"), Label(4, "four")]
    assert questions.waiting == 0


def test_who_shows_questions_sees_those_that_are_open() -> None:
    async def main() -> list[Any]:
        questions = Questions()
        elements = asyncio.create_task(
            rxml.of(unsure(1, x=5), unsure(2)).pipe(asked(questions)).to_list()
        )
        await asyncio.sleep(1)
        questions.answer(2, "two")
        async for question in questions.flow:
            assert question.open
            seen = [question.id, question.element["x"], question.due, questions.waiting]
            questions.answer(question.id, "one")
            return [seen, answers(await elements)]
        return []

    seen, rows = run(main())
    assert seen == [1, 5, 10.0, 1]
    assert rows == [("one", "human", ""), ("two", "human", "")]


def test_two_elements_of_one_id_have_one_answer() -> None:
    questions = Questions()
    flow = rxml.of(unsure("x"), unsure("x")).pipe(asked(questions))
    rows, _ = run(together(flow.to_list(), later(1, questions, "x", 7)))
    assert answers(rows) == [(7, "human", "")] * 2


def test_of_more_questions_than_there_is_room_for_the_newest_are_not_asked() -> None:
    questions = Questions(capacity=1)
    rows = results([unsure(1), unsure(2)], asked(questions))
    assert answers(rows) == [(0, "primary", "late"), (0, "primary", "full")]


def test_a_service_waits_for_nobody_longer_than_who_asks_waits_for_it() -> None:
    questions = Questions()

    async def main() -> list[Any]:
        async with Service(asked(questions)) as service:
            hurried = service.ask(unsure(1), within=1.0)
            sure = service.ask(unsure(2, ok=True))
            patient = service.ask(unsure(3))
            *rows, _ = await together(hurried, sure, patient, later(2, questions, 3, "three"))
            return answers(rows)

    assert run(main()) == [(0, "primary", "late"), (0, "primary", ""), ("three", "human", "")]


def test_who_goes_away_leaves_no_question_behind() -> None:
    questions = Questions()

    async def main() -> int:
        async with rxml.of(unsure(1)).pipe(asked(questions)).open() as subscription:
            waiting = asyncio.create_task(subscription.request(1))
            await asyncio.sleep(1)
            before = questions.waiting
            waiting.cancel()
        return before

    assert run(main()) == 1
    assert questions.waiting == 0


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(SchemaError, match="an id is"):
        results([unsure(None)], asked(Questions()))
    with pytest.raises(TypeError, match="wants Questions, got dict"):
        asked({})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="within > 0"):
        asked(Questions(), within=0)
    with pytest.raises(ValueError, match="capacity"):
        Questions(0)
