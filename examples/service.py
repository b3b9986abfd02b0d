"""A service to be deployed: `rxml serve examples/service.py:app --workers 2`. The Dockerfile serves it.

Workers share nothing, so what a client gets must not depend on which of them it has reached.
"""

from __future__ import annotations

import os

import rxml
from rxml import operators as ops
from rxml.http import Admin, App


def reading(count: int) -> dict[str, int]:
    """A number and its square."""
    return {"count": count, "square": count * count}


app = App(
    port=8080,
    # `/metrics`, `/live` and `/ready`; 0.0.0.0 where something beyond this machine asks for them
    admin=Admin(
        host=os.environ.get("ADMIN_HOST", "127.0.0.1"),
        port=int(os.environ.get("ADMIN_PORT", "9090")),
        linger=float(os.environ.get("LINGER_SECONDS", "0")),
    ),
)
app.stream("/squares", rxml.range(1000).pipe(ops.map(reading)))
app.ready_when(lambda: True, "nothing to load")

if __name__ == "__main__":
    print("serve it: rxml serve examples/service.py:app --workers 2")
