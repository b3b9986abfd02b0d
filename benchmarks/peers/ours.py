"""rxml: one operator behind one path."""

from __future__ import annotations

from typing import Final

import rxml.http
from benchmarks.peers.arguments import arguments
from benchmarks.serving.rows import FEATURES, Busy, regression
from rxml import models
from rxml import operators as ops
from rxml.batch import Field, Schema
from rxml.models.adapters.sklearn import from_sklearn

WINDOW: Final = 4096
"""Rows that a WebSocket may send ahead: sixteen batches of 256."""


def main() -> None:
    """Serve."""
    given = arguments()
    model = costly() if given.busy else from_sklearn(regression(), positive=1)
    app = rxml.http.App(port=given.port, limits=rxml.http.Limits(window=WINDOW))
    app.predict("/predict", ops.score(model))
    app.run()


def costly() -> models.Model:
    """The model that costs half a millisecond a row."""
    busy = Busy()
    inputs = Schema([Field("features", "float64", (FEATURES,))])
    return models.from_function(
        lambda batch: busy.predict_proba(batch["features"])[:, 1], inputs=inputs
    )


if __name__ == "__main__":
    main()
