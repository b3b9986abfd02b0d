"""The supervisor only: functions of your own, of which one answers; no flow, no server, no log, no registry.

python examples/adopt_supervisor.py
"""

from __future__ import annotations

import asyncio

from rxml.models import ModelSupervisor


async def new(x: float) -> float:
    """Your newest model, which has its bad days."""
    raise OSError(f"no answer to {x:g}")


async def proven(x: float) -> float:
    """Your model of last year."""
    return 2.0 * x


async def main() -> None:
    """Ask twenty times, and see what was decided."""
    supervisor = ModelSupervisor({"new": new, "proven": proven}, within=0.5)
    answers = [await supervisor.ask(float(number)) for number in range(20)]
    print(f"{len(answers)} answers;", *(f"{each.what} {each.arm}" for each in supervisor.recent()))


asyncio.run(main())
