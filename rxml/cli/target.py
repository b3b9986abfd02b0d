"""Finding what `module:name` names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rxml.cli.failure import CommandError, blamed

if TYPE_CHECKING:
    from types import ModuleType


def load(target: str) -> Any:
    """The object called `name` in `module`, for a target `module:name`; a path to a file is a module, too.

    The module's folder stays on the path, as it does for `python file.py`: functions may import from there later.

    Raises:
        CommandError: not of that form, there is no such module or name, or the module fails.
    """
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        raise CommandError(f"wants module:name, got {target!r}")
    with blamed(f"cannot load {module_name}"):
        module = _module(module_name)
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            names = ", ".join(name for name in dir(module) if not name.startswith("_"))
            raise CommandError(f"{module_name} has no {name!r}; it has: {names}")
        found = getattr(found, part)
    return found


def _module(name: str) -> Any:
    path = Path(name if name.endswith(".py") else f"{name}.py").resolve()
    if path.is_file():  # also where a module of that name is loaded already, such as `queue`
        return _from_file(path)
    if name.endswith(".py"):
        raise CommandError(f"there is no file {name!r}")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        place = "looked here and in the installed packages"
        raise CommandError(f"no module is called {name!r} ({place})") from error


def _from_file(path: Path) -> ModuleType:
    name = path.stem if path.stem not in sys.modules else f"{path.stem}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{path} is no Python file")
    sys.path.insert(0, str(path.parent))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
