"""Data of River as streams, predicted and judged before they are learned from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import rxml
from rxml import operators as ops
from rxml.batch import Batch
from rxml.evaluation.metrics import Metrics
from rxml.learning import Evaluation

if TYPE_CHECKING:
    from rxml.learning import EvaluationReport, OnlineModel

TOLD = ("id", "at", "y")


def labelled(dataset: Any) -> Batch:
    """Rows with an id, a time, the features and the label `y`."""
    return Batch.from_rows(
        {"id": nth, "at": nth, **x, "y": y} for nth, (x, y) in enumerate(dataset)
    )


def features(batch: Batch) -> list[str]:
    """The names of the features."""
    return [name for name in batch.names if name not in TOLD]


def judged(
    batch: Batch,
    model: OnlineModel,
    names: tuple[str, ...],
    *,
    size: int = 0,
    delay: float = 0,
    at: str = "at",
    prediction: Any = "value",
) -> EvaluationReport:
    """What metrics are in the end.

    Args:
        batch: labelled rows.
        model: what predicts and learns.
        names: of metrics.
        size: of the batches that they come in; 0: row by row.
        delay: of labels, in units of `at`.
        at: the column of event time, as seconds.
        prediction: where it is.
    """
    evaluation = Evaluation(Metrics(*names), every=10**9)
    parts = [batch[start : start + size] for start in range(0, len(batch), size)] if size else ()
    source: Any = (
        rxml.from_iterable(parts).pipe(ops.unbatch()) if size else rxml.from_iterable(batch)
    )
    flow = source.pipe(
        ops.with_event_time(at, unit="s"),
        ops.delayed_labels(delay),
        ops.learn(model, pass_labels=True),
        ops.evaluate(evaluation, prediction=prediction),
    )
    rows = asyncio.run(flow.to_list())
    assert [row["id"] for row in rows] == batch["id"].tolist()
    return evaluation.now
