"""Finding what `module:name` names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from rxml.cli.failure import CommandError


def load(target: str) -> Any:
    """The object called `name` in `module`, for a target `module:name`; a path to a file is a module, too.

    Raises:
        CommandError: not of that form, or there is no such module or name.
    """
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        message = f"wants module:name, got {target!r}"
        raise CommandError(message)
    module = _module(module_name)
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            names = ", ".join(name for name in dir(module) if not name.startswith("_"))
            message = f"{module_name} has no {name!r}; it has: {names}"
            raise CommandError(message)
        found = getattr(found, part)
    return found


def _module(name: str) -> Any:
    folder, dotted = "", name
    if name.endswith(".py"):
        path = Path(name)
        folder, dotted = str(path.parent.resolve()), path.stem
    sys.path.insert(0, folder or str(Path.cwd()))
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        if error.name is None or not dotted.startswith(error.name):
            raise
        message = f"no module is called {name!r} (looked here and in the installed packages)"
        raise CommandError(message) from error
    finally:
        del sys.path[0]
