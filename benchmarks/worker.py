"""Worker: one contestant in a process of its own, which runs when it is told to.

Reads a line of JSON for each run, `{"size": n}`, and answers with one: measures and checksum, or the error.
Must import in every peer's environment, so it uses nothing but the standard library.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
import traceback
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from benchmarks.cases import load

if TYPE_CHECKING:
    from benchmarks.case import Contestant

LIBRARIES = (
    *("aiohttp", "aiostream", "bentoml", "bytewax", "fastapi", "litserve", "mapie", "mlserver"),
    *("numpy", "pandas", "ray", "reactivex", "rxml", "scikit-learn", "uvicorn"),
)


def peak_bytes() -> int:
    """The most memory that this process has had resident, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(contestant: Contestant, size: int) -> dict[str, Any]:
    """One run, with a collected heap before it and the collector on, as in production."""
    gc.collect()
    peak, cpu, began = peak_bytes(), time.process_time(), time.perf_counter()
    outcome = contestant.run(size)
    measures = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "peak_growth_bytes": peak_bytes() - peak,
        **outcome.measures,
    }
    return {"checksum": outcome.checksum, "measures": measures}


def answer(contestant: Contestant, size: int) -> dict[str, Any]:
    """One run, or what went wrong in it."""
    try:
        return measure(contestant, size)
    except Exception as error:  # noqa: BLE001 - it is reported, and the parent decides
        text = "".join(traceback.format_exception(error))
        return {"error": f"{type(error).__name__}: {error}", "traceback": text}


def versions() -> dict[str, str]:
    """Versions of the libraries found here."""
    found = {d.metadata["Name"].lower(): d.version for d in metadata.distributions()}
    return {name: found[name] for name in LIBRARIES if name in found}


def own_output() -> TextIO:
    """The pipe to the parent; what anything prints from now on goes to the error stream instead."""
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return pipe


def main(case: str, contestant: str) -> None:
    """Serve until the input ends."""
    pipe = own_output()
    chosen = load(case).contestants[contestant]
    hello = {"python": sys.version.split()[0], "versions": versions()}
    print(json.dumps(hello), file=pipe)
    for line in sys.stdin:
        print(json.dumps(answer(chosen, json.loads(line)["size"])), file=pipe)


if __name__ == "__main__":
    main(*sys.argv[1:])
