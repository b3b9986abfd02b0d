"""Law cases of `rxml.operators.failure`."""

from __future__ import annotations

import rxml
from rxml import operators as ops
from tests.laws.case import Case

CASES = {
    "retry": Case(lambda: ops.retry(2), list, options={"handles_errors": True}),
    "retry:backoff": Case(
        lambda: ops.retry(3, backoff=(1, 2, 8), jitter="none"),
        None,
        options={"handles_errors": True, "rate": True},
    ),
    "retry:resume": Case(lambda: ops.retry(2, resume=True), list, options={"handles_errors": True}),
    "retry:on": Case(
        lambda: ops.retry(3, on=lambda error: False), list, options={"handles_errors": False}
    ),
    "repeat": Case(
        lambda: ops.repeat(2),
        lambda xs: xs * 2,
        options={
            "waived": {
                "L2": "the source runs twice, and gives each element twice",
                "L52": "and each barrier",
            }
        },
    ),
    "repeat:0": Case(lambda: ops.repeat(0), lambda xs: []),
    "catch": Case(lambda: ops.catch(rxml.of(7, 8)), list, options={"handles_errors": True}),
    "catch:handler": Case(
        lambda: ops.catch(lambda error, source: rxml.of(7, 8)),
        list,
        options={"handles_errors": True},
    ),
    "catch:on": Case(lambda: ops.catch(rxml.of(7), on=ArithmeticError), list),
    "on_error_resume_next": Case(
        lambda: ops.on_error_resume_next(rxml.of(7, 8)),
        lambda xs: [*xs, 7, 8],
        options={"handles_errors": True},
    ),
    "on_error_resume_next:factory": Case(
        lambda: ops.on_error_resume_next(lambda error: rxml.of(7)),
        lambda xs: [*xs, 7],
        options={"handles_errors": True},
    ),
}
