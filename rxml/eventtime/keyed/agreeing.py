"""Agreeing: whether a state that was saved is one of the operator that is to go on from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.errors import CheckpointError

if TYPE_CHECKING:
    from rxml.eventtime.keying import Keying


def require_same(saved: Any, here: str) -> None:
    """Refuse a state that was saved by an operator of other settings: it would be misread.

    Args:
        saved: the settings of that one, in words.
        here: those of this one.

    Raises:
        CheckpointError: they differ.
    """
    if saved != here:
        was = saved if isinstance(saved, str) else "something else"
        raise CheckpointError(
            f"the checkpoint is of {was}, and this is {here}; run what was saved, or begin anew: under another name, or "
            "with await store.forget(name)"
        )


def in_words(keying: Keying | None) -> str:
    """How elements are keyed, the same in every process; what is told of evictions makes no difference to a state."""
    if keying is None:
        return "all elements together"
    ttl = "None" if keying.ttl is None else f"{keying.ttl / 1e9:.12g}"
    return f"key_by({keying.name}, ttl={ttl}, max_keys={keying.max_keys})"
