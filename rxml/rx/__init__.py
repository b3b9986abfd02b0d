"""The bridge to reactivex: observables in, observables out, and operators of reactivex with bounds of your own.

from_rx(observable)    an Observable as a flow, behind a bounded inbox
from_future(future)    a future as a flow; operators that want a flow take a future as it is
to_rx(flow)            a flow as an Observable
lift(a, b, bound=64)   operators of reactivex as one of rxml; `flow.pipe(a, b)` does the same with the usual bounds
"""

from __future__ import annotations

from rxml.rx.futures import from_future
from rxml.rx.inbound import buffer, conflate, from_rx
from rxml.rx.lifting import lift
from rxml.rx.outbound import to_rx

__all__ = ["buffer", "conflate", "from_future", "from_rx", "lift", "to_rx"]
