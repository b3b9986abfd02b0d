"""The local level model: a level that drifts, seen through noise, followed for many keys at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from rxml.uncertain.checks import require
from rxml.uncertain.pooling.level_rows import MOST, Seen, followed, repeats
from rxml.uncertain.pooling.members import LARGEST, matched, numbers, require_choice
from rxml.uncertain.pooling.slots import Slots, State
from rxml.uncertain.pooling.smoother import smooth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats

Late: TypeAlias = Literal["refuse", "widen"]


@dataclass(frozen=True, slots=True, eq=False)
class Filtered:
    """What is known at each event, (n,) each.

    Attributes:
        mean: of the level, after the event.
        var: of the level; inf while nothing is known.
        prior: the level that was expected before the event.
        prior_var: its variance.
        nis: squared innovation over its variance: chi2 with 1 degree of freedom, mean 1, if q and r are right; NaN
            where nothing was seen, expected, or certain.
        late: level as many events of the slot ago as the lag, with what came since; NaN before there are so many.
        late_var: its variance; NaN likewise.
    """

    mean: Floats
    var: Floats
    prior: Floats
    prior_var: Floats
    nis: Floats
    late: Floats
    late_var: Floats


class LocalLevel:
    """Kalman filter of a random walk (variance q a unit of time) seen with noise of variance r, for each slot.

    Predict P += q dt; see y: K = P / (P + r), m += K (y - m), P = P r / (P + r). A missing y only predicts. Each event
    has its own r: sensors that differ are weighed for free. The smoother is Rauch, Tung and Striebel's (1965), over a
    fixed lag of events. Durbin and Koopman, "Time Series Analysis by State Space Methods", chapter 2.

    Args:
        q: variance that the level gains in one unit of time, >= 0, in squared units of y.
        lag: events of a slot that `late` waits for, >= 0; 0 keeps no history.
        mean: what is expected before the first event.
        var: its variance, from 0 to inf; inf lets the first event decide.
        keys: slots at first.
        late: what becomes of an event before the last one of its slot: "refuse" it, or "widen" its noise by what the
            level has drifted since, and take it as seen at the time of that last one.

    Attributes:
        q: as given.
        lag: as given.
        late: as given.

    Raises:
        ValueError: a number is out of its bounds.
    """

    __slots__ = ("_slots", "lag", "late", "q")

    def __init__(
        self,
        q: float,
        *,
        lag: int = 0,
        mean: float = 0.0,
        var: float = np.inf,
        keys: int = 0,
        late: Late = "refuse",
    ) -> None:
        if not 0 <= q < np.inf:
            raise ValueError(f"LocalLevel(q) wants a number >= 0 and finite, got {q!r}")
        if not (var >= 0 and abs(mean) <= LARGEST):
            raise ValueError(
                f"LocalLevel wants var >= 0 and |mean| <= {LARGEST:g}, got {var!r}, {mean!r}"
            )
        if lag < 0:
            raise ValueError(f"LocalLevel(lag) wants a number >= 0, got {lag!r}")
        require_choice("late", late, ("refuse", "widen"))
        self.q: float = float(q)
        self.lag: int = int(lag)
        self.late: Late = late
        history = np.full(self.lag + 1, np.nan)
        fresh = {"mean": float(mean), "var": float(var), "time": np.nan}
        past = {"means": history, "vars": history, "steps": history} if lag else {}
        self._slots = Slots(fresh | past, keys)

    def grow(self, keys: int) -> None:
        """Have slots for this many keys."""
        self._slots.grow(keys)

    def forget(self, slots: ArrayLike) -> None:
        """Know nothing of these slots, which are given to other keys."""
        self._slots.forget(self._slots.places(slots))

    def update(self, slots: ArrayLike, times: ArrayLike, y: ArrayLike, r: ArrayLike) -> Filtered:
        """Take events, in order; nothing is changed if one of them is refused.

        Args:
            slots: (n,) keys of the events; they may repeat.
            times: (n,) in the unit of time of q; for one before the last one of its slot see `late`.
            y: (n,) what was seen, NaN for nothing. Sizes up to 1e150.
            r: (n,), or a number: variance of the noise, from 0 (a fact) to inf (tells nothing).

        Raises:
            DistributionError: a time that goes back, a negative r, or a fact that contradicts a level that is
                certain; names the rows.
            IndexError: a slot that is not there.
        """
        places = self._slots.places(slots)
        when, seen, noise = _events(len(places), times, y, r)
        alone = (
            None if self.lag or not repeats(places) else self._one_by_one(places, when, seen, noise)
        )
        if alone is not None:
            return alone

        def step(state: State, rows: NDArray[np.intp]) -> tuple[State, State]:
            if self.late == "widen":
                self._delay(state, when, noise, rows)
            drift = self._drift(state, when, rows)
            after, told = _corrected(state, drift, seen, noise, rows)
            after["time"] = when[rows]
            if self.lag:
                after |= _remembered(state, after, drift)
            return after, told | self._late(after)

        with np.errstate(under="ignore", over="ignore"):
            return Filtered(**self._slots.fold(places, step))

    def _one_by_one(
        self, places: NDArray[np.intp], when: Floats, seen: Floats, noise: Floats
    ) -> Filtered | None:
        """As `update` does without a lag; None if an event is to be refused."""
        touched, codes = np.unique(places, return_inverse=True)
        events, widen = Seen(when, seen, noise), self.late == "widen"
        taken = followed(self._slots.take(touched), codes, events, self.q, widen=widen)
        if taken is None:
            return None
        state, told = taken
        self._slots.put(touched, state)
        return Filtered(**told, late=told["mean"], late_var=told["var"])

    def predict(self, slots: ArrayLike, times: ArrayLike) -> tuple[Floats, Floats]:
        """The level at later times: mean and variance, (n,) each; nothing is changed.

        Args:
            slots: (n,) keys.
            times: (n,), none before the last event of its slot.

        Raises:
            DistributionError: a time that goes back; names the rows.
            IndexError: a slot that is not there.
        """
        state = self._slots.take(self._slots.places(slots))
        when = numbers("times", times, 1)
        with np.errstate(over="ignore"):
            drift = self._drift(state, when, np.arange(len(when)))
            return state["mean"], state["var"] + drift

    def smoothed(self, slots: ArrayLike) -> tuple[Floats, Floats]:
        """The level at each of the last lag + 1 events of slots, the oldest first, with all that came since.

        Args:
            slots: (n,) keys.

        Returns:
            Means and variances, (n, lag + 1) each; NaN where there were no so many events.
        """
        state = self._slots.take(self._slots.places(slots))
        if not self.lag:
            seen = ~np.isnan(state["time"])
            now = (np.where(seen, state[name], np.nan)[:, None] for name in ("mean", "var"))
            return next(now), next(now)
        return smooth(state["means"], state["vars"], state["steps"])

    def snapshot(self) -> dict[str, Any]:
        """All that is known, as arrays and numbers."""
        return self._slots.snapshot()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot of a filter of the same lag.

        Raises:
            ValueError: it is of something else.
        """
        self._slots.restore(state)

    def _delay(self, state: State, when: Floats, noise: Floats, rows: NDArray[np.intp]) -> None:
        """Take events that come late as seen at the last time of their slots, with what was gained since as noise."""
        last = np.fmax(when[rows], state["time"])
        noise[rows] = np.minimum(
            noise[rows] + self.q * (last - when[rows]), np.maximum(noise[rows], MOST)
        )
        when[rows] = last

    def _drift(self, state: State, when: Floats, rows: NDArray[np.intp]) -> Floats:
        """Variance that levels gained since their last events."""
        ahead = when[rows] - state["time"]
        fine = np.ones(len(when), np.bool_)
        fine[rows] = ~(ahead < 0)
        require(fine, "the times of a slot must not go back", when)
        # so much is as good as nothing known, and is still a number
        return np.minimum(self.q * np.where(np.isnan(ahead), 0.0, ahead), MOST)

    def _late(self, state: State) -> State:
        if not self.lag:
            return {"late": state["mean"], "late_var": state["var"]}
        means, variances = smooth(state["means"], state["vars"], state["steps"])
        return {"late": means[:, 0], "late_var": variances[:, 0]}


