"""By worlds: what a model says in each of many possible worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxml.models.propagating.outcomes import Outcome, total
from rxml.uncertain import Worlds
from rxml.uncertain.checks import summed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.models.propagating.inputs import Ids
    from rxml.models.propagating.points import Points
    from rxml.models.propagating.said import Said
    from rxml.uncertain import Draws
    from rxml.uncertain.checks import Floats


class ByWorlds:
    """The values in all worlds; where the model is unsure itself, one that it holds possible in each.

    Args:
        points: that were asked for.
        draws: the worlds.
        ids: of the facts.
        explain: whether the parts of inputs are found, which takes as long as all else.
    """

    def __init__(
        self, points: Points, draws: Draws, ids: Callable[[], Ids], *, explain: bool
    ) -> None:
        self._explain = explain
        self._points = points
        self._draws = draws
        self._ids = ids

    def outcome(self, said: Said, name: str, noise: float) -> Outcome:
        """What is to be said of an output.

        Args:
            said: at the points.
            name: of the output.
            noise: the residual variance.
        """
        count = self._draws.worlds
        mean = np.broadcast_to(said.mean[-count:], (count, self._points.rows))
        with np.errstate(invalid="ignore", over="ignore"):
            values = mean if said.column is None else self._sampled(said, name)
            if noise:
                values = values + np.sqrt(noise) * self._draws.normal(
                    f"residual of {name}", self._ids()
                )
            inputs, together = _shares(mean, self._points.values) if self._explain else ({}, None)
        values = np.where(np.isfinite(values), values, np.nan)
        column = Worlds.adopt(values=values, logw=None, world=self._draws.key)
        model, residual = self._expected(said.model), self._expected(said.residual) + noise
        return Outcome(column, inputs, model, residual, together)

    def _sampled(self, said: Said, name: str) -> Floats:
        uniform = self._draws.uniform(f"model of {name}", self._ids())
        if self._points.count == 1:
            found: Floats = said.column.ppf(uniform)
        else:
            last = slice(-uniform.size, None) if uniform.size else slice(0, 0)
            found = said.column.slice(last).ppf(uniform.reshape(-1))
        return found.reshape(uniform.shape)

    def _expected(self, var: Floats | None) -> Floats:
        if var is None:
            return np.zeros(self._points.rows)
        last = var[-self._draws.worlds :]
        return summed(last, axis=0) / len(last)


def _shares(y: Floats, values: Mapping[str, Floats]) -> tuple[dict[str, Floats], Floats]:
    """What each input explains by a line through the worlds (first-order effects), and what is left of the variance."""
    gap = _centered(y)
    whole = summed(np.square(gap), axis=0) / len(y)
    found = {name: _explained(gap, _centered(x)) for name, x in values.items()}
    explained = total(found.values(), np.zeros_like(whole))
    over = explained > whole
    scale = np.divide(whole, explained, out=np.ones_like(whole), where=over)
    found = {name: each * scale for name, each in found.items()}
    return found, np.where(over, 0.0, whole - explained)


def _explained(gap: Floats, along: Floats) -> Floats:
    spread = summed(np.square(along), axis=0)
    moved: Floats = np.square(summed(along * gap, axis=0)) / len(gap)
    share: Floats = np.divide(moved, spread, out=np.zeros_like(moved), where=spread > 0)
    return share


def _centered(y: Floats) -> Floats:
    gap = y - y[0]  # what is the same in all worlds is exactly 0
    centered: Floats = gap - summed(gap, axis=0) / len(y)
    return centered
