"""The error of a command, told in one line."""

from __future__ import annotations


class CommandError(Exception):
    """What went wrong, in words for the one who typed the command."""
