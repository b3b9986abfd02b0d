"""Artefacts: models as files, which are looked through before anything of them is used.

| format | made by | what is refused |
|---|---|---|
| `onnx` | `from_onnx`, any exporter | external data, compiled contexts, a cut off or nested file |
| `skops` | `from_sklearn` | any type that is not known to do no harm |
| `safetensors`, `npz` | `linear`, `from_torch` | objects, which would be unpickled; claims that are not so |
| `function` | `from_function` | modules that the registry was not told to import from |
| `joblib` | joblib, pickle | everything, unless the caller says `trust=True` and the digest |

Archives are refused for links, absolute names, `..`, members named twice, and for what they would unpack to.
"""

from __future__ import annotations

from rxml.models.artefacts.artefact import Artefact, artefact_of
from rxml.models.artefacts.digests import digest_of
from rxml.models.artefacts.intake import artefact_at
from rxml.models.artefacts.limits import Limits
from rxml.models.artefacts.linear import LinearModel, linear
from rxml.models.artefacts.manifest import Coverage, FactRange, Manifest
from rxml.models.artefacts.opening import model_of
from rxml.models.artefacts.trust import Trust

__all__ = [
    "Artefact",
    "Coverage",
    "FactRange",
    "Limits",
    "LinearModel",
    "Manifest",
    "Trust",
    "artefact_at",
    "artefact_of",
    "digest_of",
    "linear",
    "model_of",
]
