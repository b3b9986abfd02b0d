"""Run in a process of its own: publish and promote, and die at the k-th thing that is done to the disk, for each k."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from rxml.models.artefacts import linear
from rxml.models.registry import Registry

CALLS = ("open", "write", "fsync", "replace", "ftruncate", "close")
"""What the registry does to the disk."""


def main(folder: str, half: bool) -> None:
    """A child for each k; prints how each ended."""
    for k in range(1, 200):
        child = os.fork()
        if not child:
            _die_at(k, half=half)
            registry = Registry(folder)
            registry.promote(
                "price", "champion", registry.publish("price", linear({"area": 1.0 * k}))
            )
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        sys.stdout.write(f"{k} {ended}\n")
        if not os.WIFSIGNALED(status):
            return


def _die_at(k: int, *, half: bool) -> None:
    """Have this process killed at its k-th call; a write is cut in half, if so wanted."""
    count = 0

    def wrap(name: str, real: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == k:
                if half and name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **more)

        return call

    for name in CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "half")
