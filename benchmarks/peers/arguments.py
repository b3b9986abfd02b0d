"""Arguments: what each server is told."""

from __future__ import annotations

import argparse


def port() -> int:
    """The port to listen on, from `--port`."""
    given: int = arguments().port
    return given


def arguments() -> argparse.Namespace:
    """`--port`, and `--busy` for the model that costs half a millisecond a row."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--busy", action="store_true")
    return parser.parse_args()
