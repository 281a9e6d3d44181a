"""The web process."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from litestar import Litestar

from relief import app, logs, settings
from relief.commands.screen import err
from relief.settings import Settings
from relief.web import site
from relief.web.doors import DOORS
from relief.web.watch import Watch


def web(chosen: Settings, development: bool = False) -> Litestar:
    """The application: the house is opened with the server and closed with it."""

    @asynccontextmanager
    async def lifespan(served: Litestar) -> AsyncIterator[None]:
        async with app.open_house(chosen, development=development) as house:
            served.state.house = house
            yield

    return site.build(lifespan=[lifespan], more=DOORS)


async def _serve(args: argparse.Namespace) -> int:
    """The web process."""
    chosen = settings.load()
    logs.set_up(chosen.log_form)
    server = uvicorn.Server(
        uvicorn.Config(
            Watch(web(chosen, development=args.development)),
            host=chosen.listen_host,
            port=chosen.listen_port,
            log_config=None,
            log_level="warning",
            access_log=False,
            ssl_certfile=chosen.tls_cert,
            ssl_keyfile=chosen.tls_key,
            timeout_graceful_shutdown=10,
            proxy_headers=bool(chosen.trusted_proxies),
            forwarded_allow_ips=chosen.trusted_proxies or None,
            h11_max_incomplete_event_size=32_768,
        )
    )
    err.print(f"relief serve: {chosen.public_url}")
    await server.serve()
    return 0 if server.started else 1


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `relief serve`."""
    parser.add_argument("--development", action="store_true", help="also show the page of parts")
    parser.set_defaults(does=_serve)
