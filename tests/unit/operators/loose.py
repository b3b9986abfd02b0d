"""The package without its types, for tests that pass what these forbid, or what they cannot infer."""

from __future__ import annotations

from importlib import import_module
from typing import Any

rxml: Any = import_module("rxml")
ops: Any = import_module("rxml.operators")
reactivex: Any = import_module("reactivex")
rx: Any = import_module("reactivex.operators")
