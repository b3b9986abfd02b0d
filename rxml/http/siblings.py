"""Siblings: workers of one service on one port. Whichever of them is asked shows the numbers of all."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from rxml.http.prometheus import Family, merged

if TYPE_CHECKING:
    from collections.abc import Sequence

logger: Final = logging.getLogger("rxml.http")

_PATIENCE: Final = 1.0


class Siblings:
    """The workers of a service, each with a socket in a folder that only this user can open.

    Args:
        folder: where their sockets are.
        number: of this worker, from 0.
        count: of all workers.
        admin_port: where all of them have their admin side; None: the first one, which finds out.

    Attributes:
        number: as given.
        count: as given.
        admin_port: as given.
    """

    def __init__(self, folder: str, number: int, count: int, admin_port: int | None = None) -> None:
        self._folder = Path(folder)
        self.number: int = number
        self.count: int = count
        self.admin_port: int | None = admin_port

    @property
    def own(self) -> str:
        """The path of this worker's socket."""
        return str(self._folder / f"{self.number}.sock")

    async def with_own(self, families: Sequence[Family]) -> list[Family]:
        """The numbers of all workers, with `worker` as a label; one that does not answer within a second is left out."""
        others = [number for number in range(self.count) if number != self.number]
        answers = await asyncio.gather(*map(self._of, others))
        parts: dict[str, Sequence[Family]] = {str(self.number): families}
        parts.update({str(number): found for number, found in zip(others, answers, strict=True)})
        return merged(parts, "worker")

    async def _of(self, number: int) -> list[Family]:
        path = str(self._folder / f"{number}.sock")
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(path), timeout=timeout
                ) as one,
                one.get("http://localhost/samples") as answer,
            ):
                return msgspec.msgpack.decode(await answer.read(), type=list[Family])
        except (aiohttp.ClientError, OSError, TimeoutError, msgspec.MsgspecError) as error:
            logger.info("worker %d does not show its numbers: %r", number, error)
            return []
