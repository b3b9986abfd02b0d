"""bare: an aiohttp handler that only reads and answers. No server on aiohttp's can be faster."""

from __future__ import annotations

from aiohttp import web

from benchmarks.peers.arguments import port

ANSWER = b'{"value":0.5}'


async def predict(request: web.Request) -> web.Response:
    """Read, answer."""
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


def main() -> None:
    """Serve."""
    app = web.Application()
    app.router.add_post("/predict", predict)
    web.run_app(app, host="127.0.0.1", port=port(), access_log=None, print=None)


if __name__ == "__main__":
    main()
