"""Decides what "well" and "ready" mean, and who is told more than yes or no: whoever shows the token."""

import asyncio
import hmac
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.base.errors import Unavailable
from fedcollab.base.migrate import head
from fedcollab.base.session import Session
from fedcollab.federation.kernel import KERNEL, Kernel

PATIENCE = 2.0  # seconds that one check may take
FRESH = 1.0  # seconds for which an answer is given again: asking often costs nothing
SILENCE = 180.0  # seconds after which a worker that has not turned to its work counts as dead; it does so every 30
STEP = sa.text("SELECT version_num FROM alembic_version")


@dataclass
class Health:
    """What was found last, and the workers' task, where this process has them."""

    workers: "asyncio.Task[None] | None" = None
    at: float = float("-inf")
    found: dict[str, bool] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


HEALTH = web.AppKey("health", Health)
TELLS = web.AppKey("tells", bool)  # whether everybody who reaches this place is told all: one of its own, without a token


async def healthz(request: web.Request) -> web.Response:
    """200 where the process answers and its database a read, 503 otherwise; also while the node is being worked on."""
    good = await _holds(_answers(request.app[KERNEL]))
    return _said(request, {"database": good}, good=good)


async def readyz(request: web.Request) -> web.Response:
    """200 where members and partners are served as they should be, else 503."""
    found = await ready(request.app[KERNEL], request.app[HEALTH])
    return _said(request, found, good=all(found.values()))


def _said(request: web.Request, found: dict[str, bool], *, good: bool) -> web.Response:
    """Strangers are told yes or no."""
    shown: dict[str, Any] = {"ok": good} | ({"checks": found} if has_token(request) else {})
    return web.json_response(shown, status=200 if good else 503)


def has_token(request: web.Request) -> bool:
    """Whether the request shows the node's `metrics_token`, or came to a place where none is asked for."""
    if request.app.get(TELLS, False):
        return True
    token = request.app[KERNEL].node.settings.metrics_token
    shown = request.headers.get("Authorization", "").encode(errors="surrogateescape")  # any bytes may come in a header
    return bool(token) and hmac.compare_digest(shown, f"Bearer {token}".encode())


async def ready(kernel: Kernel, health: Health) -> dict[str, bool]:
    """{check: whether it holds}, a second old at most."""
    async with health.turn:
        if time.monotonic() - health.at > FRESH:
            checks = {
                "database": _answers(kernel),
                "schema": _at_step(kernel),
                "writer": _writes(kernel),
                "workers": _work(kernel, health),
                "disk": _has_room(kernel),
                "maintenance": _is_open(kernel),
            }
            health.found = {name: await _holds(check) for name, check in checks.items()}
            health.at = time.monotonic()
    return health.found


async def _holds(check: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check
    except Exception:  # noqa: BLE001  # whatever went wrong, it does not hold
        return False


async def _answers(kernel: Kernel) -> bool:
    return bool(await kernel.database.look(_one(), {}))


@cache
def _one() -> sa.Select[Any]:
    return sa.select(sa.literal(1))


async def _at_step(kernel: Kernel) -> bool:
    def step(session: Session) -> str:
        return str(session.execute(STEP).scalar_one())

    return await kernel.database.read(step) == head()


async def _writes(kernel: Kernel) -> bool:
    """A unit without effect gets its turn; where the queue is full or the disk, it does not."""
    try:
        return await kernel.database.write(lambda _session: True)
    except Unavailable:
        return False


async def _work(kernel: Kernel, health: Health) -> bool:
    alive = health.workers is not None and not health.workers.done()
    return alive and all(time.monotonic() - at < SILENCE for at in kernel.pulse.values())


async def _has_room(kernel: Kernel) -> bool:
    return not kernel.node.room.low


async def _is_open(kernel: Kernel) -> bool:
    return kernel.node.maintenance.state() is None


ROUTES = (web.get("/healthz", healthz), web.get("/readyz", readyz))
