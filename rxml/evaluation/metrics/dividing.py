"""Quotients of sums that may be of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats


def divided(above: Floats, below: Floats, otherwise: float) -> Floats:
    """The quotient, and something else where it would be of nothing."""
    above, below = np.broadcast_arrays(above, below)
    quotient: Floats = np.divide(above, below, out=np.full(above.shape, otherwise), where=below > 0)
    return quotient
