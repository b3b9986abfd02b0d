"""Arguments, and which command takes them. A command's room is imported only when it is asked for."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from rxml.cli.failure import CommandError
from rxml.errors import RxmlError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 done, 1 it failed and said why, 2 the arguments are wrong."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (CommandError, RxmlError, OSError) as error:
        print(f"rxml {options.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rxml", description="Reactive streams that answer in time."
    )
    commands = parser.add_subparsers(dest="name", required=True, metavar="command")

    demo = commands.add_parser(
        "demo", help="forecast this machine's load, and your own numbers, live"
    )
    demo.add_argument("--seconds", type=_seconds, help="end after so many seconds")
    demo.add_argument("--host", default="127.0.0.1")
    demo.add_argument("--port", type=int, default=8080, help="0 for any that is free")
    demo.set_defaults(command=_demo)

    serve = commands.add_parser("serve", help="serve the endpoints of an App")
    serve.add_argument("target", metavar="module:app", help="an rxml.http.App in a module or file")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.set_defaults(command=_serve)

    tail = commands.add_parser("tail", help="print a remote stream, an element a line, as it comes")
    tail.add_argument("url", help="ws://host:port/path")
    tail.add_argument("-n", type=_count, help="end after so many elements")
    tail.set_defaults(command=_tail)

    draw = commands.add_parser("draw", help="print the graph of a flow")
    draw.add_argument(
        "target", metavar="module:flow", help="a Flowable, or a function that makes one"
    )
    draw.add_argument("--svg", action="store_true", help="a picture instead of Mermaid text")
    draw.add_argument("--budget", action="store_true", help="what a run may hold at most, as well")
    draw.set_defaults(command=_draw)
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        message = f"wants a number of seconds > 0, got {text}"
        raise argparse.ArgumentTypeError(message)
    return seconds


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        message = f"wants a count >= 1, got {text}"
        raise argparse.ArgumentTypeError(message)
    return count


def _demo(options: argparse.Namespace) -> None:
    from rxml.cli.demo import demo

    demo(options.host, options.port, options.seconds)


def _serve(options: argparse.Namespace) -> None:
    from rxml.cli.serve import serve

    serve(options.target, options.host, options.port)


def _tail(options: argparse.Namespace) -> None:
    from rxml.cli.tail import tail

    tail(options.url, options.n)


def _draw(options: argparse.Namespace) -> None:
    from rxml.cli.draw import draw

    draw(options.target, svg=options.svg, budget=options.budget)
