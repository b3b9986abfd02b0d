"""The bridge to Reactive Streams 1.0.4: Publisher, Subscriber, Subscription and Processor, for other libraries.

    to_publisher(flow)           a flow as a Publisher
    from_publisher(publisher)    a Publisher as a flow
    to_processor(operator)       an operator as a Processor

`tests/tck` holds a port of the technology compatibility kit, and checks rules that it leaves untested.
"""

from __future__ import annotations

from rxml.reactive_streams.interfaces import Processor, Publisher, Subscriber, Subscription
from rxml.reactive_streams.processing import to_processor
from rxml.reactive_streams.publishing import to_publisher
from rxml.reactive_streams.subscribing import from_publisher

__all__ = [
    "Processor",
    "Publisher",
    "Subscriber",
    "Subscription",
    "from_publisher",
    "to_processor",
    "to_publisher",
]
