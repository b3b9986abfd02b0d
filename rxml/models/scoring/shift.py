"""Shift: which model is at work; one takes over from another between two batches."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, cast

from rxml.errors import ModelError
from rxml.flow.flowable import Flowable
from rxml.flow.scope import Scope, in_turn, settled
from rxml.models.model import Release
from rxml.models.scoring.crew import Crew
from rxml.models.scoring.off_loop import off_loop
from rxml.models.scoring.settings import Swap
from rxml.resilience.retrying import Backoff

if TYPE_CHECKING:
    from rxml.flow.node import Env, Node
    from rxml.models.model import Edition, Model
    from rxml.models.scoring.dispatcher import Dispatcher
    from rxml.models.scoring.settings import Settings

_LOG: Final = logging.getLogger("rxml.models")
_AGAIN: Final = Backoff(1.0, 2.0, 60.0)
"""Seconds until a flow of models that has failed is asked again."""


class Shift:
    """Brings models in, and sees those off that they take over from.

    Args:
        env: of the stage.
        node: the stage.
        settings: of the stage.
        dispatcher: is told who does the work.
    """

    def __init__(self, env: Env, node: Node, settings: Settings, dispatcher: Dispatcher) -> None:
        self._env = env
        self._node = node
        self._settings = settings
        self._dispatcher = dispatcher
        self._crew: Crew | None = None
        self._vacant = True
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leaving = Scope()
        self._leavers: set[asyncio.Task[None]] = set()

    @property
    def crew(self) -> Crew:
        """Those at work; there are some once `opened` has returned."""
        return cast("Crew", self._crew)

    async def opened(self) -> None:
        """Wait until there is a model."""
        await asyncio.shield(self._first)

    async def run(self) -> None:
        """Bring in the model, or each that the flow of them gives.

        Raises:
            Exception: there is none.
        """
        model = self._settings.model
        if not isinstance(model, Flowable):
            name = getattr(model, "__name__", type(model).__name__)
            release = self._settings.release or getattr(model, "release", None)
            await self._take_over(model, release or Release(name, "", model.digest))
            return
        failures = 0
        while not await self._followed(model):
            await self._env.clock.sleep(_AGAIN.wait(failures, None))
            failures += 1
        if self._crew is None:
            raise ModelError("the flow of models ended without one: publish a version first")

    async def _followed(self, models: Flowable[Edition]) -> bool:
        """Bring in each that comes; whether there come no more. A flow that fails when there is a model is asked again."""
        head, close = self._env.reopen(models)
        try:
            while not (chunk := await head.request(1)).end:
                for edition in chunk.elements:
                    dress = self._settings.dress
                    await self._edition(edition if dress is None else dress(edition))
        except Exception as error:
            if self._vacant:
                raise
            _LOG.warning("no more is heard of models: %r; the one at work goes on", error)
            return False
        finally:
            await head.cancel()
            close()
        return True

    async def _edition(self, edition: Edition) -> None:
        before = None if self._crew is None else self._crew.release
        if edition.release == before and edition.release.digest:
            return  # the flow was asked again
        try:
            model = await off_loop(edition.load, f"loading {edition.release.name}")
            await self._take_over(model, edition.release)
        except Exception as error:
            if self._vacant:
                raise
            _LOG.warning("%s cannot take over: %s; the one before goes on", edition.release, error)
            self._tell(Swap(edition.release, before, error))

    async def _take_over(self, model: Model, release: Release) -> None:
        before = self._crew
        if before is not None:
            self._require_same(before, model)
        if before is None or self._settings.overlap:
            crew = await self._crew_of(model, release)
        else:
            crew = await self._alone(before, model, release)
        self._staff(crew)
        if before is not None and self._settings.overlap:
            self._see_off(before)
        self._tell(Swap(release, None if before is None else before.release))

    async def _crew_of(self, model: Model, release: Release) -> Crew:
        workers = await self._settings.place.open(model, self._dispatcher.run)
        budget = min(self._settings.budget, workers.hold)
        return Crew(model, release, workers, budget, self._settings.most, keep=self._settings.keep)

    async def _alone(self, before: Crew, model: Model, release: Release) -> Crew:
        """Never two at once: elements wait meanwhile; the one before comes back if the other cannot be had.

        Raises:
            Exception: the other cannot be had; if neither can, nobody is at work.
        """
        self._vacant = True
        self._dispatcher.staff(None)
        await before.workers.close()
        try:
            return await self._crew_of(model, release)
        except Exception:
            self._staff(await self._crew_of(before.model, before.release))
            raise

    def _staff(self, crew: Crew) -> None:
        self._crew, self._vacant = crew, False
        self._dispatcher.staff(crew)
        if not self._first.done():
            self._first.set_result(None)

    def _see_off(self, crew: Crew) -> None:
        leaver = self._leaving.spawn(crew.workers.close(), name=f"{crew.release.name} leaves")
        self._leavers.add(leaver)
        leaver.add_done_callback(self._leavers.discard)

    @staticmethod
    def _require_same(before: Crew, model: Model) -> None:
        """What comes out must stay what it was, and what comes in must do."""
        refusal = model.signature.refusal(before.signature.inputs)
        if refusal is None and model.signature.outputs != before.signature.outputs:
            refusal = (
                f"it gives {model.signature.outputs}, the one before {before.signature.outputs}"
            )
        if refusal is not None:
            raise ModelError(f"its signature is another one: {refusal}")

    def _tell(self, swap: Swap) -> None:
        if self._settings.on_swap is not None:
            try:
                self._settings.on_swap(swap)
            except Exception as error:  # noqa: BLE001 - whoever looks on must not stop the work
                self._env.report(error)

    async def close(self) -> None:
        """Let go of all models; what is under way is waited for."""
        crew, self._crew = self._crew, None
        first = [] if crew is None else [crew.workers.close]
        await in_turn([*first, self._gone], self._env.report)

    async def _gone(self) -> None:
        await settled(self._leavers)
