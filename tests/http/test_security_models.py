"""Models by name: whose key may ask which, load and unload them, and know that they are there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rxml import models
from rxml.batch import Schema
from rxml.http import App, Key
from tests.http.helpers import http, run

if TYPE_CHECKING:
    from tests.http.helpers import Answer

ASK, RULE = "ask-price-0123456789", "rule-price-0123456789"
KEYS = [
    Key.of("ask", ASK, scopes=["infer"], models=["price"]),
    Key.of("rule", RULE, scopes=["admin"], models=["price"]),
]
ROW = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]}]}
PREFIXES = pytest.mark.parametrize("prefix", ["/v2", "/api/models"])


def asked(
    prefix: str, path: str, token: str | None, *, keyed: bool = True, **headers: str
) -> Answer:
    model = models.from_function(lambda rows: rows["x"], inputs=Schema.of(x="float64"))
    service = App(port=0, keys=KEYS if keyed else (), read_only=not keyed)
    service.inference({"price": model, "secret": model}, prefix=prefix, control=True)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    post = path.endswith(("infer", "load", "index"))
    body = json.dumps(ROW).encode() if path.endswith("infer") else b"" if post else None

    async def main() -> Answer:
        async with service.serve() as server:
            answer = await http(server, prefix + path, body, headers=headers)
            while path == "/health/ready" and answer.status == 503:  # models are being opened
                answer = await http(server, prefix + path, body, headers=headers)
            return answer

    return run(main())


@PREFIXES
@pytest.mark.parametrize("path", ["/models/price", "/models/price/ready", ""])
def test_a_word_about_websockets_is_no_key_where_there_are_none(prefix: str, path: str) -> None:
    answer = asked(prefix, path, None, Upgrade="websocket", Connection="Upgrade")
    assert answer.status == 401


@PREFIXES
@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/models/price/infer", ASK, 200),
        ("/models/price/versions/1/infer", ASK, 200),
        ("/models/secret/infer", ASK, 403),
        ("/models/secret/versions/1/infer", ASK, 403),
        ("/models/secret", ASK, 403),
        ("/models/secret/", ASK, 403),
        ("/models/%73ecret", ASK, 403),
        ("/models/price/infer", RULE, 403),
        ("/repository/models/price/unload", ASK, 403),
        ("/repository/models/price/load", ASK, 403),
        ("/repository/models/secret/unload", RULE, 403),
        ("/repository/models/price/unload", RULE, 200),
    ],
)
def test_a_key_is_for_its_models_under_every_prefix(
    prefix: str, path: str, token: str, status: int
) -> None:
    assert asked(prefix, path, token).status == status


@PREFIXES
def test_who_may_not_ask_a_model_does_not_learn_of_it(prefix: str) -> None:
    index: Any = asked(prefix, "/repository/index", ASK).json
    assert [each["name"] for each in index] == ["price"]
    assert b"secret" not in asked(prefix, "/models/price/versions/9", ASK).body
    assert b"secret" not in asked(prefix, "/models/nothing", ASK).body


@PREFIXES
@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_who_balances_the_load_needs_no_key(prefix: str, path: str) -> None:
    assert asked(prefix, path, None).status == 200


def test_who_is_read_only_unloads_nothing() -> None:
    assert asked("/v2", "/repository/models/price/unload", None, keyed=False).status == 403
    assert asked("/v2", "/models/price/infer", None, keyed=False).status == 200
