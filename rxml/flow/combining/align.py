"""Align: watermarks and barriers of several inputs as those of one stream."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping


class Alignment:
    """Watermark: the least of the inputs that have not ended and are not idle, once each has one; it never goes back.

    Idle: when all inputs are.

    Barrier: passed on when all inputs have come to it; one that has come to it waits for the others.
    """

    __slots__ = (
        "_barrier",
        "_idle",
        "_idle_passed",
        "_left",
        "_marks",
        "_news",
        "_passed",
        "_seen",
        "waiting",
    )

    def __init__(self) -> None:
        self._seen = False
        self._marks: dict[Hashable, int | None] = {}
        self._passed: int | None = None
        self._left: int | None = None
        self._barrier: int | None = None
        self._news = False
        self._idle: set[Hashable] = set()
        self._idle_passed = False
        self.waiting: set[Hashable] = set()

    def enter(self, key: Hashable, mark: int | None = None) -> None:
        """Take in an input, whose watermark so far is `mark`."""
        self._marks[key] = mark

    def leave(self, key: Hashable) -> None:
        """An input has ended: it holds nothing back any more."""
        mark = self._marks.pop(key, None)
        if mark is not None and (self._left is None or mark > self._left):
            self._left = mark
        self.waiting.discard(key)
        self._idle.discard(key)
        self._news = self._seen

    def note(self, key: Hashable, signals: dict[str, Any]) -> None:
        """Take the signals that an input has given; it must not be asked again while it is in `waiting`."""
        watermark, barrier = signals.get("watermark"), signals.get("barrier")
        before = self._marks[key]
        if watermark is not None and (before is None or watermark > before):
            self._marks[key] = watermark
        if "idle" in signals:
            (self._idle.add if signals["idle"] else self._idle.discard)(key)
        if barrier is not None:
            self._barrier = barrier if self._barrier is None else max(barrier, self._barrier)
            self.waiting.add(key)
        self._news = self._seen = True

    def knows(self, key: Hashable) -> bool:
        """Whether an input counts that has not ended."""
        return key in self._marks

    def mark(self, key: Hashable) -> int | None:
        """The watermark that an input has given, if any."""
        return self._marks.get(key)

    def due(self) -> dict[str, Any]:
        """The signals that may be passed on now, each once: arguments for a `Chunk`."""
        if not self._news:
            return {}
        self._news = False
        due: dict[str, Any] = {}
        least = self._least()
        if least is not None and (self._passed is None or least > self._passed):
            self._passed = due["watermark"] = least
        idle = bool(self._marks) and len(self._idle) == len(self._marks)
        if idle is not self._idle_passed:
            self._idle_passed = due["idle"] = idle
        if self._barrier is not None and len(self.waiting) == len(self._marks):
            due["barrier"], self._barrier = self._barrier, None
            self.waiting.clear()
        return due

    def snapshot(self, names: Mapping[Any, Any]) -> Any:
        """How far the inputs have come, at a barrier that all have come to; they are told by these names."""
        marks = [[names[key], mark, key in self._idle] for key, mark in self._marks.items()]
        return [self._passed, self._left, self._idle_passed, marks]

    def restore(self, state: Any, keys: Mapping[Any, Any]) -> None:
        """Go on from a snapshot: the inputs of these names; those that are not in it had ended."""
        self._passed, self._left, self._idle_passed, marks = state
        self._marks = {keys[name]: mark for name, mark, _ in marks}
        self._idle = {keys[name] for name, _, idle in marks if idle}
        self._seen = True

    def _least(self) -> int | None:
        """The least watermark if all inputs that count have one; once all have ended, the last."""
        if not self._marks:
            return self._left
        counting = [mark for key, mark in self._marks.items() if key not in self._idle]
        marks = [mark for mark in counting if mark is not None]
        return min(marks) if marks and len(marks) == len(counting) else None


class _Fence:
    """Elements that came before a signal and are not done yet."""

    __slots__ = ("inside", "signals")

    def __init__(self) -> None:
        self.inside: int = 0
        self.signals: dict[str, Any] = {}


class Fences:
    """Keeps signals behind the elements that came before them, where elements may overtake one another.

    An element may overtake a watermark (it is early, not late), never a barrier: while one waits, `shut` is true and no
    element may be taken in.
    """

    __slots__ = ("_fences", "shut")

    def __init__(self) -> None:
        self._fences: deque[_Fence] = deque([_Fence()])
        self.shut: bool = False

    def enter(self) -> _Fence:
        """An element has come in; hand what this returns to `leave`."""
        fence = self._fences[-1]
        fence.inside += 1
        return fence

    def leave(self, fence: _Fence) -> None:
        """All that came of the element has been handed on."""
        fence.inside -= 1

    def put(self, signals: dict[str, Any]) -> None:
        """Signals have come in behind the elements so far."""
        if not signals:
            return
        if len(self._fences) > 1 and not self._fences[-1].inside:
            self._fences[-2].signals |= signals
        else:
            self._fences[-1].signals = signals
            self._fences.append(_Fence())
        self.shut = self.shut or "barrier" in signals

    def due(self) -> dict[str, Any]:
        """The signals that all elements before them have left behind, as one; empty if there are none."""
        due: dict[str, Any] = {}
        while len(self._fences) > 1 and not self._fences[0].inside:
            due |= self._fences.popleft().signals
        if "barrier" in due:
            self.shut = False
        return due
