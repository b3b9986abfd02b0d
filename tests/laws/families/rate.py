"""Law cases of `rxml.operators.rate`."""

from __future__ import annotations

from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "throttle": Case(lambda: ops.throttle(2), None, options={"rate": True}),
    "throttle:burst": Case(lambda: ops.throttle(1, per=2, burst=3), None, options={"rate": True}),
    "throttle:cost": Case(lambda: ops.throttle(2, burst=4, cost=abs), None, options={"rate": True}),
    "keep_alive": Case(lambda: ops.keep_alive(0.5, lambda: None), None, options={"rate": True}),
}
