"""Decides how a node runs: checked before it listens, ready when it answers, stopped without losing a unit."""

import asyncio
import contextlib
import ctypes
import gc
import json
import linecache
import os
import signal
import socket
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import connector, web

from fedcollab.app import NAMINGS, make_app, make_kernel
from fedcollab.base import config
from fedcollab.base.connections import Connections
from fedcollab.base.errors import FedcollabError, Misconfigured
from fedcollab.base.logs import set_up as set_up_logs
from fedcollab.base.migrate import check
from fedcollab.base.paths import NodeFiles
from fedcollab.base.web import SETTINGS
from fedcollab.base.wire import speaker
from fedcollab.federation import knocking
from fedcollab.sealing import ring, sweeping

M_ARENA_MAX, M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -8, -1, -3  # mallopt(3)
AT_HAND = 4 << 20  # bytes
STOPPING = 10.0  # seconds that a stop waits for requests which are under way: as long as a unit may wait for the writer


class Runner(web.AppRunner):
    """Takes connections through `Connections`, which limits how many there are and how long they dawdle."""

    @property
    def server(self) -> Any:
        server, settings = super().server, self.app[SETTINGS]
        per_address = 0 if settings.trusted_proxy else settings.connections_per_address
        return server and Connections(partial(speaker, server), most=settings.connections, per_address=per_address)


async def start(app: web.Application) -> web.AppRunner:
    """Listens where the settings say. Raises Misconfigured where the port is taken."""
    settings = app[SETTINGS]
    runner = Runner(app, handler_cancellation=False, shutdown_timeout=STOPPING)
    await runner.setup()
    host, _, port = settings.listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise Misconfigured(
            'Can\'t listen on %(listen)s (%(error)s). Stop what uses it, or write another in node.toml: listen = "127.0.0.1:8001"',
            listen=settings.listen,
            error=error.strerror,
        ) from None
    return runner


def collect_from_now_on() -> None:
    """Turns the collector on, which the start keeps off; what has been loaded by now stays out of its rounds, and these come once a page
    rather than many times (docs/developers/performance.md)."""
    linecache.clearcache()  # the text of what others' libraries have generated
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 20)
    gc.enable()


def share_one_heap() -> None:
    """Has all threads share one heap where the C library is glibc: it gives each its own otherwise, and keeps what was freed in any of
    them (2 MiB at rest). They seldom ask it for memory, for Python keeps its small objects itself. A few MiB that were freed stay at hand:
    given back and asked for again with each piece of a file that comes in, they cost a tenth of taking it."""
    with contextlib.suppress(AttributeError):  # another C library has no such switch, and needs none
        for what, value in ((M_ARENA_MAX, 1), (M_TRIM_THRESHOLD, AT_HAND), (M_MMAP_THRESHOLD, AT_HAND)):
            ctypes.CDLL(None).mallopt(what, value)


def forget_certificates() -> None:
    """Takes 2 MiB from aiohttp: the machine's certificates, read twice as it was imported, for a client that we never use
    (docs/decisions/0012-lean-client.md). Were it used after all, it would fail; it would not connect unverified."""
    for name in ("_SSL_CONTEXT_VERIFIED", "_SSL_CONTEXT_UNVERIFIED"):
        vars(connector).pop(name, None)


def tell_manager(state: str) -> None:
    """Tells the service manager that started this (systemd's Type=notify), if one did: `systemctl start` waits for READY=1."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if where:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line, contextlib.suppress(OSError):
            line.sendto(state.encode(), "\0" + where[1:] if where[0] == "@" else where)


def run(root: Path, *, as_json: bool = False) -> None:
    """Serves the node in `root` until it is told to stop."""
    gc.freeze()  # what was imported is here to stay: to look for garbage in it would take a sixth of the start
    share_one_heap()
    forget_certificates()
    settings = config.load(root)
    set_up_logs(settings.log_level, settings.log_format)
    kernel = make_kernel(settings, NodeFiles(root))
    check(kernel.database.engine)
    ring.start(kernel.node)

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):  # before anything starts, so that whatever has started also ends in good order
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        with contextlib.suppress(FedcollabError):  # a full disk, say: the next start sweeps
            await kernel.database.write(sweeping.sweep, kernel.node, NAMINGS)
        await kernel.database.read(knocking.own_signer, kernel)  # another node's key is found out now, not by the first delivery
        runner = await start(make_app(kernel))
        collect_from_now_on()
        print(json.dumps({"ready": settings.base_url}) if as_json else f"ready {settings.base_url}", flush=True)
        tell_manager("READY=1")
        await stop.wait()
        tell_manager("STOPPING=1")
        await runner.cleanup()

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(main())
