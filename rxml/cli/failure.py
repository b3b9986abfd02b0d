"""The error of a command, told in the words of the one who typed it."""

from __future__ import annotations

import sysconfig
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

_OTHERS: Final = (
    str(Path(__file__).parents[1]),
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen ",
)
"""Where code stands that is not the user's."""


class CommandError(Exception):
    """What went wrong, in words for the one who typed the command."""


def kind(value: Any) -> str:
    """What a value is: `an App`."""
    name = type(value).__name__
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


@contextmanager
def blamed(what: str) -> Generator[None]:
    """Tell an error of the user's code without the frames of anybody else.

    Raises:
        CommandError: with the user's frames.
    """
    try:
        yield
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(f"{what}:\n{_told(error)}") from error


def _told(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_OTHERS)]
    lines = [*traceback.format_list(own), *traceback.format_exception_only(error)]
    return "".join(lines).rstrip()
