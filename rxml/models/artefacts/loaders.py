"""Loaders: which functions may make models, and of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS: Final = ("onnx", "skops", "safetensors", "npz", "function", "joblib")

ESTIMATOR: Final = "rxml.models.artefacts.estimators:estimator_model"
"""Loader of what holds an estimator and nothing else."""

FUNCTIONS: Final = frozenset(
    {
        "rxml.models.adapters.function:from_name",
        "rxml.models.adapters.river:from_factory",
        "rxml.models.adapters.torch:from_state",
    }
)
"""Loaders whose arguments name a function, which they import and call."""

KEEPERS: Final[Mapping[str, tuple[str, ...]]] = {
    "rxml.models.adapters.onnx:from_bytes": ("onnx",),
    "rxml.models.adapters.sklearn:from_dump": ("skops",),
    "rxml.models.adapters.torch:from_state": ("safetensors",),
    "rxml.models.adapters.function:from_name": ("function",),
    "rxml.models.adapters.river:from_factory": ("function",),
    "rxml.models.artefacts.linear:linear_of": ("npz", "safetensors"),
    ESTIMATOR: ("skops", "joblib"),
}
"""Which of our own functions may make a model, and of artefacts of which format. All others are refused."""


def module_of(target: str) -> str:
    """The module in `module:name`."""
    return target.partition(":")[0]
