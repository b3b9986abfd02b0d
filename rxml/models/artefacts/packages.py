"""What a model was made with, and what is installed here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_MATTER: Final[Mapping[str, tuple[str, ...]]] = {
    "onnx": ("onnxruntime",),
    "skops": ("scikit-learn", "skops", "scipy"),
    "joblib": ("scikit-learn", "joblib", "scipy"),
    "safetensors": ("safetensors", "torch"),
    "npz": (),
    "function": (),
}


def packages_for(form: str) -> dict[str, str]:
    """Versions that a model of that format may depend on, of those that are installed."""
    found = {"python": platform.python_version()}
    for name in ("rxml", "numpy", *_MATTER.get(form, ())):
        number = _version(name)
        if number:
            found[name] = number
    return found


def drift(made_with: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Packages of which another version is installed here: then and now; "" where it is not installed."""
    now = {name: _here(name) for name in made_with}
    return {
        name: (made_with[name], number) for name, number in now.items() if number != made_with[name]
    }


def _here(name: str) -> str:
    return platform.python_version() if name == "python" else _version(name)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
