"""Registry: models by name, in a folder: immutable versions, aliases with a history, a flow of what they show.

>>> import tempfile
>>> from rxml.models.artefacts import linear
>>> registry = Registry(tempfile.mkdtemp() + "/models")
>>> version = registry.publish("price", linear({"area": 3.0}, 10.0), metrics={"rmse": 1.5})
>>> str(registry.promote("price", "champion", version))
'price:1'
>>> registry.load("price@champion").release.version
'1'
"""

from __future__ import annotations

from rxml.models.artefacts.manifest import Coverage, FactRange, Manifest
from rxml.models.registry.mlflow import import_mlflow
from rxml.models.registry.mlflow_export import export_mlflow
from rxml.models.registry.publishing import About
from rxml.models.registry.registry import Registry
from rxml.models.registry.released import Released
from rxml.models.registry.version import Change, Version

__all__ = [
    "About",
    "Change",
    "Coverage",
    "FactRange",
    "Manifest",
    "Registry",
    "Released",
    "Version",
    "export_mlflow",
    "import_mlflow",
]
