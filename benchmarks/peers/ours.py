"""rxml: one operator behind one path."""

from __future__ import annotations

import rxml.http
from benchmarks.peers.arguments import arguments
from benchmarks.serving.rows import FEATURES, Busy, regression
from rxml import models
from rxml import operators as ops
from rxml.batch import Field, Schema
from rxml.models.adapters.sklearn import from_sklearn


def main() -> None:
    """Serve."""
    given = arguments()
    model = costly() if given.busy else from_sklearn(regression(), positive=1)
    app = rxml.http.App(port=given.port)
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
