"""Operate: a path whose WebSockets are answered by an operator, each stream by a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from rxml.http.decode import Intake
from rxml.http.endpoint import Endpoint
from rxml.http.operator_socket import OperatorSocket

if TYPE_CHECKING:
    from aiohttp import web

    from rxml.flow.operator import Operator
    from rxml.http.serving import Serving


class Operate(Endpoint):
    """Any operator, whatever it makes of its elements.

    Args:
        path: of the URL.
        operator: what runs.
        schema: what an element must be, a type that msgspec can make; None: any JSON object.
        waiting_bytes: that decoded elements may take until they are wanted.

    Raises:
        PipelineError: the path is none, or the schema cannot be made.
    """

    methods: ClassVar[tuple[str, ...]] = ("GET",)
    sockets: ClassVar[bool] = True

    def __init__(
        self,
        path: str,
        operator: Operator[Any, Any],
        schema: type[Any] | None,
        waiting_bytes: int = 64 * 2**20,
    ) -> None:
        super().__init__(path)
        self._socket = OperatorSocket(operator, Intake(schema), waiting_bytes)

    @override
    async def answer(self, request: web.BaseRequest, serving: Serving) -> web.StreamResponse:
        return await self._socket.answer(request, serving)
