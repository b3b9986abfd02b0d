"""FastAPI on uvicorn, with uvloop and httptools: a pydantic model of the body, the model in the path function."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.peers.arguments import arguments
from benchmarks.serving.rows import busy, regression


def main() -> None:
    """Serve. An async function: one in a thread, as for models that take long, is slower here."""
    given = arguments()
    model = busy() if given.busy else regression()
    app: Any = import_module("fastapi").FastAPI()
    row_type: Any = import_module("pydantic").create_model("Row", features=(list[float], ...))

    async def predict(row: Any) -> dict[str, float]:
        return {"value": float(model.predict_proba(np.array([row.features]))[0, 1])}

    predict.__annotations__ = {"row": row_type}
    app.post("/predict")(predict)
    import_module("uvicorn").run(
        app, host="127.0.0.1", port=given.port, access_log=False, log_level="warning"
    )


if __name__ == "__main__":
    main()
