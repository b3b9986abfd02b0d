"""Law cases of `rxml.operators.prefetching`."""

from __future__ import annotations

from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "prefetch": Case(lambda: ops.prefetch(5), list, options={"ahead": 5}),
    "prefetch:one": Case(lambda: ops.prefetch(1), list, options={"ahead": 1}),
    "prefetch:bytes": Case(lambda: ops.prefetch(5, max_bytes=60), list, options={"ahead": 5}),
}
