"""Inflater: decompresses in small steps, so that a bomb is refused while it is small."""

from __future__ import annotations

import zlib
from typing import Any, Final

from rxml.http.replies import Refusal

STEP: Final = 64 * 2**10
"""Bytes that come out at a time."""

_SLICE: Final = 16 * 2**10
"""Compressed bytes that are looked at together: what follows the end of a gzip member is copied."""

_MEMBERS: Final = 1000
"""Gzip members in one body: each costs some time even if it is empty."""

CODINGS: Final = ("gzip", "x-gzip", "deflate")


class Inflater:
    """The decompressed form of a body that comes in pieces.

    Args:
        coding: one of `CODINGS`.
        ratio: decompressed bytes for each compressed one, at most, once `STEP` have come out.
    """

    def __init__(self, coding: str, ratio: int) -> None:
        self._gzip = coding != "deflate"
        self._ratio = ratio
        self._decoder: Any = None
        self._pending = b""
        self._at = 0
        self._members = 0
        self._more = False
        self._taken = self._given = 0

    def feed(self, data: bytes) -> None:
        """Give compressed bytes; all that `read` makes of those before must have been taken."""
        self._pending = data
        self._at = 0
        self._taken += len(data)

    def read(self) -> bytes:
        """The next 1 to `STEP` decompressed bytes; none if more must be fed first.

        Raises:
            Refusal: 400 for what cannot be decompressed, 413 for what grows too much.
        """
        while self._at < len(self._pending) or self._more:
            step = self._step()
            if step:
                return step
        return b""

    def _step(self) -> bytes:
        decoder = self._decoder = self._decoder or self._begun()
        try:
            part = self._pending[self._at : self._at + _SLICE]
            step: bytes = decoder.decompress(part, STEP)
        except zlib.error as error:
            raise Refusal(400, f"the body cannot be decompressed ({error})") from error
        self._at += len(part) - len(decoder.unconsumed_tail or decoder.unused_data)
        # What fills a step may not be all: the decoder holds the rest even if it has taken all its input.
        self._more = len(step) == STEP and not decoder.eof
        if decoder.eof:
            self._decoder = None
            self._members += 1
        self._given += len(step)
        if self._given > max(STEP, self._ratio * self._taken):
            raise Refusal(413, f"the body grows more than {self._ratio} times when decompressed")
        return step

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises:
            Refusal: 400, the compressed body is cut off.
        """
        if self._decoder is not None or self._taken == 0:
            raise Refusal(400, "the compressed body is cut off")

    def _begun(self) -> Any:
        if self._members and not self._gzip:
            raise Refusal(400, "the compressed body is followed by something else")
        if self._members == _MEMBERS:
            raise Refusal(400, f"the body has more than {_MEMBERS} gzip members")
        if self._gzip:
            return zlib.decompressobj(wbits=31)
        wrapped = self._pending[self._at] & 0x0F == 8
        return zlib.decompressobj(wbits=15 if wrapped else -15)
