"""Law cases of `rxml.operators.timing`."""

from __future__ import annotations

import rxml
from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "delay": Case(lambda: ops.delay(1.25), None, options={"rate": True}),
    "delay:capacity": Case(
        lambda: ops.delay(1.25, capacity=2, delay_error=True), None, options={"rate": True}
    ),
    "timeout": Case(lambda: ops.timeout(0.5), None, options={"rate": True}),
    "timeout:other": Case(lambda: ops.timeout(0.5, rxml.of(7)), None, options={"rate": True}),
    "timeout:long": Case(lambda: ops.timeout(1e6, total=1e6, idle=1e6, first=1e6), list),
    "timeout:limits": Case(
        lambda: ops.timeout(first=0.5, idle=1.5, total=2.5), None, options={"rate": True}
    ),
}
