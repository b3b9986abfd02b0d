"""Arguments, and which command takes them. A command's room is imported only when it is asked for."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from importlib.metadata import version
from math import inf
from typing import TYPE_CHECKING, Any

from rxml.cli.facts_arguments import add_facts
from rxml.cli.failure import CommandError
from rxml.cli.models_arguments import add_models
from rxml.cli.moments import moment
from rxml.cli.plain import plain_lines
from rxml.errors import PortTakenError, RxmlError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 done, 1 it failed and said why, 2 the arguments are wrong."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.name is None:
        parser.print_help()
        return 2
    try:
        return _run(options)
    except (CommandError, RxmlError, OSError) as error:
        print(f"rxml {options.name}: {_words(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    """Run the command until it ends, or the reader of its output leaves, as `head` does; its exit status."""
    reconfigure: Any = getattr(sys.stdout, "reconfigure", dict)
    reconfigure(errors="backslashreplace")  # a name of a stranger must not end the command
    status = 0
    try:
        status = options.command(options) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _words(error: Exception) -> str:
    """What an error says, without the number that the system has for it."""
    if isinstance(error, PortTakenError) and error.errno == errno.EADDRINUSE:
        return f"{str(error.strerror).partition(': ')[0]}; --port 0 takes any that is free"
    strerror = getattr(error, "strerror", None)
    return plain_lines(str(strerror or error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rxml", description="Reactive streams that answer in time."
    )
    parser.add_argument("--version", action="version", version=f"rxml {version('rxml')}")
    commands = parser.add_subparsers(dest="name", metavar="command")

    demo = commands.add_parser(
        "demo", help="forecast this machine's load, and your own numbers, live"
    )
    demo.add_argument("--seconds", type=_seconds, help="end after so many seconds")
    demo.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1)")
    demo.add_argument("--port", type=_port, default=8080, help="8080; 0 for any that is free")
    demo.set_defaults(command=_demo)

    serve = commands.add_parser("serve", help="serve the endpoints of an App")
    serve.add_argument("target", metavar="module:app", help="an rxml.http.App in a module or file")
    serve.add_argument("--host", help="address to bind, instead of the app's")
    serve.add_argument("--port", type=_port, help="instead of the app's; 0 for any that is free")
    serve.add_argument(
        "--workers", type=_count, help="processes that serve at one port; those that die come back"
    )
    serve.add_argument(
        "--log", choices=("text", "json"), default="text", help="json: a line for each answer, too"
    )
    serve.add_argument("--as-worker", help=argparse.SUPPRESS)
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

    _add_replay(commands)
    add_facts(commands)
    add_models(commands)
    return parser


def _add_replay(commands: Any) -> None:
    replay = commands.add_parser("replay", help="run a flow over the facts of a log")
    replay.add_argument("log", help="a fact log")
    replay.add_argument(
        "target",
        metavar="module:flow",
        help="a flow that reads a log, or an operator on what log.read() gives",
    )
    replay.add_argument(
        "--from", dest="start", type=moment, help="facts from this event time on: 2026-01-02T03:04Z"
    )
    replay.add_argument(
        "--speed",
        type=_speed,
        default=inf,
        help="max (if left out), 1x or 10x as fast as facts came",
    )
    replay.set_defaults(command=_replay)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        message = f"wants a number of seconds > 0, got {text}"
        raise argparse.ArgumentTypeError(message)
    return seconds


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        message = f"wants a port from 0 to 65535, got {text}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        message = f"wants a count >= 1, got {text}"
        raise argparse.ArgumentTypeError(message)
    return count


def _speed(text: str) -> float:
    try:
        speed = inf if text == "max" else float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not speed > 0:
        message = f"wants max, or a number such as 1x or 10x, got {text}"
        raise argparse.ArgumentTypeError(message)
    return speed


def _replay(options: argparse.Namespace) -> None:
    from rxml.cli.replay import replay

    replay(options)


def _demo(options: argparse.Namespace) -> None:
    from rxml.cli.demo import demo

    demo(options.host, options.port, options.seconds)


def _serve(options: argparse.Namespace) -> int:
    if options.workers is not None and options.as_worker is None:
        from rxml.cli.workers import keep

        return keep(options)
    from rxml.cli.serve import serve

    return serve(options)


def _tail(options: argparse.Namespace) -> None:
    from rxml.cli.tail import tail

    tail(options.url, options.n)


def _draw(options: argparse.Namespace) -> None:
    from rxml.cli.draw import draw

    draw(options.target, svg=options.svg, budget=options.budget)
