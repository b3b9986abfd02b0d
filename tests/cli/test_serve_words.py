"""What `rxml serve` says of an app that it serves."""

from __future__ import annotations

import rxml
from rxml import operators as ops
from rxml.cli.serve import shown_paths
from rxml.http import App


def test_each_path_is_told_with_what_it_is_for() -> None:
    app = App(port=0)
    assert shown_paths(app) == "no endpoint yet"
    _ = app.ingest("/in")
    app.stream("/out", rxml.of(1))
    app.predict("/ask", ops.map(abs), schema=int)
    assert shown_paths(app) == "/in (ingest), /out (stream), /ask (infer)"
