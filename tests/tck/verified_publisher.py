"""What a verification of publishers is told of the one that it verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.tck.manual import LONG_MAX

if TYPE_CHECKING:
    from rxml.reactive_streams import Publisher


class Verified:
    """What is verified, and what is known of it."""

    max_elements = LONG_MAX - 1
    bounded_depth = 1
    multicast_from_the_first = True
    """Every subscriber gets the stream from its beginning, however much others have had of it."""

    def create_publisher(self, elements: int) -> Publisher[Any]:
        """A stream of exactly so many elements; `LONG_MAX`: endless."""
        raise NotImplementedError

    def create_failed_publisher(self) -> Publisher[Any]:
        """One that fails without an element."""
        raise NotImplementedError

    @property
    def log(self) -> list[str]:
        """What happened to sources, in order: open, next, close."""
        raise NotImplementedError
