"""SelectiveRisk: from which certainty on answers are wrong no more often than they may be, with a guarantee."""

from __future__ import annotations

from collections import deque
from math import ceil, log, log1p
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from rxml.uncertain.calibration.calibrator import require_count, require_level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

GRID: Final[tuple[float, ...]] = (
    *(each / 100 for each in range(100)),
    *(1.0 - 10.0 ** (-2 - each / 10) for each in range(1, 41)),
)
"""Certainties that are tried: each hundredth, and on to one millionth below 1 since networks tend to be so sure."""

_CODES: Final = tuple(range(2 * len(GRID)))
"""A label as one number: twice its place, and one more if the answer was wrong. The same objects for all, 8 bytes each."""


class SelectiveRisk:
    """The smallest certainty of a grid such that P(wrong | at least as sure) <= risk, with probability 1 - delta.

    Learn then Test (Angelopoulos, Bates, Candes, Jordan, Lei, 2021): for each certainty the hypothesis that the risk is
    larger has the p-value P(Binomial(n, risk) <= errors), n being labels of what was as sure. They are tested by fixed
    sequences with several starts: from each start on to less sure ones, to the first that is not rejected at delta / starts.
    The first start is where so few labels are as sure that they must all be right, each further one where they are twice
    as many: one wrong answer among the surest then proves nothing, but ends nothing. Starts follow from certainties alone,
    not from labels. It holds at each moment for exchangeable cases, not for all moments together.

    Args:
        risk: share of the answers that may be wrong, in (0, 1).
        delta: chance that more are, in (0, 1).
        window: newest labels that count, at least the ln(delta) / ln(1 - risk) that it takes to say anything.

    Raises:
        ValueError: an argument out of its range.
    """

    risk: float
    delta: float
    window: int
    _place: int | None

    def __init__(self, risk: float, delta: float, window: int = 10_000) -> None:
        self.risk = _require_share("risk", risk)
        self.delta = _require_share("delta", delta)
        self.window = require_count("window", window)
        if self.window < self.least:
            text = f"it takes {self.least} labels to promise a risk of {risk} with delta {delta}"
            raise ValueError(f"window is {window}: {text}")
        self._criticals: dict[int, _Critical] = {}  # by how many starts share delta
        self._forget()

    @property
    def least(self) -> int:
        """Labels without which nothing can be promised."""
        return self._least(1)

    @property
    def place(self) -> int:
        """In `GRID`, of the certainty from which on answers are given; len(GRID): none is."""
        if self._place is None:
            self._place = self._tested()
        return self._place

    def another(self) -> SelectiveRisk:
        """One of the same configuration that has heard nothing; what both must compute is computed once."""
        made = SelectiveRisk(self.risk, self.delta, self.window)
        made._criticals = self._criticals
        return made

    def _least(self, starts: int) -> int:
        return ceil(log(self.delta / starts) / log1p(-self.risk) - 1e-9)

    def _forget(self) -> None:
        self._latest: deque[int] = deque()
        self._counts: NDArray[np.int64] = np.zeros((2, len(GRID)), np.int64)
        self._place = None

    def put(self, place: int, *, wrong: bool) -> None:
        """A label came to an answer of a certainty in this place of the grid (see `places`)."""
        if len(self._latest) == self.window:
            oldest, erred = divmod(self._latest.popleft(), 2)
            self._counts[0, oldest] -= 1
            self._counts[1, oldest] -= erred
        self._latest.append(_CODES[2 * place + wrong])
        self._counts[0, place] += 1
        self._counts[1, place] += wrong
        self._place = None

    def _tested(self) -> int:
        n, errors = self._counts[:, ::-1].cumsum(axis=1)
        starts = self._starts(n)
        if not len(starts):
            return len(GRID)
        held = errors <= self._critical(len(starts)).errors(int(n[-1]))[n]
        proven = starts[held[starts]]
        if not len(proven):
            return len(GRID)
        ends = np.append(np.flatnonzero(~held), len(GRID))
        return len(GRID) - int(ends[np.searchsorted(ends, proven[-1])])

    def _starts(self, n: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where at least so many are as sure; those that come to the same certainty are one."""
        total, starts = int(n[-1]), 0
        while self._least(starts + 1) << starts <= total:
            starts += 1
        sizes = [self._least(starts) << each for each in range(starts)]
        return np.unique(np.searchsorted(n, np.array(sizes, np.int64)))

    def _critical(self, starts: int) -> _Critical:
        if starts not in self._criticals:
            self._criticals[starts] = _Critical(self.risk, self.delta / starts)
        return self._criticals[starts]

    def snapshot(self) -> dict[str, Any]:
        """The state, of numbers and arrays."""
        return {"latest": np.column_stack(np.divmod(np.array(self._latest, np.int64), 2))}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as when that was taken, by one of the same configuration."""
        self._forget()
        at, wrong = np.asarray(state["latest"], np.int64).reshape(-1, 2).T
        self._latest.extend(map(_CODES.__getitem__, (2 * at + (wrong == 1)).tolist()))
        self._counts[0] = np.bincount(at, minlength=len(GRID))
        self._counts[1] = np.bincount(at[wrong == 1], minlength=len(GRID))


class _Critical:
    """How many errors among n are so few that P(Binomial(n, risk) <= errors) <= delta; -1 if none are.

    From n to n + 1 that number grows by 0 or 1, so one step takes a few products.
    """

    def __init__(self, risk: float, delta: float) -> None:
        self._risk = risk
        self._delta = delta
        self._most = -1
        self._below = 0.0  # P(Binomial(n, risk) <= most)
        self._next = 1.0  # P(Binomial(n, risk) = most + 1)
        self._known = np.full(1, -1, np.int64)

    def errors(self, n: int) -> NDArray[np.int64]:
        """For each number from 0 to n at least."""
        if n >= len(self._known):
            end = max(n + 1, 2 * len(self._known), 256)
            more = [self._grown(each) for each in range(len(self._known), end)]
            self._known = np.concatenate([self._known, np.array(more, np.int64)])
        return self._known

    def _grown(self, n: int) -> int:
        risk, most = self._risk, self._most
        here = self._next * (most + 1) / (n - 1 - most) * (1.0 - risk) / risk
        self._below -= risk * here
        self._next = self._next * (1.0 - risk) + risk * here
        if self._below + self._next <= self._delta:
            self._most = most = most + 1
            self._below += self._next
            self._next *= (n - most) / (most + 1) * risk / (1.0 - risk)
        return most


def places(certainty: ArrayLike) -> NDArray[np.intp]:
    """The place in `GRID` of each certainty within [0, 1]: of the largest that is no more than it."""
    return np.searchsorted(np.array(GRID), np.asarray(certainty), "right") - 1


def _require_share(name: str, share: float) -> float:
    try:
        return require_level(share)
    except ValueError:
        raise ValueError(f"{name} is {share!r}: give a share above 0 and below 1") from None
