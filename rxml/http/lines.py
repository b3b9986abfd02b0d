"""Lines: a stream of bytes cut at line feeds."""

from __future__ import annotations

from rxml.http.replies import Refusal


class Lines:
    """Cuts what is fed into lines; keeps the one that has no end yet.

    Args:
        most: bytes that a line may have.
    """

    __slots__ = ("_most", "_rest")

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = bytearray()

    @property
    def begun(self) -> bool:
        """True if a line has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end within `data`, without their ends; blank ones are left out.

        Raises:
            Refusal: 413, a line is too long.
        """
        if b"\n" not in data:
            self._keep(data)
            return []
        head, *middle, rest = data.split(b"\n")
        self._keep(head)
        whole = [bytes(self._rest), *middle]
        self._rest.clear()
        self._keep(rest)
        if len(data) > self._most and max(map(len, whole)) > self._most:
            self._refuse()
        return list(
            filter(bytes.strip, whole)
        )  # at C's speed: a body may be nothing but blank lines

    def finish(self) -> list[bytes]:
        """The last line, if it has no end."""
        rest = bytes(self._rest)
        self._rest.clear()
        return [rest] if rest.strip() else []

    def _keep(self, data: bytes) -> None:
        self._rest += data
        if len(self._rest) > self._most:
            self._refuse()

    def _refuse(self) -> None:
        raise Refusal(413, f"a line is longer than {self._most} bytes")
