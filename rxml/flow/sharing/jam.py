"""Jam: a subscriber that waits for another one of its own run, which does not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rxml.errors import BufferOverflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.flow.sharing.seat import Seat
    from rxml.flow.sharing.sharing import Sharing


class Jam:
    """Ends a wait that nobody else will end, such as that of `zip(s, s.pipe(skip(3000)))` for 3000 elements of `s`.

    Between runs, a subscriber may stop reading for as long as it likes, and is waited for. But in one run, a reader
    that is full while another one waits is most likely itself waiting for that one.
    """

    __slots__ = ("_pair", "_sharing", "_since")

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._pair: tuple[Seat, Seat] | None = None
        self._since = 0.0

    def look(self, seats: Sequence[Seat]) -> float | None:
        """Fail the subscriber whose patience is over; returns when that will be, or None where nobody is stuck."""
        patience = self._sharing.patience
        pair = None if patience is None else self._stuck(seats)
        if pair is None or patience is None:
            self._pair = None
            return None
        waiting, _ = pair
        now = waiting.clock.time()
        if pair != self._pair:
            self._pair, self._since = pair, now
        moment = self._since + patience
        if now < moment:
            return moment
        waiting.channel.close(self._error(patience))
        return None

    def _stuck(self, seats: Sequence[Seat]) -> tuple[Seat, Seat] | None:
        """One who waits, and one of the same run who is full."""
        full = {id(seat.clock): seat for seat in seats if seat.channel.room < 1}
        for seat in seats if full else ():
            if seat.channel.wanted and not seat.channel.size and id(seat.clock) in full:
                return seat, full[id(seat.clock)]
        return None

    def _error(self, patience: float) -> BufferOverflowError:
        name, lag = self._sharing.name, self._sharing.lag
        return BufferOverflowError(
            f"{name}: a reader has waited for {patience:g} s, because another one in the same run has not read the {lag} "
            "elements that wait for it; readers that wait for one another must stay within lag= of one another: raise it, "
            "put prefetch(n) behind the one that does not read, choose another policy, or patience=None to wait for ever"
        )
