"""Questions: what people are asked about elements that no model is sure of, and what they answer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rxml.errors import DeadlineError, StreamTimeoutError
from rxml.eventtime.reading import read
from rxml.flow.check import require_count
from rxml.flow.guarding.standing import deadline, in_time, now, within
from rxml.flow.supervising.news import News
from rxml.learning.identity import require_ids
from rxml.learning.label import Label
from rxml.models.scoring.routing_stage import kept, replaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.models.scoring.routing_stage import Marked
    from rxml.uncertain.calibration.labels import Id

HUMAN: Final = "human"
"""The rung of an answer that somebody gave."""

_SHARE: Final = 0.95
"""Of the time until the element's deadline, what an answer is waited for: the rest is for what comes behind."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """An element that somebody is asked about.

    Attributes:
        id: of the element; what `Questions.answer` wants.
        element: it, with what was answered so far.
        due: when it is answered without, in seconds of the run's clock.
    """

    id: Id
    element: Mapping[str, Any]
    due: float
    answered: asyncio.Future[Any] = field(repr=False)

    @property
    def open(self) -> bool:
        """Whether an answer is still waited for."""
        return not self.answered.done()


class Questions:
    """What people are asked, between `ops.ask` and who shows it to them: read `flow`, and call `answer`.

    All is done on the event loop of the run.

    Args:
        capacity: questions that are open at once, >= 1; elements that find no room keep the answer that they have. As many
            that are closed are remembered, so that a late answer is still a label.

    Raises:
        ValueError: a capacity below 1.
    """

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = require_count("Questions(capacity)", capacity, 1)
        self._open: dict[Id, list[Question]] = {}
        self._held = 0
        self._closed: OrderedDict[Id, None] = OrderedDict()
        self._news: News[Question] = News(capacity)
        self._labels: News[Label] = News(capacity)

    @property
    def flow(self) -> Flowable[Question]:
        """The questions that are open, then each as it is asked. Who reads slowly misses those that are closed by then."""
        return self._news.flow("questions", _is_open)

    @property
    def labels(self) -> Flowable[Label]:
        """What was answered, in time or late, as labels: for `labels=` of what learns."""
        return self._labels.flow("labels")

    @property
    def waiting(self) -> int:
        """Questions that are open."""
        return sum(each.open for questions in self._open.values() for each in questions)

    def answer(self, name: Id, value: Any) -> bool:
        """Somebody has answered: whether it was in time. An id that was never asked for, or long ago, teaches nothing."""
        questions = [each for each in self._open.get(name, ()) if each.open]
        if not questions and name not in self._closed:
            return False
        self._closed.pop(name, None)
        for question in questions:
            question.answered.set_result(value)
        self._labels.tell(Label(name, value))
        return bool(questions)

    def put(self, name: Id, element: Mapping[str, Any], due: float) -> Question | None:
        """Ask; None if there is no room. To be given back to `close`."""
        if self._held >= self._capacity:
            return None
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        question = Question(name, element, due, future)
        self._open.setdefault(name, []).append(question)
        self._held += 1
        self._news.tell(question)
        return question

    def close(self, question: Question) -> None:
        """An answer is waited for no more."""
        self._held -= 1
        others = self._open[question.id]
        others.remove(question)
        if not others:
            del self._open[question.id]
        if not question.answered.done() or question.answered.cancelled():
            question.answered.cancel()
            self._closed[question.id] = None
            if len(self._closed) > self._capacity:
                self._closed.popitem(last=False)


class Asking:
    """Answers an element by what somebody says of it, if it is marked and that comes in time; else leaves it.

    Args:
        questions: where it is asked.
        seconds: that an answer is waited for.
        ids: the id of an element.
        into: the column that takes an answer.
    """

    def __init__(self, questions: Questions, seconds: float, ids: Column, into: str) -> None:
        self._questions = questions
        self._seconds = seconds
        self._ids = ids
        self._into = into

    async def __call__(self, marked: Marked) -> Any:
        """The element as a row."""
        if not marked.goes:
            return kept(marked.item)
        (name,) = require_ids(list(read([marked.item], self._ids)))
        due = deadline()
        limit = now() + min(self._seconds, _SHARE * in_time())
        question = self._questions.put(name, marked.item, limit)
        if question is None:
            return kept(marked.item, "full")
        try:
            value = await within(question.answered, due, limit)
        except (DeadlineError, StreamTimeoutError):
            return kept(marked.item, "late")
        finally:
            self._questions.close(question)
        return replaced(marked.item, {self._into: value}, HUMAN)


def _is_open(question: Question) -> bool:
    return question.open
