"""Models: what scores rows, which of them it was, and how they run.

>>> from rxml import models
>>> from rxml.batch import Batch, Schema
>>> double = models.from_function(lambda rows: 2 * rows["x"], inputs=Schema.of(x="float64"))
>>> double.predict(Batch({"x": [1.0, 2.0]}))["value"].tolist()
[2.0, 4.0]
"""

from __future__ import annotations

from rxml.models.adapters.function import from_function
from rxml.models.adapters.onnx import from_onnx
from rxml.models.adapters.river import from_river
from rxml.models.adapters.sklearn import from_sklearn
from rxml.models.adapters.torch import from_torch
from rxml.models.explaining import Explanation, explain
from rxml.models.model import Model, Release
from rxml.models.prediction import Prediction
from rxml.models.propagating import delta, propagated, unscented, worlds
from rxml.models.scoring.places import auto, on_loop, threads
from rxml.models.scoring.settings import Swap
from rxml.models.signature import Signature
from rxml.models.supervising.arm import Arm
from rxml.models.supervising.decision import Decision
from rxml.models.supervising.supervisor import ModelSupervisor

__all__ = [
    "Arm",
    "Decision",
    "Explanation",
    "Model",
    "ModelSupervisor",
    "Prediction",
    "Release",
    "Signature",
    "Swap",
    "auto",
    "delta",
    "explain",
    "from_function",
    "from_onnx",
    "from_river",
    "from_sklearn",
    "from_torch",
    "on_loop",
    "propagated",
    "threads",
    "unscented",
    "worlds",
]
