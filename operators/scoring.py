"""Scoring: a model on each element, in batches that nobody waits for."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

from rxml.batch.schema import Schema
from rxml.errors import PipelineError
from rxml.flow.check import require_count
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import label, placed, stage
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.traits import trait, trait_of_elements
from rxml.models.model import Model, Release
from rxml.models.propagating import Dress, method_of
from rxml.models.scoring.places import auto
from rxml.models.scoring.settings import Settings
from rxml.models.scoring.stage import ScoreStage
from rxml.models.signature import TOLD, Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.models.model import Edition
    from rxml.models.prediction import Prediction
    from rxml.models.propagating import Method
    from rxml.models.scoring.place import Place
    from rxml.models.scoring.settings import Swap

_BYTES: Final = 64 * 2**20
_PATIENCE: Final = 0.1
"""Seconds; CoDel's interval (RFC 8289)."""


def score(  # noqa: PLR0913 - each is a thing of its own that one may say of a model at work
    model: Model | Flowable[Edition],
    *,
    name: str | None = None,
    version: str = "",
    on: Place | None = None,
    ordered: bool | None = None,
    budget: float = 0.02,
    max_batch: int = 1024,
    capacity: int = 4096,
    max_bytes: int = _BYTES,
    overlap: bool = True,
    on_swap: Callable[[Swap], Any] | None = None,
    keep: Sequence[str] = (),
    propagate: str | Method | None = None,
    explain: bool = False,
) -> Operator[Any, Prediction]:
    """Score each element by a model, in batches.

    Marble:
        --{x:1}{x:2}---{x:3}-------|
        score(double)
        -------{y:2}{y:4}---{y:6}--|

    Work-conserving: an idle worker begins at once with what there is; while all are busy elements gather, and the next free
    worker takes as many as it can score within `budget`, by a line fitted to the latest batches with an AIMD guard. Elements
    of the highest priority go first, then those of the earliest deadline. One that cannot be scored before its deadline, or
    whose asker has gone, is dropped before it costs anything. A batch that fails is parted until the bad row fails alone. A
    swap takes place between two batches; each prediction says which model made it.

    With `propagate`, inputs of one float a row may be distributions, such as `Normal` or `Worlds`, in columns or among the
    rows; the model is called once a batch with all the points that stand for them, and where it gives a float the prediction
    has a `Normal`, or `Worlds`. See `models.propagated`.

    Demand: as many elements as there is room for, whether or not the reader asks, after its first request.
    Buffers: at most `capacity` elements and `max_bytes`: waiting, being scored, or scored and not taken.
    Emits: a `Prediction` for each row; a batch for each element that is a `Batch`; rows of batches as batches. In order; in a
        service, where answers find those who asked by contexts, as soon as they are there.
    Completes: with upstream, after the last prediction.
    Fails: with upstream, after the predictions of all elements before; with what the model raised for a row alone, with a
        SchemaError for a row that is not what it wants, with a ModelError for one whose outputs are none. A supervisor can
        have the element left out. With what kept the first model from being loaded.
    Cancels: upstream and what waits, at once; returns when the batches under way have ended.
    Cost: a few microseconds an element beside the model, none of note for rows of batches; no task an element, no timer
        when idle.

    Args:
        model: what scores; or a flow of editions, such as `registry.watch("price@champion")`: each takes over from the one
            before once it is loaded and warm, and the one before stays if it cannot.
        name: of the model in predictions; its own unless told otherwise.
        version: of that name.
        on: where the model runs: `models.on_loop()`, `models.threads(...)`, `engines.processes(...)`. None: on the loop if
            a row takes it no more than 2 ms, else in a thread.
        ordered: predictions leave in the order of the elements; None: save in a service.
        budget: seconds that a batch may take.
        max_batch: rows of a batch, at most; an element that is a `Batch` goes whole, and holds the loop for as long where
            the model runs there: give large ones to `models.threads()`.
        capacity: elements that are held, at most.
        max_bytes: that they and their answers may hold; one more element may overstep it.
        overlap: two models may be in memory while one takes over; False: the one before goes first, elements wait.
        on_swap: told of each model that took over, or could not.
        keep: names of columns of the element that its prediction has beside the model's, such as the id that its label will
            find it by (`ops.calibrate`), or a key.
        propagate: "delta", "unscented", "worlds(128)", or of `models.delta()`, `models.unscented()`, `models.worlds()`.
        explain: with `propagate`: predictions tell what their variance is made of; see `models.explain`.

    Raises:
        PipelineError: it is no model; what is known of the elements does not fit its signature; or a column that is to be kept
            is named as one that predictions have.
        ValueError: a number out of its range.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import models, operators as ops
        >>> from rxml.batch import Schema
        >>> double = models.from_function(lambda rows: 2 * rows["x"], inputs=Schema.of(x="float64"))
        >>> flow = rxml.of({"x": 1.0}, {"x": 2.5}).pipe(ops.score(double, name="double"))
        >>> [(each.value, each["model"]) for each in asyncio.run(flow.to_list())]
        [(2.0, 'double'), (5.0, 'double')]
    """
    _require(model, budget)
    shown = label("score", name or model)
    model, dress = _dressed(model, propagate, explain=explain)
    signature = _signature(model, dress)
    kept = _require_names(keep, signature)
    require_count("score(max_batch=)", max_batch, 1)
    require_count("score(capacity=)", capacity, 1)
    require_count("score(max_bytes=)", max_bytes, 1)

    def made(flow: Flowable[Any]) -> Operator[Any, Prediction]:
        _require_fit(shown, flow, signature)
        in_order = trait(flow, Matched) is None if ordered is None else ordered
        release = None if name is None else Release(name, version, getattr(model, "digest", ""))
        settings = Settings(
            model=model,
            release=release,
            place=auto() if on is None else on,
            ordered=in_order,
            budget=budget,
            most=max_batch,
            capacity=capacity,
            max_bytes=max_bytes,
            patience=inf if in_order else _PATIENCE,
            overlap=overlap,
            on_swap=on_swap,
            keep=kept,
            dress=dress,
        )

        def open_(env: Env, node: Node) -> Subscription[Prediction]:
            return ScoreStage(env, node, settings)

        return stage(
            shown,
            open_,
            cardinality=Cardinality.ONE,
            capacity=capacity,
            max_bytes=max_bytes,
            traits=_told(signature, kept),
            checkpointing=Checkpointing.PASSES,
        )

    return placed(shown, made)


