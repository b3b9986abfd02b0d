"""Building: what operators of several models check, and what is known of their elements."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import TypeIs

from rxml.batch.schema import Schema
from rxml.errors import PipelineError
from rxml.flow.check import PLAIN, permit_function, require_count, require_function
from rxml.flow.flowable import Flowable
from rxml.flow.kinds import placed, stage
from rxml.flow.matched import Matched
from rxml.flow.node import Cardinality, Checkpointing
from rxml.flow.traits import trait, trait_of_elements
from rxml.models.live.arm import unlike
from rxml.models.live.routed import require_names
from rxml.models.model import Model
from rxml.models.scoring.places import auto
from rxml.models.scoring.settings import Settings
from rxml.models.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rxml.flow.node import Env, Node
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.models.model import Edition
    from rxml.models.scoring.place import Place
    from rxml.models.scoring.settings import Swap

_BYTES: Final = 64 * 2**20
_PATIENCE: Final = 0.1
"""Seconds; as for `ops.score`."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is said of scoring to each operator of several models; see `ops.score`.

    Attributes:
        on: where models run; None: as for `ops.score`.
        ordered: predictions leave in the order of the elements; None: save in a service.
        budget: seconds that a batch may take.
        max_batch: rows of a batch.
        capacity: elements held.
        on_swap: told of each model that took over, or could not.
    """

    on: Place | None
    ordered: bool | None
    budget: float
    max_batch: int
    capacity: int
    on_swap: Callable[[Swap], Any] | None

    def require(self, name: str) -> None:
        """Raise if one of them is out of its range."""
        require_count(f"{name}(max_batch=)", self.max_batch, 1)
        require_count(f"{name}(capacity=)", self.capacity, 1)
        permit_function(f"{name}(on_swap=)", self.on_swap, "takes a Swap", PLAIN)
        if not 0 < self.budget < inf:
            raise ValueError(f"{name}(budget=) wants seconds above 0, got {self.budget!r}")

    def settings(self, model: Model | Flowable[Edition], *, ordered: bool) -> Settings:
        """Of a stage."""
        return Settings(
            model=model,
            release=None,
            place=auto() if self.on is None else self.on,
            ordered=ordered,
            budget=self.budget,
            most=self.max_batch,
            capacity=self.capacity,
            max_bytes=_BYTES,
            patience=inf if ordered else _PATIENCE,
            overlap=True,
            on_swap=self.on_swap,
        )


def of_models(
    name: str,
    shown: str,
    models: Mapping[str, Model | Flowable[Edition]],
    scoring: Scoring,
    open_: Callable[[Env, Node, Settings], Subscription[Any]],
    *,
    key: object = None,
    routed: bool = True,
    checkpointing: Checkpointing = Checkpointing.PASSES,
) -> Operator[Any, Any]:
    """An operator that answers each element by one of several models.

    Args:
        name: of the operator.
        shown: name and arguments.
        models: by the names of the arms.
        scoring: see there.
        open_: gives the stage.
        key: that ids are read by.
        routed: predictions say of which arm they are.
        checkpointing: see `rxml.flow.kinds.stage`.

    Raises:
        PipelineError: one is no model, or is not alike to the first; or what is known of the elements does not fit.
        ValueError: a number out of its range.
    """
    scoring.require(name)
    signature = _signature(name, models)
    if routed and signature is not None:
        require_names(name, signature)
    told = () if signature is None else _told(signature, key)
    first = next(iter(models.values()))

    def made(flow: Flowable[Any]) -> Operator[Any, Any]:
        _require_fit(shown, flow, signature)
        ordered = trait(flow, Matched) is None if scoring.ordered is None else scoring.ordered
        settings = scoring.settings(first, ordered=ordered)
        return stage(
            shown,
            lambda env, node: open_(env, node, settings),
            cardinality=Cardinality.ONE,
            capacity=scoring.capacity,
            max_bytes=_BYTES,
            traits=told,
            checkpointing=checkpointing,
        )

    return placed(shown, made)


def _told(signature: Signature, key: object) -> tuple[object, ...]:
    """What is known of the elements behind it, and of those before it unless an id is beside what the model wants."""
    alone = key is None or (isinstance(key, str) and key in signature.inputs)
    return (signature.outputs, signature) if alone else (signature.outputs,)


def require_key(name: str, key: object) -> None:
    """Raise a PipelineError unless ids can be read by it."""
    if not isinstance(key, str):
        require_function(f"{name}(key=)", key, "gives the id of an element", PLAIN)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _signature(name: str, models: Mapping[str, Model | Flowable[Edition]]) -> Signature | None:
    """What is known of what all of them want and give."""
    found: Signature | None = None
    for arm, model in models.items():
        signature = _signature_of(f"{name}: {arm!r}", model)
        if found is None or signature is None:
            found = found or signature
            continue
        refusal = unlike(found, signature)
        if refusal is not None:
            raise PipelineError(
                f"{name}: {arm!r} cannot answer in the place of the others: {refusal}"
            )
    return found


def _signature_of(where: str, model: Any) -> Signature | None:
    if _is_flow(model):
        return trait(model, Signature)
    if not isinstance(model, Model):
        raise PipelineError(
            f"{where} wants a Model or a flow of editions, got {type(model).__name__}"
        )
    return model.signature


def _require_fit(shown: str, flow: Flowable[Any], signature: Signature | None) -> None:
    offered = trait_of_elements(flow, Schema)
    refusal = None if offered is None or signature is None else signature.refusal(offered)
    if refusal is not None:
        raise PipelineError(f"{shown}: {refusal}")


def _is_flow(value: object) -> TypeIs[Flowable[Any]]:
    return isinstance(value, Flowable)
