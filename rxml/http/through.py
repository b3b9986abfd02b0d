"""through: an operator of another process, as an operator here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from rxml.flow.chunk import CHUNK
from rxml.flow.kinds import boundary, label
from rxml.flow.node import Cardinality
from rxml.http.call import Call
from rxml.http.dial import LIMITS, Dial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.body import Outlet
    from rxml.flow.operator import Operator
    from rxml.flow.subscription import Subscription
    from rxml.http.limits import Limits

B = TypeVar("B")


@overload
def through(
    url: str,
    *,
    type: None = ...,
    aligned: bool = ...,
    encoding: Literal["msgpack", "json"] = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
) -> Operator[Any, Any]: ...


@overload
def through(
    url: str,
    *,
    type: type[B],
    aligned: bool = ...,
    encoding: Literal["msgpack", "json"] = ...,
    headers: Mapping[str, str] | None = ...,
    limits: Limits = ...,
) -> Operator[Any, B]: ...


def through(
    url: str,
    *,
    type: Any = None,  # noqa: A002 - it reads best at the call
    aligned: bool = True,
    encoding: Literal["msgpack", "json"] = "msgpack",
    headers: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
) -> Operator[Any, Any]:
    """Send elements to the operator that answers at `url`, and give its results, in order; a run is a connection.

    Demand travels both ways on one WebSocket: results are asked for there as they are wanted here, and elements are asked
    for here as they are wanted there. So at most as many elements are under way as the operator there wants, at most 1024
    of them unanswered, and a reader here that stalls leaves both sides as they are.

    It does not connect again by itself, since nobody knows which of the elements under way were worked on: `ops.retry`
    does so for elements that may be sent twice.

    Args:
        url: `ws://` or `wss://`, or `http://` or `https://` which mean the same; a path of `app.predict`.
        type: what each result is made into, by msgspec; None: dicts, lists, numbers, arrays.
        aligned: there is one result for each element, so result i has the context of element i; an element that is
            refused there is the supervisor's, and fails the flow if nobody says otherwise. If False, any number of
            results may come for an element, contexts end here as dropped, and a refused element fails the flow.
        encoding: on the wire; msgpack keeps arrays and batches.
        headers: further headers of the request.
        limits: `message_bytes`, `depth`, `items`, `heartbeat_seconds`, `hello_seconds` and `pong_seconds` count here.

    Raises:
        PipelineError: the url, the type or the encoding is none.
        ConnectionLost: when run, no connection could be made, or it broke, or the server ends.
        RemoteError: when run, the operator failed there (`failed`), an element is too large (`size`), refused (`reject`),
            or, if aligned, the operator has ended before it answered all (`short`).
        ProtocolError: when run, the other end does not speak `rxml.v1`, or broke its rules.
    """
    dial = Dial.of(url, encoding=encoding, type_=type, headers=headers, limits=limits)

    async def body(inlets: tuple[Subscription[Any], ...], outlet: Outlet[Any]) -> None:
        codec = dial.codec()
        async with dial.peer(codec) as peer:
            await Call(dial, peer, codec, inlets[0], outlet, aligned=aligned).run()

    return boundary(
        label("through", url),
        body,
        cardinality=Cardinality.ONE if aligned else Cardinality.MANY,
        capacity=CHUNK,
    )
