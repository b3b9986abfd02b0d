"""The page of headers and codes names all that the source has, and what it says of answers is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rxml import models
from rxml import operators as ops
from rxml.batch import Schema
from rxml.http import App
from tests.http.helpers import http, run

if TYPE_CHECKING:
    from rxml.batch import Batch
    from tests.http.helpers import Answer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "headers-and-codes.md").read_text(encoding="utf-8")
SOURCE = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "rxml" / "http").rglob("*.py"))
)
ROWS = re.findall(r"^\| (\d{3,4}) \|", PAGE, re.MULTILINE)
STATUSES = sorted({*re.findall(r"\b(?:Refusal|reply)\(\s*(\d{3}),", SOURCE)})
CLOSES = sorted({*re.findall(r"^[A-Z_]+: Final = (4[45]\d\d|101\d)$", SOURCE, re.MULTILINE)})
WORDS = sorted({*re.findall(r"\bError\([\w.]+, \"([a-z]+)\"", SOURCE)})
HEADERS = sorted(
    {*re.findall(r"\"((?:X|Rxml|Inference|Retry|Idempotency|Cache|Strict)-[A-Z][\w-]+)\"", SOURCE)}
)


def test_what_is_looked_for_is_found() -> None:
    assert {"400", "429", "503", "504"} <= {*STATUSES}
    assert {"4400", "4401", "4503", "1011"} <= {*CLOSES}
    assert {"busy", "deadline", "idle"} <= {*WORDS}
    assert {"Retry-After", "X-Request-Timeout-Ms", "Rxml-Stream"} <= {*HEADERS}


@pytest.mark.parametrize("code", [*STATUSES, *CLOSES])
def test_each_code_has_a_row(code: str) -> None:
    assert ROWS.count(code) == 1


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_an_error_is_told(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("header", HEADERS)
def test_each_header_is_told(header: str) -> None:
    assert f"`{header.lower()}" in PAGE.lower()


def halved(rows: Batch) -> Any:
    if (rows["x"] < 0).any():
        raise ArithmeticError("a secret")
    return rows["x"] / 2


async def asked(body: bytes, **headers: str) -> Answer:
    app = App(port=0)
    model = models.from_function(halved, inputs=Schema.of(x="float64"))
    app.predict("/predict", ops.score(model, name="half", version="3", on=models.on_loop()))
    async with app.serve() as server:
        kind = {"Content-Type": "application/json"}
        return await http(server, "/predict", body, headers={**kind, **headers})


def test_an_answer_says_what_the_page_says() -> None:
    answer = run(asked(b'{"x": 3}', **{"X-Request-Id": "mine"}))
    assert answer.status == 200
    told = {"id": "mine", "value": 1.5, "model": "half", "version": "3", "rung": "primary"}
    assert answer.json == told
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["x-request-id"] == "mine"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_of_several_rows_each_says_why_it_has_no_answer() -> None:
    answer = run(asked(b'[{"x": 3}, {"x": -1}]', **{"X-Request-Id": "two"}))
    assert answer.status == 207
    good, bad = answer.json
    assert (good["id"], good["value"]) == ("two/0", 1.5)
    assert (bad["id"], bad["status"], bad["code"]) == ("two/1", 500, "ArithmeticError")
    assert "secret" not in str(bad)


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        (b'{"x": "a"}', {}, 400, {"field": "x"}),
        (b'{"x": 1}', {"X-Request-Timeout-Ms": "0"}, 400, {}),
        (b'{"x": 1}', {"X-Request-Timeout-Ms": "30001"}, 400, {}),
        (b'{"x": 1}', {"X-Request-Priority": "101"}, 400, {}),
        (b'{"x": 1}', {"Content-Type": "text/plain"}, 415, {}),
        (b'{"x": -1}', {}, 500, {"code": "ArithmeticError"}),
    ],
)
def test_a_refusal_says_what_the_page_says(
    body: bytes, headers: dict[str, str], status: int, told: dict[str, Any]
) -> None:
    answer = run(asked(body, **headers))
    assert answer.status == status
    assert told.items() <= answer.json.items()
    assert "secret" not in answer.json["error"]
