"""Collecting: the cyclic garbage collector of a process that serves."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

TIMES: Final = 50
"""As many new objects as usual until the youngest are looked at: a turn that answers hundreds at once makes thousands."""


@contextmanager
def seldom() -> Generator[None]:
    """Collect cycles less often, and never among what was there before: modules, models, the app.

    A server makes and drops many objects for each request, nearly all of them without cycles, and each collection of the
    oldest generation walks through all that a process has: a pause of a tenth of a second where a model has many objects.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(TIMES * before[0], *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
