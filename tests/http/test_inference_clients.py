"""The Open Inference Protocol in the words of others: clients and tools that rxml did not write."""

from __future__ import annotations

import asyncio
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rxml.http.encode import to_json
from rxml.http.inference.messages import question
from tests.http.helpers import run
from tests.http.inferred import Sums, inferred, tensor

if TYPE_CHECKING:
    from collections.abc import Callable

# None of these says its types.
triton: Any = import_module("tritonclient.http")
triton_aio: Any = import_module("tritonclient.http.aio")
openapi: Any = import_module("open_inference.openapi.client")
openapi_types: Any = import_module("open_inference.openapi.types")
schemathesis: Any = import_module("schemathesis")
checks: Any = import_module("schemathesis.specs.openapi.checks")
yaml: Any = import_module("yaml")
InferenceServerException: Any = import_module("tritonclient.utils").InferenceServerException

SPEC = yaml.safe_load(Path(__file__).with_name("open_inference.yaml").read_text())
OPERATIONS = [(p, m) for p, each in SPEC["paths"].items() for m in each]


def against(client: Callable[[str], Any]) -> Any:
    """What a client that blocks makes of a server, in a thread of its own."""

    async def main() -> Any:
        async with inferred(control=True).serve() as server:
            return await asyncio.to_thread(client, server.url)

    return run(main(), 60)


def input_of(values: Any, kind: str, *, binary: bool, name: str = "x") -> Any:
    array = np.asarray(values)
    found = triton.InferInput(name, list(array.shape), kind)
    found.set_data_from_numpy(array, binary_data=binary)
    return found


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
def test_tritonclient(binary: bool, coding: str | None) -> None:
    def client(url: str) -> None:
        with triton.InferenceServerClient(url.removeprefix("http://")) as server:
            assert server.is_server_live()
            while not server.is_server_ready():
                time.sleep(0.01)
            assert server.is_model_ready("sums")
            assert server.get_server_metadata()["name"] == "rxml"
            assert server.get_model_metadata("sums")["versions"] == ["1", "2"]
            assert {each["name"] for each in server.get_model_repository_index()} == {
                "sums",
                "other",
                "echo",
            }
            values = np.arange(500.0)
            result = server.infer(
                "sums",
                [input_of(values, "FP64", binary=binary)],
                outputs=[triton.InferRequestedOutput("value", binary_data=binary)],
                request_id="t",
                priority=1,
                timeout=2_000_000,
                request_compression_algorithm=coding,
                response_compression_algorithm=coding,
            )
            assert result.as_numpy("value").tolist() == (values + 1).tolist()
            assert result.get_response()["id"] == "t"
            with pytest.raises(InferenceServerException, match="no model") as unknown:
                server.infer("none", [input_of(values, "FP64", binary=binary)])
            assert "404" in unknown.value.status()
            server.unload_model("other")
            assert not server.is_model_ready("other")
            server.load_model("other")
            assert server.is_model_ready("other")

    against(client)


def test_tritonclient_all_datatypes() -> None:
    def client(url: str) -> None:
        with triton.InferenceServerClient(url.removeprefix("http://")) as server:
            given = {
                "half": (np.array([0.5, 2], np.float16), "FP16"),
                "flag": (np.array([True, False]), "BOOL"),
                "text": (np.array(["ä", ""], object), "BYTES"),
                "small": (np.array([0, 255], np.uint8), "UINT8"),
                "pair": (np.arange(4, dtype=np.float32).reshape(2, 2), "FP32"),
            }
            inputs = [
                input_of(each, kind, binary=True, name=name) for name, (each, kind) in given.items()
            ]
            result = server.infer("echo", inputs)
            for name, (each, _) in given.items():
                found = result.as_numpy(name).tolist()
                if name == "text":
                    found = [text.decode() for text in found]
                assert found == each.tolist()

    against(client)


def test_tritonclient_aio() -> None:
    async def main() -> None:
        async with inferred().serve() as server:
            client = triton_aio.InferenceServerClient(server.url.removeprefix("http://"))
            async with client:
                while not await client.is_server_ready():  # noqa: ASYNC110 - as who balances the load asks
                    await asyncio.sleep(0.01)
                result = await client.infer("sums", [input_of([1.0], "FP64", binary=True)])
                assert result.as_numpy("value").tolist() == [2.0]
                with pytest.raises(InferenceServerException):
                    await client.infer("sums", [input_of([1], "INT64", binary=True, name="y")])

    run(main())


def test_open_inference_openapi() -> None:
    async def main() -> None:
        async with inferred().serve() as server, httpx.AsyncClient() as http:
            client = openapi.AsyncOpenInferenceClient(base_url=server.url, httpx_client=http)
            await client.check_server_liveness()
            await client.check_server_readiness()
            assert (await client.read_server_metadata()).name == "rxml"
            metadata = await client.read_model_metadata("sums")
            assert metadata.inputs is not None
            assert [each.datatype for each in metadata.inputs] == ["FP64"]
            await client.check_model_version_readiness("sums", "1")
            data: Any = [1.0, 2.0]
            one = openapi_types.RequestInput(name="x", shape=[2], datatype="FP64", data=data)
            request = openapi_types.InferenceRequest(inputs=[one], id="o")
            answer = await client.model_infer("sums", request=request)
            assert (answer.id, answer.model_name) == ("o", "sums")
            assert answer.outputs[0].data.__root__ == [2.0, 3.0]
            with pytest.raises(openapi.ApiError, match="404"):
                await client.read_model_metadata("none")

    run(main())


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_schemathesis(path: str, method: str) -> None:
    """Requests that the specification allows get answers that it knows: there are models for few of them."""

    def client(url: str) -> int:
        operation = schemathesis.openapi.from_dict(SPEC)[path][method]
        asked: list[int] = []

        @settings(
            max_examples=8,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        @given(operation.as_strategy())
        def each(case: Any) -> None:
            response = case.call(base_url=url)
            case.validate_response(response, excluded_checks=[checks.positive_data_acceptance])
            asked.append(response.status_code)

        each()
        return len(asked)

    assert against(client) >= 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_come_as_they_went(values: list[float]) -> None:
    signature = Sums().model().signature
    body = to_json({"inputs": [tensor("x", "FP64", [len(values)], values)]})
    assert question(body, None, signature, 100).batch["x"].tolist() == values