def _dressed(
    model: Model | Flowable[Edition], propagate: str | Method | None, *, explain: bool
) -> tuple[Model | Flowable[Edition], Dress | None]:
    """The model, or what makes editions of a flow of them take distributions."""
    if propagate is None:
        if explain:
            raise PipelineError("score(explain=True) wants propagate=, such as 'unscented'")
        return model, None
    dress = Dress(method_of(propagate), explain)
    return (model, dress) if isinstance(model, Flowable) else (dress.model(model), None)


def _signature(model: Model | Flowable[Edition], dress: Dress | None) -> Signature | None:
    if not isinstance(model, Flowable):
        return model.signature
    found = trait(model, Signature)
    return found if found is None or dress is None else dress.signature(found)


def _require_names(keep: Sequence[str], signature: Signature | None) -> tuple[str, ...]:
    names = (keep,) if isinstance(keep, str) else tuple(keep)
    taken = {*TOLD, *(() if signature is None else signature.outputs)}
    for name in names:
        if name in taken:
            raise PipelineError(
                f"score(keep=) would replace {name!r}, which predictions have themselves"
            )
    return names


def _told(signature: Signature | None, keep: tuple[str, ...]) -> tuple[object, ...]:
    """What holds for predictions; with columns of elements among theirs nobody knows all of them."""
    if signature is None:
        return ()
    return (signature,) if keep else (signature.outputs, signature)


def _require(model: object, budget: float) -> None:
    if not isinstance(model, Flowable):
        if not isinstance(model, Model):
            raise PipelineError(
                f"score wants a Model or a flow of editions, got {type(model).__name__}; "
                "see rxml.models.from_function, from_sklearn, from_onnx, from_river, from_torch"
            )
        if not isinstance(model.signature, Signature):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise PipelineError(
                f"score: the signature of the model is {model.signature!r}, no Signature"
            )
    if not 0 < budget < inf:
        raise ValueError(f"score(budget=) wants seconds above 0, got {budget!r}")


def _require_fit(shown: str, flow: Flowable[Any], signature: Signature | None) -> None:
    offered = trait_of_elements(flow, Schema)
    refusal = None if offered is None or signature is None else signature.refusal(offered)
    if refusal is not None:
        raise PipelineError(f"{shown}: {refusal}")
