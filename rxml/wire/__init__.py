"""The wire: values, arrays and batches as msgpack, under strict limits.

    >>> import numpy as np
    >>> from rxml import wire
    >>> message = wire.dumps({"id": 7, "data": np.arange(3.0)})
    >>> wire.loads(message)["data"]
    array([0., 1., 2.])

Whatever bytes come in, `loads` gives a value or raises a WireError that names the byte; it neither crashes,
hangs nor allocates more than the limits admit. Nothing is ever unpickled.

Plain values are plain msgpack, readable by any other implementation. Tuples come back as lists, except as
keys of maps. Keys are any hashable value; two equal keys are refused. Extension values:

| code | type | payload |
|---|---|---|
| -1 | aware datetime (comes back in UTC) | msgpack's timestamp |
| 1 | numpy array of any dtype but objects and long doubles | `rxml.wire.arrays` |
| 2 | numpy array of str or bytes objects, with None; StringDType | `rxml.wire.texts` |
| 3 | Batch | map from name to column, an extension value each; the number of rows if there is no column |
| 4 | numpy scalar | u16 length (little-endian), dtype's name (`rxml.wire.dtypes`), its bytes |
| 5 | timedelta | i32 days, u32 seconds, u32 microseconds, big-endian |
| 16 | distribution column of `rxml.uncertain`, or a scalar | its kind, and a map from parameter to array |
| 17 | Fact | |
| 18..63 | kept for rxml's own types | |
| 64..127 | types of users | |

A later type is one call of `register_extension`, at both ends.
"""

from __future__ import annotations

from rxml.wire.limits import Limits
from rxml.wire.message import dumps, loads
from rxml.wire.registry import register_extension

__all__ = ["Limits", "dumps", "loads", "register_extension"]
