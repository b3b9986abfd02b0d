"""Prints what a lock is made from: the runtime requirements, extras and groups of pyproject.toml.

Used by `make lock`, since pip-compile does not read dependency groups:

    python requirements/wanted.py --runtime --extra demo --group build | pip-compile -
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def group(groups: dict[str, list[Any]], name: str) -> Iterator[str]:
    """Yields the requirements of one dependency group, those of included groups too."""
    for entry in groups[name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from group(groups, entry["include-group"])


def wanted(*, runtime: bool, extras: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Returns the requirement lines, sorted and each once.

    Raises:
        KeyError: An extra or a group is not in pyproject.toml.
    """
    declared = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    project = declared["project"]
    lines: set[str] = set(project["dependencies"] if runtime else ())
    for extra in extras:
        lines.update(project["optional-dependencies"][extra])
    for name in groups:
        lines.update(group(declared["dependency-groups"], name))
    return sorted(lines)


def main() -> None:
    """Prints the lines that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", action="store_true")
    parser.add_argument("--extra", action="append", default=[])
    parser.add_argument("--group", action="append", default=[])
    chosen = parser.parse_args()
    for line in wanted(runtime=chosen.runtime, extras=chosen.extra, groups=chosen.group):
        print(line)


if __name__ == "__main__":
    main()
