"""Law cases of `rxml.operators.gates`."""

from __future__ import annotations

import rxml
from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "take_until": Case(lambda: ops.take_until(rxml.timer(1.5)), None, options={"rate": True}),
    "take_until:never": Case(lambda: ops.take_until(rxml.never()), list),
    "take_until:empty": Case(lambda: ops.take_until(rxml.empty()), list),
    "take_until_with_time": Case(
        lambda: ops.take_until_with_time(1.5), None, options={"rate": True}
    ),
    "skip_until": Case(
        lambda: ops.skip_until(rxml.timer(0.5)), None, options={"rate": True, "ahead": None}
    ),
    "skip_until:never": Case(
        lambda: ops.skip_until(rxml.never()), lambda xs: [], options={"ahead": None}
    ),
    "skip_until_with_time": Case(
        lambda: ops.skip_until_with_time(0.5), None, options={"rate": True, "ahead": None}
    ),
}
