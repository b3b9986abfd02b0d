"""`rxml serve module:app`."""

from __future__ import annotations

from rxml.cli.failure import CommandError, kind
from rxml.cli.log import log_to_terminal
from rxml.cli.target import load
from rxml.http import App


def serve(target: str, host: str | None, port: int | None) -> None:
    """Serve the App until SIGINT or SIGTERM, then drain."""
    app = load(target)
    if not isinstance(app, App):
        raise CommandError(f"{target} is {kind(app)}, not an rxml.http.App")
    paths = _paths(app)
    log_to_terminal()
    app.run(
        host=host,
        port=port,
        ready=lambda server: print(f"serving {server.url}: {paths}. Ctrl-C ends.", flush=True),
    )


def _paths(app: App) -> str:
    known = [
        f"{each.path} ({'ingest' if 'POST' in each.methods else 'stream'})"
        for each in app.endpoints
    ]
    return ", ".join(known) or "no endpoint yet"
