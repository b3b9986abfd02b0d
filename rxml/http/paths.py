"""Paths: what an app answers, and what runs beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from rxml.errors import PipelineError
from rxml.flow.placing import flowable
from rxml.http.inference.endpoint import Alias, Inference
from rxml.http.inference.offer import registered
from rxml.http.ingest import Ingest
from rxml.http.operate import Operate
from rxml.http.predict.endpoint import Predict
from rxml.http.recording import Recording
from rxml.http.replay import Replay, replayed
from rxml.http.slow import policy
from rxml.http.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator
    from rxml.http.endpoint import Endpoint
    from rxml.http.readiness import Check, Readiness
    from rxml.http.slow import Slow
    from rxml.models.registry.registry import Registry

A = TypeVar("A")
T = TypeVar("T")


class Paths:
    """The endpoints of an app, by path; flows that run as long as it does; and what it must have to be ready.

    Args:
        readiness: takes the checks.
    """

    def __init__(self, readiness: Readiness) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._background: list[Flowable[Any]] = []
        self._readiness = readiness

    @overload
    def ingest(
        self, path: str, *, schema: None = None, deadline: float = 5.0, capacity: int = 0
    ) -> Flowable[dict[str, Any]]: ...

    @overload
    def ingest(
        self, path: str, *, schema: type[T], deadline: float = 5.0, capacity: int = 0
    ) -> Flowable[T]: ...

    def ingest(
        self,
        path: str,
        *,
        schema: type[Any] | None = None,
        deadline: float = 5.0,
        capacity: int = 0,
    ) -> Flowable[Any]:
        """What clients post to `path`, or send on its WebSocket: JSON, NDJSON or msgpack.

        Hot, for one run at a time; `ops.share()` behind it makes it one for many. Demand reaches the socket: a body is
        not read before its elements are wanted. What is not wanted within the deadline is answered with 429 and a
        `Retry-After` from the pace so far; on a WebSocket it waits.

        Args:
            path: of the URL.
            schema: what each element must be, a type that msgspec can make, such as a `msgspec.Struct` or a dataclass;
                None: any JSON object.
            deadline: seconds that an element of a POST may wait to be wanted.
            capacity: elements that are taken before they are wanted; they are lost if the run ends.

        Raises:
            PipelineError: the path is taken or none, or the schema cannot be made.
            AlreadyRunningError: when run, another run has this flow.
        """
        endpoint: Ingest[Any] = Ingest(path, schema, deadline=deadline, capacity=capacity)
        self._add(endpoint)
        return endpoint.inbox.flow()

    def stream(
        self,
        path: str,
        flow: Flowable[A],
        *,
        slow: Slow | str = "latest",
        key: Callable[[A], Any] | None = None,
        replay: int | Replay | None = None,
    ) -> None:
        """Send a flow to whoever asks at `path`: WebSocket, SSE, or NDJSON.

        Each client opens the flow anew; share it with `ops.share()` if it is to run once for all. With `replay` it runs
        once for all in any case, from the first client on: the fastest client drives it, and one that is further behind
        than what is kept, or comes back later, is told how much it has missed.

        Args:
            path: of the URL.
            flow: what is sent; elements are what JSON, or `rxml.wire`, has a form for.
            slow: what happens to clients that have no way to say how many they want and do not keep up: `latest()`,
                `buffer(n)`, `drop_oldest(n)`, `drop_newest(n)`, `disconnect(n)`. Those that speak `rxml.v1` get what they
                ask for.
            key: of an element; `latest` keeps the latest of each key.
            replay: keep so many elements for clients that come back, see `Replay`; `slow` means nothing then.

        Raises:
            PipelineError: the path is taken or none, it is no flow, or the policy or what to keep is none.
        """
        sent = flowable(flow, f"stream({path})")
        kept = replayed(replay)
        source = sent if kept is None else Recording(sent, kept)
        self._add(Stream(path, source, slow=policy(slow), key=key))

    def predict(
        self,
        path: str,
        operator: Operator[Any, Any],
        *,
        schema: type[Any] | None = None,
        deadline: float = 5.0,
        capacity: int = 8192,
        rows: int = 10_000,
    ) -> None:
        """Answer what is posted to `path` by an operator, such as `ops.score(model)`; all requests share one run of it.

        Args:
            path: of the URL.
            operator: any composition of stages that give one result for each element.
            schema: what a row must be, a type that msgspec can make; None: what the model wants that rows go to first,
                else any JSON object.
            deadline: seconds in which an answer is wanted, where the client does not say by `X-Request-Timeout-Ms`.
            capacity: elements that may be on their way at once.
            rows: of one request, at most.

        Raises:
            PipelineError: the path is taken or none, a stage gives more or fewer results than elements, or the schema
                cannot be made.
        """
        endpoint = Predict(
            path, operator, schema=schema, deadline=deadline, capacity=capacity, rows=rows
        )
        self._add(endpoint)
        self.ready_when(endpoint.ready, f"predict {path}")

    def operate(
        self, path: str, operator: Operator[Any, Any], *, schema: type[Any] | None = None
    ) -> None:
        """Have the WebSockets at `path` answered by any operator: elements come up, results go down, each as it is asked for.

        Each stream is a run of its own, and results need not be one for each element; `rxml.http.through(url)` is that
        operator in another process. Where each element has one answer, and all clients should share a model, see `predict`.

        Args:
            path: of the URL.
            operator: what runs.
            schema: what an element must be, a type that msgspec can make; None: any JSON object.

        Raises:
            PipelineError: the path is taken or none, or the schema cannot be made.
        """
        self._add(Operate(path, operator, schema))

    def inference(
        self,
        models: Mapping[str, Any] | Registry,
        *,
        alias: str = "champion",
        prefix: str = "/v2",
        control: bool = False,
        deadline: float = 5.0,
        max_bytes: int = 16 * 2**20,
    ) -> None:
        """Serve models by the Open Inference Protocol, version 2, as clients of KServe, Triton and MLServer speak it.

        Args:
            models: by name: a `Model`, an operator that scores by one, a flow of editions such as `registry.watch(...)`, or
                a mapping of some of these by version, of which the last answers where none is named. Or a `Registry`: each
                of its models that has the alias now; what the alias shows is followed.
            alias: of models of a registry; it is their version in paths, answers say the number.
            prefix: of all paths.
            control: whether requests may unload models and load them again.
            deadline: seconds in which an answer is wanted, where the request has no `timeout`.
            max_bytes: of a request, decompressed.

        Raises:
            PipelineError: a path is taken, there is no model, or nothing tells what one wants and gives.
        """
        given = dict(models) if isinstance(models, Mapping) else registered(models, alias)
        below = Inference(prefix, given, control=control, deadline=deadline, most=max_bytes)
        self._add(below)
        self._add(Alias(prefix, below))
        self.ready_when(below.ready, f"models at {prefix}")

    def background(self, flow: Flowable[Any]) -> None:
        """Run a flow for its effects as long as the app is served; if it fails, that is logged and the app goes on."""
        self._background.append(flowable(flow, "background"))

    def ready_when(self, check: Check, name: str | None = None) -> None:
        """Have `/ready` on the admin side say 503 until the check says True: a model is loaded, a table is filled.

        Args:
            check: called for each question, may be a coroutine function; what fails or takes a second says no.
            name: that the answer has for it; None: that of the function.

        Raises:
            PipelineError: it is no function, or the name is taken.
        """
        self._readiness.add(check, name)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What answers, in the order in which it was added."""
        return tuple(self._endpoints.values())

    def _add(self, endpoint: Endpoint) -> None:
        if endpoint.path in self._endpoints:
            raise PipelineError(f"{endpoint.path} is taken by another endpoint of this app")
        self._endpoints[endpoint.path] = endpoint
