"""The arguments of `rxml models`; what they ask for is done in `rxml.cli.models`."""

from __future__ import annotations

import argparse
from math import isfinite
from typing import Any


def add_models(commands: Any) -> None:
    """Add the command, with a command for each thing that it does.

    Args:
        commands: the subparsers of the program.
    """
    models = commands.add_parser("models", help="publish models, and say which of them answers")
    doing = models.add_subparsers(dest="action", metavar="action", required=True)
    listed = _add(doing, "list", "what there is: names, versions, aliases")
    listed.add_argument("model", nargs="?", help="the versions of this name")
    shown = _add(doing, "show", "what is known of a version")
    shown.add_argument("reference", help="price@champion, price:3, or price for the newest")
    _publish(_add(doing, "publish", "keep a file as the next version of a name"))
    promote = _add(doing, "promote", "have an alias show a version")
    _alias(promote)
    promote.add_argument("version", help="a number, of that name")
    promote.add_argument("--expect", help="only if the alias shows this version; none for no alias")
    rollback = _add(doing, "rollback", "have an alias show again what it showed before")
    _alias(rollback)
    rollback.add_argument("--expect", help="only if the alias shows this version")
    diff = _add(doing, "diff", "what is not the same of two versions")
    diff.add_argument("before", help="price:2")
    diff.add_argument("after", help="price:3")
    models.set_defaults(command=_models)


def _add(doing: Any, name: str, what: str) -> Any:
    added: argparse.ArgumentParser = doing.add_parser(name, help=what, description=what)
    added.add_argument("registry", metavar="models/", help="the folder of a registry")
    added.add_argument("--json", action="store_true", help="print JSON")
    return added


def _alias(parser: Any) -> None:
    parser.add_argument("model", help="a name")
    parser.add_argument("alias", help="champion")


def _publish(parser: Any) -> None:
    add = parser.add_argument
    add("model", help="a name")
    add("file", help="*.onnx, *.skops, *.npz, *.safetensors; *.joblib, *.pkl; a folder of MLflow")
    add("--input", action="append", default=[], type=_input, metavar="NAME[:DTYPE]")
    add("--metric", action="append", default=[], type=_metric, metavar="NAME=NUMBER")
    add("--coverage", type=_record, metavar="LEVEL:COVERED:ROWS", help="how its intervals hold")
    add("--features", default="", help="version of the feature set")
    add("--facts", type=_range, metavar="START:STOP", help="offsets of the facts it was trained on")
    add("--parent", default="", help="the version that it came from: price:2")
    add("--notes", default="", help="what people should know")
    add("--alias", help="have this alias show it at once")
    add("--trust", action="store_true", help="it may run anything when loaded; wants --digest")
    add("--digest", default="", help="of the file, sha256:...")


def _input(text: str) -> tuple[str, str]:
    name, _, dtype = text.partition(":")
    if not name:
        message = f"wants NAME or NAME:DTYPE, got {text}"
        raise argparse.ArgumentTypeError(message)
    return name, dtype or "float64"


def _metric(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not name or not isfinite(value):
        message = f"wants NAME=NUMBER, got {text}"
        raise argparse.ArgumentTypeError(message)
    return name, value


def _record(text: str) -> tuple[float, float, int]:
    try:
        level, covered, rows = text.split(":")
        return float(level), float(covered), int(rows)
    except ValueError:
        message = f"wants LEVEL:COVERED:ROWS, such as 0.9:0.893:5000, got {text}"
        raise argparse.ArgumentTypeError(message) from None


def _range(text: str) -> tuple[int, int]:
    start, _, stop = text.partition(":")
    if not (start.isdecimal() and stop.isdecimal() and int(start) <= int(stop)):
        message = f"wants START:STOP, two offsets, got {text}"
        raise argparse.ArgumentTypeError(message)
    return int(start), int(stop)


def _models(options: argparse.Namespace) -> None:
    from rxml.cli.models import models

    models(options)
