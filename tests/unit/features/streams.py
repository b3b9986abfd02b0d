"""Random streams for features, every transform with the arguments it needs, and comparison to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from rxml.features import (
    Calendar,
    DecayedStatistics,
    ExponentialScaler,
    FeatureHasher,
    Imputer,
    Lags,
    MinMaxScaler,
    OneHot,
    QuantileTransform,
    RobustScaler,
    RollingStatistics,
    StandardScaler,
    TargetEncoder,
    Transform,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

KEYS = 5
HOUR = 3_600_000_000_000

MAKERS: dict[str, Callable[[], Transform]] = {
    "standard": lambda: StandardScaler("x", keys=KEYS),
    "standard of vectors": lambda: StandardScaler("v", width=3, keys=KEYS),
    "exponential": lambda: ExponentialScaler("x", alpha=0.3, keys=KEYS),
    "minmax": lambda: MinMaxScaler("x", keys=KEYS),
    "minmax clipped": lambda: MinMaxScaler("v", clip=True, width=3, keys=KEYS),
    "imputer": lambda: Imputer("x", keys=KEYS),
    "decayed": lambda: DecayedStatistics("x", "t", half_life=HOUR, keys=KEYS),
    "decayed vectors": lambda: DecayedStatistics("v", "t", half_life=HOUR, width=3, keys=KEYS),
    "lags": lambda: Lags("x", (1, 3, 2), keys=KEYS),
    "rolling": lambda: RollingStatistics(
        "x", 9, ("count", "sum", "mean", "std", "min", "max"), keys=KEYS
    ),
    "robust": lambda: RobustScaler("x", 7, keys=KEYS),
    "ranks": lambda: QuantileTransform("x", 7, keys=KEYS),
    "bins": lambda: QuantileTransform("x", 7, bins=3, keys=KEYS),
    "calendar": lambda: Calendar("t", ("day", "week", "year"), offset=HOUR, keys=KEYS),
    "hashing": lambda: FeatureHasher("c", 8, keys=KEYS),
    "hashing numbers": lambda: FeatureHasher("x", 8, seed=3, keys=KEYS),
    "onehot": lambda: OneHot("c", 3, keys=KEYS),
    "onehot kept": lambda: OneHot("c", 3, unknown="zeros", replace=False, keys=KEYS),
    "target": lambda: TargetEncoder("c", "y", strength=2.0, size=3, keys=KEYS),
    "target beta": lambda: TargetEncoder("c", "share", family="beta", size=3, keys=KEYS),
}


@dataclass(frozen=True)
class Stream:
    """Columns and slots of one length."""

    data: Mapping[str, NDArray[Any]]
    slots: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.slots)

    def part(self, rows: slice) -> Stream:
        return Stream({name: x[rows] for name, x in self.data.items()}, self.slots[rows])


def drawn(seed: int, rows: int, keys: int = KEYS) -> Stream:
    """Numbers with gaps, ties, outliers and both zeros; times out of order; categories, some of them missing."""
    rng = np.random.default_rng(seed)
    spread = 10.0 ** rng.integers(-3, 4)

    def numbers(*shape: int) -> NDArray[np.float64]:
        x = rng.normal(rng.normal() * 100, spread, shape)
        kind = rng.random(shape)
        x[kind < 0.3] = np.round(x[kind < 0.3])
        for above, value in ((0.8, 0.0), (0.85, -0.0), (0.9, np.nan), (0.98, 1e9), (0.99, np.inf)):
            x[kind > above] = value
        return x

    times = np.cumsum(rng.integers(0, HOUR, rows)) + rng.integers(-2 * HOUR, 2 * HOUR, rows)
    words = np.array([None, "a", "b", "c", "d", "é", 7], object)
    odds = rng.dirichlet(np.ones(len(words)))
    data = {
        "x": numbers(rows),
        "v": numbers(rows, 3),
        "t": times + 1_700_000_000 * 10**9,
        "c": words[rng.choice(len(words), rows, p=odds)],
        "y": numbers(rows),
        "share": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 2, rows)),
    }
    odds = rng.dirichlet(np.full(keys, 0.5))
    return Stream(data, rng.choice(keys, rows, p=odds))


@st.composite
def streams(draw: st.DrawFn, most: int = 90) -> Stream:
    return drawn(draw(st.integers(0, 2**32)), draw(st.integers(0, most)))


@st.composite
def cuts(draw: st.DrawFn, rows: int) -> list[slice]:
    """Batches that make up the rows, some of them empty."""
    at = sorted(draw(st.lists(st.integers(0, rows), max_size=6)))
    return [slice(low, high) for low, high in zip([0, *at], [*at, rows], strict=True)]


def arguments(transform: Transform, stream: Stream) -> dict[str, Any]:
    """What `learn` takes of a stream."""
    data = stream.data
    named = {"x": transform.column, "y": transform.target, "time": transform.time}
    taken: dict[str, Any] = {key: data[name] for key, name in named.items() if name is not None}
    return {**taken, "slots": stream.slots}


def asked(transform: Transform, stream: Stream) -> dict[str, Any]:
    """What `transform` takes of a stream: all but the targets."""
    taken = arguments(transform, stream)
    taken.pop("y", None)
    return taken


def bits(value: object) -> Any:
    """What two values have in common when they are the same to the last bit; every NaN is one."""
    forms: dict[type, Callable[[Any], Any]] = {np.ndarray: _array, dict: _dict, list: _list}
    form = forms.get(type(value))
    return value if form is None else form(value)


def _array(x: NDArray[Any]) -> Any:
    same = np.where(np.isnan(x), np.nan, x) if x.dtype.kind == "f" else x
    return str(x.dtype), x.shape, same.tobytes()


def _dict(items: dict[str, Any]) -> Any:
    return {key: bits(each) for key, each in items.items()}


def _list(items: list[Any]) -> Any:
    return [bits(each) for each in items]


def joined(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
