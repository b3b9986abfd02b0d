"""The arguments of `rxml facts`; what they ask for is done in `rxml.cli.facts`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rxml.cli.moments import duration, moment, size

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = "a fact log, or the directory of a partitioned one"


def add_facts(commands: Any) -> None:
    """Add the command, with a command for each thing that it does.

    Args:
        commands: the subparsers of the program.
    """
    facts = commands.add_parser("facts", help="look into a log of facts, and keep it in order")
    doing = facts.add_subparsers(dest="action", metavar="action", required=True)
    _add(doing, "list", "what there is: how many facts, from when to when")
    query = _add(doing, "query", "print facts, a line of JSON each")
    _filters(query)
    query.add_argument("--count", action="store_true", help="print only how many there are")
    query.add_argument(
        "--entities",
        action="store_true",
        help="print what $set, $unset and $delete made of entities, instead of facts",
    )
    export = _add(doing, "export", "write facts to a file")
    export.add_argument("file", help="*.parquet, anything else is NDJSON; - for standard output")
    _filters(export)
    taken = _add(doing, "import", "append the facts of a file that export wrote, or one by hand")
    taken.add_argument("file", help="*.parquet, anything else is NDJSON; - for standard input")
    _add(doing, "compact", "make large chunks of small ones")
    trim = _add(doing, "trim", "let the oldest facts go")
    trim.add_argument("--older-than", type=duration, help="that arrived so long ago: 12h, 30d")
    trim.add_argument("--max-bytes", type=size, help="until no more is left than 500MB, 2GiB")
    facts.set_defaults(command=_facts)


def _add(doing: Any, name: str, what: str) -> Any:
    added: argparse.ArgumentParser = doing.add_parser(name, help=what, description=what)
    added.add_argument("log", metavar="facts.db", help=LOG)
    return added


def _filters(parser: argparse.ArgumentParser) -> None:
    """What says which facts are meant; applied in this order."""
    add: Callable[..., Any] = parser.add_argument
    add("--key", action="append", default=[], help="of these entities or sensors")
    add("--from", dest="from_", type=moment, help="that happened then or later (UTC)")
    add("--until", type=moment, help="that happened before")
    add("--known-at", type=moment, help="that had arrived by then")
    add("--where", action="append", default=[], type=_pair, metavar="NAME=VALUE")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--as-of", type=moment, help="the newest of each key at that time")
    which.add_argument("--latest", action="store_true", help="the newest of each key")
    which.add_argument("--last", type=_whole, help="the newest so many, newest first")
    which.add_argument("--nth", type=_whole, help="the newest but so many, less one")
    add("--skip", type=_number, default=0, help="leave out so many")
    add("--limit", type=_number, help="end after so many")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        message = f"wants NAME=VALUE, got {text}"
        raise argparse.ArgumentTypeError(message)
    return name, value


def _whole(text: str) -> int:
    return _least(text, 1)


def _number(text: str) -> int:
    return _least(text, 0)


def _least(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        message = f"wants a whole number >= {least}, got {text}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _facts(options: argparse.Namespace) -> None:
    from rxml.cli.facts import facts

    facts(options)
