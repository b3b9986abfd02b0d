"""Text of strangers, made fit for a terminal: what is no printable character is shown as its escape."""

from __future__ import annotations

import json

_MORE = "…"


def plain(text: str, width: int | None = None) -> str:
    """The text without anything that a terminal would obey; beyond `width` characters it is cut."""
    shown = "".join(each if each.isprintable() else _escape(each) for each in text)
    return shown if width is None or len(shown) <= width else shown[: width - 1] + _MORE


def plain_lines(text: str) -> str:
    """The same for what may have several lines."""
    return "\n".join(map(plain, text.split("\n")))


def plain_json(text: str) -> str:
    """The same for JSON, which stays the same JSON: msgspec leaves DEL, C1 and bidirectional controls as they are."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
