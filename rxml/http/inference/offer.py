"""Offer: one version of one model that a server has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from rxml.errors import PipelineError
from rxml.flow.flowable import Flowable
from rxml.flow.service import Service
from rxml.flow.traits import trait
from rxml.models.model import Edition, Model
from rxml.models.signature import Signature
from rxml.operators import score

if TYPE_CHECKING:
    from rxml.batch import Field, Schema
    from rxml.flow.operator import Operator
    from rxml.models.registry.registry import Registry

_LOOK: Final = 0.01
"""Seconds between two looks at whether a model that is loaded on request is ready."""

_WORDS: Final = {"f2": "FP16", "f4": "FP32", "f8": "FP64", "b1": "BOOL"}


class Offer:
    """A version of a model, answered by a service that can be taken away and come back.

    Args:
        name: of the model.
        version: of it.
        given: a model, or an operator that begins with one.

    Attributes:
        name: as given.
        version: as given.
        signature: of the model.
        service: answers.
        here: whether it is meant to answer.

    Raises:
        PipelineError: nothing tells what it wants and gives.
    """

    def __init__(self, name: str, version: str, given: Model | Operator[Any, Any]) -> None:
        self.name: str = name
        self.version: str = version
        operator = score(given, name=name, version=version) if isinstance(given, Model) else given
        self.service: Service[Any, Any] = Service(operator)
        signature = trait(self.service.flow, Signature)
        if signature is None:
            raise PipelineError(
                f"inference: nothing tells what {name!r} wants and gives; give a Model, or an operator that scores by one"
            )
        self.signature: Signature = signature
        self.here: bool = True

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.here and self.service.ready

    @property
    def state(self) -> str:
        """What the repository says of it."""
        return "READY" if self.ready else "LOADING" if self.here else "UNAVAILABLE"

    def begin(self) -> None:
        """Answer, if it is meant to."""
        if self.here:
            self.service.start()

    async def unload(self) -> None:
        """Answer no more; who waits is told."""
        self.here = False
        await self.service.aclose()

    async def load(self, seconds: float) -> bool:
        """Answer again, and wait until it does, for at most so long; whether it does."""
        if not self.here:
            self.here = True
            self.service.start()
        end = asyncio.get_running_loop().time() + seconds
        while not self.ready and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - nothing tells when it is
            await asyncio.sleep(_LOOK)
        return self.ready

    def metadata(self, versions: list[str]) -> dict[str, Any]:
        """What the protocol wants to know."""
        return {
            "name": self.name,
            "versions": versions,
            "platform": "rxml",
            "inputs": _tensors(self.signature.inputs),
            "outputs": _tensors(self.signature.outputs),
        }


def registered(registry: Registry, alias: str) -> dict[str, dict[str, Any]]:
    """What an alias shows of each model that a registry has now; the alias is the version by which it is asked for.

    Raises:
        PipelineError: it shows none.
    """
    found = {
        name: {alias: registry.watch(f"{name}@{alias}")}
        for name in registry.names()
        if alias in registry.aliases(name)
    }
    if not found:
        raise PipelineError(
            f"inference: no model in {registry.folder} has the alias {alias!r}; "
            "promote one: rxml models promote NAME ALIAS VERSION"
        )
    return cast("dict[str, dict[str, Any]]", found)


def offers(models: dict[str, Any]) -> dict[str, dict[str, Offer]]:
    """By name, then by version; the last version is the one that answers where none is named.

    Raises:
        PipelineError: something is neither model nor operator, or there is nothing.
    """
    if not models:
        raise PipelineError("inference wants a model at least: {'price': model}")
    found: dict[str, dict[str, Offer]] = {}
    for name, given in models.items():
        versions = cast(
            "dict[str, Any]", given if isinstance(given, dict) else {_version_of(given): given}
        )
        found[name] = {version: _offer(name, version, each) for version, each in versions.items()}
    return found


def _version_of(given: Any) -> str:
    release = getattr(given, "release", None)
    return getattr(release, "version", "") or "1"


def _offer(name: str, version: str, given: Any) -> Offer:
    if isinstance(given, Flowable):
        return Offer(name, version, score(cast("Flowable[Edition]", given)))
    if isinstance(given, Model) or callable(given):
        return Offer(name, version, cast("Model | Operator[Any, Any]", given))
    raise PipelineError(f"inference: {name!r} is {given!r}, neither a Model nor an operator")


def _tensors(schema: Schema) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "datatype": _datatype(field), "shape": [-1, *field.shape]}
        for field in schema.values()
    ]


def _datatype(field: Field) -> str:
    kind, size = field.dtype.kind, field.dtype.itemsize
    known = _WORDS.get(f"{kind}{size}")
    if known is not None:
        return known
    if kind in "iu":
        return f"{'U' * (kind == 'u')}INT{8 * size}"
    return "BYTES"
