"""The command: `python -m benchmarks [NAME ...] [--json] [--rounds N] [--quick] [--strict]`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.cases import NAMES, load
from benchmarks.contest import contest
from benchmarks.machine import machine
from benchmarks.report import document, text
from benchmarks.verdict import rulings, wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS, QUICK_ROUNDS = 7, 3


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default all"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--rounds", type=int, help=f"rounds in turns, default {ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="less work, fewer rounds")
    parser.add_argument("--strict", action="store_true", help="fail if a must is missed")
    chosen = parser.parse_args(given)
    if unknown := [name for name in chosen.names if name not in NAMES]:
        parser.error(f"no case is called {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {chosen.rounds}")
    return chosen


def main(given: Sequence[str]) -> int:
    """Run the cases; 1 if a result was wrong, or with `--strict` if a must was missed, else 0."""
    options = arguments(given)
    wanted = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    documents: list[dict[str, Any]] = []
    bad = False
    if not options.json:
        print(", ".join(f"{key} {value}" for key, value in machine().items()), flush=True)
    for name in options.names or NAMES:
        case = load(name)
        size = case.quick if options.quick else case.size
        rounds = min(wanted, case.most_rounds or wanted)
        records = contest(case, size=size, rounds=rounds)
        missed = any(ruling.met is False for ruling in rulings(case, records))
        bad = bad or bool(wrong(case, records)) or (options.strict and missed)
        documents.append(document(case, records, size=size, rounds=rounds))
        if not options.json:
            print("\n" + text(case, records, size=size, rounds=rounds), flush=True)
    if options.json:
        print(json.dumps({"machine": machine(), "cases": documents}, indent=2))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
