"""`rxml serve module:app`."""

from __future__ import annotations

from rxml.cli.failure import CommandError
from rxml.cli.target import load
from rxml.http import App


def serve(target: str, host: str | None, port: int | None) -> None:
    """Serve the App until SIGINT or SIGTERM, then drain."""
    app = load(target)
    if not isinstance(app, App):
        message = f"{target} is a {type(app).__name__}, not an rxml.http.App"
        raise CommandError(message)
    app.run(host=host, port=port)
