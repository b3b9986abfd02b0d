"""Windows by event time, in words: for `ops.window(tumbling(60), emit=every(10))`."""

from __future__ import annotations

from rxml.eventtime.windows.emission import (
    Emission,
    after_count,
    early,
    every,
    on_close,
    on_update,
)
from rxml.eventtime.windows.late import Late
from rxml.eventtime.windows.windowed import Windowed
from rxml.eventtime.windows.windowing import (
    Windowing,
    count,
    global_,
    session,
    sliding,
    tumbling,
)

__all__ = [
    "Emission",
    "Late",
    "Windowed",
    "Windowing",
    "after_count",
    "count",
    "early",
    "every",
    "global_",
    "on_close",
    "on_update",
    "session",
    "sliding",
    "tumbling",
]
