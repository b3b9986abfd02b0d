"""Publishing only: models by name and version in a folder; no flow, no server, no scoring, no event loop.

python examples/adopt_publishing.py
"""

from __future__ import annotations

import tempfile

from rxml.batch import Batch
from rxml.models.artefacts import linear
from rxml.models.registry import Registry

with tempfile.TemporaryDirectory() as folder:
    registry = Registry(f"{folder}/models")
    for slope, rmse in ((2.0, 3.1), (2.4, 1.9)):
        version = registry.publish("fare", linear({"km": slope}, 3.0), metrics={"rmse": rmse})
        registry.promote("fare", "champion", version)

    rides = Batch({"km": [10.0]})
    model = registry.load("fare@champion")  # its digest is checked; nothing is unpickled
    print(f"by {registry.find('fare@champion')}: {model.predict(rides)['value'][0]:g} euros")
    back = registry.rollback("fare", "champion")
    print(f"back to {back}: {registry.load(back).predict(rides)['value'][0]:g} euros")
