"""What two versions have not in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from rxml.models.artefacts.manifest import Manifest

_OWN: Final = frozenset({"manifest", "name", "version", "created"})
"""Each version has its own, which is no difference."""


def difference(before: Manifest, after: Manifest) -> dict[str, tuple[Any, Any]]:
    """What is said of one and of the other, where that is not the same.

    Returns:
        By path, `metrics.rmse` or `signature.inputs.area`: what the first has and what the second has; None where one has
        nothing there.
    """
    first, second = _flat(before), _flat(after)
    paths = dict.fromkeys((*first, *second))
    return {
        path: (first.get(path), second.get(path))
        for path in paths
        if first.get(path) != second.get(path)
    }


def _flat(manifest: Manifest) -> dict[str, Any]:
    """The leaves of a manifest by path."""
    plain: dict[str, Any] = msgspec.to_builtins(manifest)
    for name in _OWN:
        plain.pop(name, None)
    for side in ("inputs", "outputs"):
        fields: list[dict[str, Any]] = plain["signature"][side]
        plain["signature"][side] = {field.pop("name"): field for field in fields}
    leaves: dict[str, Any] = {}
    _gather("", plain, leaves)
    return leaves


def _gather(path: str, value: Any, leaves: dict[str, Any]) -> None:
    if not isinstance(value, dict):
        leaves[path] = value
        return
    mapping: dict[str, Any] = msgspec.convert(value, dict[str, Any])
    for name, each in mapping.items():
        _gather(f"{path}.{name}" if path else name, each, leaves)
