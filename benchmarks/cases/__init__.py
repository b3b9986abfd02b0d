"""The cases, a file each. A file must import in every peer's environment: what it measures is imported late."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from benchmarks.case import Case

NAMES: Final = {
    "chain": "benchmarks.cases.chain",
    "stages": "benchmarks.cases.stages",
    "handoff": "benchmarks.cases.handoff",
    "handoff_one": "benchmarks.cases.handoff_one",
    "map_async": "benchmarks.cases.map_async",
    "latency": "benchmarks.cases.latency",
    "columns": "benchmarks.cases.columns",
    "windows_rows": "benchmarks.cases.windows_rows",
    "windows_columns": "benchmarks.cases.windows_columns",
    "sliding": "benchmarks.cases.sliding",
    "asof_join": "benchmarks.cases.asof_join",
    "log_append": "benchmarks.cases.log_append",
    "log_read": "benchmarks.cases.log_read",
    "lift": "benchmarks.cases.lift",
    "memory": "benchmarks.cases.memory",
    "stalled_reader": "benchmarks.cases.stalled_reader",
    "recovery": "benchmarks.cases.recovery",
    "keys": "benchmarks.cases.keys",
    "wire": "benchmarks.wire_case",
    "predict_64": "benchmarks.cases.predict_64",
    "predict_1": "benchmarks.cases.predict_1",
    "rows_ws": "benchmarks.cases.rows_ws",
    "overload_model": "benchmarks.cases.overload_model",
    "overload_http": "benchmarks.cases.overload_http",
    "serve_recovery": "benchmarks.cases.serve_recovery",
    "swap": "benchmarks.cases.swap",
    "chaos_kill": "benchmarks.cases.chaos_kill",
    "chaos_model": "benchmarks.cases.chaos_model",
    "isolation": "benchmarks.cases.isolation",
    "idle": "benchmarks.cases.idle",
    "decisions": "benchmarks.cases.decisions",
    "poisson_binomial": "benchmarks.cases.poisson_binomial",
    "aci": "benchmarks.cases.aci",
    "distributions": "benchmarks.cases.distributions",
}
"""Where each case lives. Each of these modules has a `CASE`."""


def load(name: str) -> Case:
    """The case of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in NAMES:
        raise ValueError(f"no case is called {name!r}; there are: {', '.join(NAMES)}")
    case: object = import_module(NAMES[name]).CASE
    if not isinstance(case, Case) or case.name != name:
        raise TypeError(f"{NAMES[name]}.CASE must be the Case {name!r}, got {case!r}")
    return case
