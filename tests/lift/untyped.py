"""reactivex without its types: its generic functions would take the checkers minutes, and the tests nothing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

R: Any = import_module("reactivex.operators")
rx: Any = import_module("reactivex")
schedulers: Any = import_module("reactivex.scheduler")
Subject: Any = import_module("reactivex.subject").Subject
