"""Law cases of `rxml.operators.learning`."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

from rxml import compose
from rxml import operators as ops
from rxml.features import Features, Lags, TargetEncoder
from rxml.learning import Label, RunningMean
from rxml.uncertain import Beta
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

_IDS = st.integers(0, 5)
LABELLED: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": _IDS, "at": st.integers(0, 9), "y": st.sampled_from([0.5, 1.0, -3.0])}
)
ROWS: SearchStrategy[Any] = st.fixed_dictionaries({"id": _IDS, "k": st.sampled_from([0, 1, None])})
MIXED: SearchStrategy[Any] = ROWS | st.builds(Label, _IDS, st.sampled_from([1.0, 2.0, 6.5, None]))
MEASURED: SearchStrategy[Any] = st.fixed_dictionaries(
    {"k": st.sampled_from([0, 1, None]), "x": st.sampled_from([1.0, 2.5, -4.0])}
)
KINDS: SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": _IDS, "c": st.sampled_from(["a", "b"])}
) | st.builds(Label, _IDS, st.sampled_from([0.0, 1.0, None]))
DELAY = 3
OWN = {"L52": "with_event_time makes the watermarks itself; its own tests check which"}


def key(row: dict[str, Any]) -> int:
    code: int = row["k"] + 0
    return code


def told(elements: list[Any]) -> Iterator[Any]:
    """Rows in the order in which they come, and labels in that of what is due, by the latest time so far."""
    now, waiting = -1, list[tuple[int, int, Label]]()
    for nth, row in enumerate(elements):
        now = max(now, row["at"])
        yield from due(waiting, now)
        yield {"id": row["id"], "at": row["at"]}
        when = row["at"] + DELAY
        waiting.append((when, nth, Label(row["id"], row["y"], when)))
        yield from due(waiting, now)
    yield from due(waiting, 99)


def due(waiting: list[tuple[int, int, Label]], now: int) -> Iterator[Label]:
    for entry in sorted(waiting, key=lambda entry: entry[:2]):
        if entry[0] <= now:
            waiting.remove(entry)
            yield entry[2]


def means(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """The mean of the labels of a key so far; each element has one label that counts."""
    seen: dict[int, int] = {}
    settled: set[int] = set()
    labels: dict[int, list[float]] = {0: [], 1: []}
    for element in elements:
        if isinstance(element, Label):
            if element.id in seen and element.id not in settled:
                settled.add(element.id)
                labels[seen[element.id]] += [] if element.value is None else [element.value]
            continue
        so_far = labels[key(element)]
        yield {**element, "value": sum(so_far) / len(so_far) if so_far else -1.0}
        seen.setdefault(element["id"], key(element))


def lagged(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """The value that the key had before."""
    before: dict[int, float] = {}
    for row in elements:
        code = key(row)
        yield {**row, "lag": before.get(code, nan)}
        before[code] = row["x"]


def encoded(elements: list[Any]) -> Iterator[dict[str, Any]]:
    """The mean of the targets of a category, by the encoder itself, asked and taught row by row."""
    encoder = TargetEncoder("c", "y", family="beta")
    seen: dict[int, str] = {}
    settled: set[int] = set()
    for element in elements:
        if isinstance(element, Label):
            if element.id in seen and element.id not in settled:
                settled.add(element.id)
                if element.value is not None:
                    encoder.learn(_one(seen[element.id]), y=np.array([element.value]))
            continue
        made = encoder.transform(_one(element["c"]))
        yield {**element, "of": Beta(made["a"][0], made["b"][0])}
        seen.setdefault(element["id"], element["c"])


def _one(value: Any) -> Any:
    return np.array([value], object)


CASES = {
    "delayed_labels": Case(
        lambda: compose(ops.with_event_time("at", unit="ns"), ops.delayed_labels(DELAY * 1e-9)),
        told,
        LABELLED,
        {"waived": OWN},
    ),
    "features": Case(lambda: ops.features(Features(lag=Lags("x", [1])), by=key), lagged, MEASURED),
    "features:late": Case(
        lambda: ops.features(Features(of=TargetEncoder("c", "y", family="beta")), late=True),
        encoded,
        KINDS,
    ),
    "learn": Case(lambda: ops.learn(RunningMean(-1.0), by=key), means, MIXED),
}