def steady_var(q: float, r: float) -> float:
    """The variance before an event, at which the filter settles for events one unit of time apart.

    P = (q + sqrt(q^2 + 4 q r)) / 2, the fixed point of predict and update.

    Args:
        q: variance gained between two events, >= 0.
        r: variance of the noise, >= 0.
    """
    return (q + sqrt(q) * sqrt(q + 4 * r)) / 2


def _events(n: int, times: ArrayLike, y: ArrayLike, r: ArrayLike) -> tuple[Floats, Floats, Floats]:
    when, seen = matched("times", times, (n,)), matched("y", y, (n,))
    noise = matched("r", r, (n,))
    missing = np.isnan(seen)
    require(np.isfinite(when), "a time is finite", when)
    require(missing | (np.abs(seen) <= LARGEST), f"a value is within +-{LARGEST:g}", seen)
    require(missing | (noise >= 0), "a variance is >= 0", noise)
    return when.copy(), seen, np.where(missing, np.inf, noise)


def _corrected(
    state: State, drift: Floats, seen: Floats, noises: Floats, rows: NDArray[np.intp]
) -> tuple[State, State]:
    """The level after events, and what is told of them."""
    prior, var, r = state["mean"], state["var"] + drift, noises[rows]
    y = np.where(np.isinf(r), prior, seen[rows])
    apart, total = y - prior, var + r
    fine = np.ones(len(seen), np.bool_)
    fine[rows] = (total > 0) | (apart == 0)
    require(fine, "a fact must not contradict a level that is certain", seen)
    both = np.isfinite(total) & (
        total > 0
    )  # else one of the two decides: the level, or what was seen
    scale, level, noise = (np.where(both, each, 1.0) for each in (total, var, r))
    k = np.where(both, level / scale, np.where(np.isinf(r), 0.0, 1.0))
    mean = np.where(k == 1, y, prior + k * apart)
    left = np.where(both, level * (noise / scale), np.minimum(var, r))
    nis = np.where(both, apart * apart / scale, np.nan)
    after = {"mean": mean, "var": left}
    return after, after | {"prior": prior, "prior_var": var, "nis": nis}


def _remembered(before: State, after: State, drift: Floats) -> State:
    """The histories with one event more, the oldest forgotten."""
    new = {"means": after["mean"], "vars": after["var"], "steps": drift}
    return {
        name: np.concatenate([before[name][:, 1:], value[:, None]], axis=1)
        for name, value in new.items()
    }
