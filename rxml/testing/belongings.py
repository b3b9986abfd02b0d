"""Belongings: what a process has open, to see what a run has left there: files, sockets, threads."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Generator

_DESCRIPTORS: Final = Path("/proc/self/fd")
_PATIENCE_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Belongings:
    """What this process has open at one moment.

    Attributes:
        descriptors: what each file descriptor stands for; empty where the system does not say.
        threads: those that run.
    """

    descriptors: dict[str, str]
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls) -> Self:
        """What is open now."""
        return cls(_descriptors(), frozenset(threading.enumerate()))

    def added(self) -> list[str]:
        """What has been opened since and is open still, in words; a thread that is about to end is waited for."""
        threads = set(threading.enumerate()) - self.threads
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)
        alive = sorted(f"thread {each.name!r}" for each in threads if each.is_alive())
        opened = sorted(_descriptors().items() - self.descriptors.items())
        return alive + [f"file descriptor {number} ({what})" for number, what in opened]


def _descriptors() -> dict[str, str]:
    found: dict[str, str] = {}
    if _DESCRIPTORS.exists():
        for number in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - names are what is wanted
            with suppress(OSError):  # that of the listing itself is closed again
                found[number] = os.readlink(_DESCRIPTORS / number)  # noqa: PTH115 - "socket:[1]" is no path
    return found


@contextmanager
def unclosed() -> Generator[list[str]]:
    """Collects what is given up inside without having been closed: each ResourceWarning, as an error would be."""
    found: list[str] = []
    before = sys.unraisablehook

    def look(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, ResourceWarning):
            found.append(str(unraisable.exc_value))
        else:
            before(unraisable)

    sys.unraisablehook = look
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            yield found
    finally:
        sys.unraisablehook = before
