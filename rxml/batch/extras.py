"""Libraries that come with an extra, imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra_module(name: str, extra: str) -> Any:
    """The module, if it is installed.

    Raises:
        ModuleNotFoundError: it is not; the message names the extra that brings it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        text = f"this needs {name}: install rxml with the extra {extra!r}, rxml[{extra}]"
        raise ModuleNotFoundError(text, name=name) from error
