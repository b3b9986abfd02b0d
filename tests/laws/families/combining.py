"""Law cases of `rxml.operators.combining`."""

from __future__ import annotations

from typing import Any

import rxml
from rxml import operators as ops
from rxml.flow.chunk import CHUNK
from tests.laws.case import Case

OTHER = [7, 8, 9]
APART = "an error of one flow is no reason to wait for what others might still give"


def followed(xs: list[Any]) -> list[Any]:
    return [*xs, *OTHER]


CASES = {
    "merge": Case(
        lambda: ops.merge(rxml.of(*OTHER)),
        followed,
        options={"order": "any", "ahead": CHUNK, "waived": {"L31": APART}},
    ),
    "merge:empty": Case(
        lambda: ops.merge(rxml.empty(), rxml.empty()), list, options={"ahead": CHUNK}
    ),
    "concat": Case(lambda: ops.concat(rxml.of(*OTHER)), followed),
    "concat:none": Case(ops.concat, list),
    "amb": Case(lambda: ops.amb(rxml.never()), list, options={"ahead": 1}),
}
