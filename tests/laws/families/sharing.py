"""Law cases of `rxml.operators.sharing`, each with one subscriber: then it is the flow itself."""

from __future__ import annotations

from rxml import operators as ops
from tests.laws.case import Case

REMEMBERED = "who subscribes after the end gets what is remembered, not the flow anew"

CASES = {
    "share": Case(ops.share, iter),
    "share:narrow": Case(lambda: ops.share(lag=1, policy="error"), iter),
    "replay": Case(lambda: ops.replay(3), iter, options={"waived": {"L6": REMEMBERED}}),
}
