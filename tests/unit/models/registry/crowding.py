"""Run in a process of its own: publish and promote beside others that do the same."""

from __future__ import annotations

import sys

from rxml.errors import AliasMovedError
from rxml.models.artefacts import linear
from rxml.models.registry import Registry


def main(folder: str, who: int, count: int) -> None:
    """Publish versions of one name, and count in an alias by compare and set; prints who won what."""
    registry = Registry(folder)
    for at in range(count):
        made = registry.publish("price", linear({"area": float(who)}, float(at)))
        while True:
            aliases = registry.aliases("price")
            before = aliases["newest"].version if "newest" in aliases else None
            try:
                registry.promote("price", "newest", made, expect=before)
            except AliasMovedError:
                continue
            break
        sys.stdout.write(f"{made.version} {before or 0}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
