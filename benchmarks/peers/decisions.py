"""decisions: `examples/ads.py` behind one path, or the same model by hand in aiohttp."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from aiohttp import web

import rxml.http
from examples.ads import Belief, Bidder, Market, Offer, build, decide
from rxml.flow.guarding.rungs import Answer

if TYPE_CHECKING:
    from examples.ads import Clicks


async def ours(port: int, bidder: Bidder) -> None:
    """Replicas, a hedge, a breaker and rungs below, within 10 ms."""
    app = rxml.http.App(port=port)
    build(app, bidder)
    async with bidder.running(), app.serve():
        await asyncio.Event().wait()


def by_hand(port: int, model: Clicks) -> None:
    """The model for each request, on the loop, and nothing around it."""

    async def decided(request: web.Request) -> web.Response:
        offer = msgspec.convert(json.loads(await request.read()), Offer)
        mean, deviation = model.log_odds(np.array([offer.x]))
        belief = Belief(offer, float(mean[0]), float(deviation[0]))
        made = decide(Answer(belief, 0, "replica"))
        body = json.dumps({"value": msgspec.to_builtins(made)}).encode()
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/decide", decided)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--hand", action="store_true")
    parser.add_argument("--stalls", type=float, default=0.0)
    given = parser.parse_args()
    bidder = Bidder(Market())
    bidder.stalls = given.stalls
    if given.hand:
        by_hand(given.port, bidder.clicks)
    else:
        asyncio.run(ours(given.port, bidder))


if __name__ == "__main__":
    main()
