"""Codings: how an answer may be compressed, as its client says."""

from __future__ import annotations

from aiohttp.web import ContentCoding

_KNOWN = {"gzip": ContentCoding.gzip, "deflate": ContentCoding.deflate}


def accepted(header: str) -> ContentCoding | None:
    """The coding that the client likes best, of those that there are (RFC 9110, 12.5.3); None: it wants none."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = _weight(weight)
    other = weights.get("*", 0.0)
    best = max(_KNOWN, key=lambda name: weights.get(name, other))
    return _KNOWN[best] if weights.get(best, other) > 0 else None


def _weight(text: str) -> float:
    name, _, value = text.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
