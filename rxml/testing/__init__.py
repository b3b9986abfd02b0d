"""The published test kit: virtual time, sources and sinks by script, and the law book. Needs the extra `testing`.

    from rxml.testing import check_operator

    check_operator(lambda: my_operator(3), model=lambda xs: ..., elements=st.integers())

Nothing that is shipped imports it.
"""

from __future__ import annotations

from importlib.util import find_spec as _find_spec

if _find_spec("hypothesis") is None:
    raise ImportError(
        "rxml.testing needs hypothesis, which the extra `testing` brings: pip install 'rxml[testing]'",
        name="hypothesis",
    )

from rxml.testing.check import check_operator
from rxml.testing.law import Law, LawBroken
from rxml.testing.leaks import check_collected, check_released
from rxml.testing.marbles import marble
from rxml.testing.misdeeds import Misdeed, non_compliant
from rxml.testing.probe import Probe
from rxml.testing.recorder import Recorder
from rxml.testing.script import (
    Barrier,
    End,
    Fail,
    Never,
    Scripted,
    Sleep,
    Watermark,
    scripted,
)
from rxml.testing.strategies import Flow, chunkings, faults, flows
from rxml.testing.timeline import Event, Kind, Timeline
from rxml.testing.virtual_time import Driver, advance, run, settle
from rxml.virtual.errors import DeadlockError, LeakError, RunawayError
from rxml.virtual.loop import VirtualLoop

__all__ = [
    "Barrier",
    "DeadlockError",
    "Driver",
    "End",
    "Event",
    "Fail",
    "Flow",
    "Kind",
    "Law",
    "LawBroken",
    "LeakError",
    "Misdeed",
    "Never",
    "Probe",
    "Recorder",
    "RunawayError",
    "Scripted",
    "Sleep",
    "Timeline",
    "VirtualLoop",
    "Watermark",
    "advance",
    "check_collected",
    "check_operator",
    "check_released",
    "chunkings",
    "faults",
    "flows",
    "marble",
    "non_compliant",
    "run",
    "scripted",
    "settle",
]
