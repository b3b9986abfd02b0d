"""Trust: what a caller takes responsibility for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rxml.models.artefacts.limits import LIMITS

if TYPE_CHECKING:
    from rxml.models.artefacts.limits import Limits


@dataclass(frozen=True, slots=True)
class Trust:
    """What may be loaded.

    Attributes:
        modules: modules, and all below them, that functions may be imported from.
        types: of skops files beside those that are known to do no harm.
        trusted: that which `digest` names may run anything.
        digest: `sha256:` and 64 hex digits; "" names nothing.
        limits: sizes.
    """

    modules: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    trusted: bool = False
    digest: str = ""
    limits: Limits = LIMITS

    def admits(self, module: str) -> bool:
        """Whether functions may be imported from that module."""
        return any(f"{module}.".startswith(f"{each}.") for each in self.modules)


NO_TRUST: Final = Trust()
