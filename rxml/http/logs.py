"""Logs: lines of JSON for machines, with the request that they are about."""

from __future__ import annotations

import json
import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from typing_extensions import override

from rxml.http.access import key_of

if TYPE_CHECKING:
    from collections.abc import Generator

access: Final = logging.getLogger("rxml.http.access")
"""A line for each answer, at INFO: off unless this very logger is given that level."""

_SAFE: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACE: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_LONGEST: Final = 4096
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_prefix: Final = token_hex(6)
_numbers: Final = count()
_request: ContextVar[web.BaseRequest | None] = ContextVar("rxml.http.request", default=None)
_ID: Final = web.RequestKey("rxml_id", str)


def note(request: web.BaseRequest | None) -> None:
    """What this task logs from now on is about this request, or about none."""
    _request.set(request)


@contextmanager
def about_nobody() -> Generator[None]:
    """What is done inside, and the tasks that it begins, are not about the request that happens to be answered."""
    token = _request.set(None)
    try:
        yield
    finally:
        _request.reset(token)


def is_about_a_request() -> bool:
    """Whether a request is being answered here."""
    return _request.get() is not None


def request_id(request: web.BaseRequest) -> str:
    """The client's `X-Request-ID`, if it is up to 128 letters, digits and `._:-`; else one of ours."""
    found: str | None = request.get(_ID)
    if found is None:
        given = request.headers.get("X-Request-ID", "")
        found = given if _SAFE.fullmatch(given) else f"{_prefix}-{next(_numbers):x}"
        request[_ID] = found
    return found


def trace_of(request: web.BaseRequest) -> str | None:
    """The trace id of the header `traceparent` (W3C Trace Context); None without a valid one."""
    found = _TRACE.fullmatch(request.headers.get("traceparent", ""))
    return None if found is None or not int(found[1], 16) or not int(found[2], 16) else found[1]


def current_traceparent() -> str | None:
    """The header `traceparent` of the request that is being answered, if it has a valid one."""
    request = _request.get()
    if request is None or trace_of(request) is None:
        return None
    return request.headers["traceparent"]


def logs_access() -> bool:
    """Whether anybody wants answers to be logged."""
    return bool(access.level)


def note_access(request: web.BaseRequest, path: str, status: int, seconds: float) -> None:
    """Log an answer."""
    key = key_of(request)
    fields = {
        "method": request.method,
        "path": path,
        "status": status,
        "seconds": round(seconds, 6),
        "key": None if key is None else key.name,
    }
    access.info("%s %s %d", request.method, path, status, extra=fields)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: `time`, `level`, `logger`, `message`, `request_id` and `trace_id` if it is about a request,
    `error` with its traceback, and whatever was given as `extra`. Nothing in it can begin a new line; text of strangers
    is cut at 4096 characters.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST],
        }
        request = _request.get()
        if request is not None:
            line["request_id"] = request_id(request)
            if trace := trace_of(request):
                line["trace_id"] = trace
        line.update({name: value for name, value in vars(record).items() if name not in _OWN})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _dumped({name: value for name, value in line.items() if value is not None})


def _dumped(line: dict[str, Any]) -> str:
    """As ASCII, so that nothing in it is taken for the end of a line; what JSON has no form for is shown as Python does."""
    try:
        return json.dumps(line, default=repr, allow_nan=False, skipkeys=True)
    except (ValueError, RecursionError):
        plain = {
            name: value if isinstance(value, str) else repr(value) for name, value in line.items()
        }
        return json.dumps(plain)
