"""Decides which figures a monitoring system gets, in Prometheus' text format: counts and ages, never a person's or a partner's name.

Written by hand: prometheus-client would take 0.7 MB beside the node, a lock a count, and most of what it has is not needed.
"""

import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from aiohttp import web

from fedcollab import __version__
from fedcollab.backup import runs
from fedcollab.backup.models import FAILED, VERIFIED
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.errors import Misconfigured, NotFound
from fedcollab.base.session import Session
from fedcollab.base.tally import BOUNDS, Tally
from fedcollab.base.web import answer_errors
from fedcollab.federation import queue
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.federation.models import EARLY, GIVEN_UP, PARKED, REFUSED, WAITING, InboxItem, Partner, is_open
from fedcollab.files.models import CACHED, OWN
from fedcollab.files.quotas import cached_bytes, own_bytes

from . import disk
from .health import HEALTH, TELLS, has_token, healthz, ready, readyz

TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]


@dataclass
class Requests:
    """How many requests were answered since the start, by the route's pattern and the hundreds of the answer's status."""

    answered: dict[tuple[str, int], int] = field(default_factory=dict)

    async def count(self, request: web.Request, response: web.StreamResponse) -> None:
        """Signal handler, with every answer: it has to cost next to nothing."""
        resource = request.match_info.route.resource
        key = (resource.canonical if resource is not None else "", response.status // 100)
        self.answered[key] = self.answered.get(key, 0) + 1


REQUESTS = web.AppKey("requests", Requests)


def lines(name: str, kind: str, about: str, samples: Iterable[Sample]) -> str:
    """One figure with its samples. Values of labels are ours: patterns and states, with nothing in them to escape but quotes."""
    found = [f"# HELP fedcollab_{name} {about}", f"# TYPE fedcollab_{name} {kind}"]
    for labels, value in samples:
        within = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        found.append(f"fedcollab_{name}{{{within}}} {value:.15g}" if within else f"fedcollab_{name} {value:.15g}")
    return "\n".join(found) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def gauge(name: str, about: str, value: float | None) -> str:
    """One figure without labels; none where it is not known."""
    return lines(name, "gauge", about, [] if value is None else [({}, value)])


def of_tally(tally: Tally) -> str:
    """The writer's groups as a histogram."""
    total, samples = 0, list[str]()
    for bound, number in zip((*(f"{b:g}" for b in BOUNDS), "+Inf"), tally.groups, strict=True):
        total += number
        samples.append(f'fedcollab_commit_seconds_bucket{{le="{bound}"}} {total}\n')
    head = "# HELP fedcollab_commit_seconds From BEGIN to COMMIT of a group of units.\n# TYPE fedcollab_commit_seconds histogram\n"
    return f"{head}{''.join(samples)}fedcollab_commit_seconds_sum {tally.seconds:.6f}\nfedcollab_commit_seconds_count {total}\n"


def of_database(session: Session, kernel: Kernel) -> str:
    """What stands in the database: queues, partners, backups, the disk."""
    node, now = kernel.node, kernel.node.now()
    queued, stands = queue.lines(session), disk.look(session, node)
    oldest = min((line.oldest_at for line in queued if line.oldest_at), default=None)
    open_now = sa.select(InboxItem.state, sa.func.count()).where(is_open(InboxItem, WAITING, EARLY, PARKED, REFUSED))
    inbox = {row[0]: row[1] for row in session.execute(open_now.group_by(InboxItem.state))}
    first = session.scalar(sa.select(sa.func.min(InboxItem.received_at)).where(is_open(InboxItem, WAITING)))
    partners = session.execute(sa.select(Partner.state, sa.func.count()).group_by(Partner.state)).all()
    good, last = runs.newest(session, VERIFIED), runs.newest(session)
    return "".join(
        (
            lines(
                "deliveries",
                "gauge",
                "Deliveries that are not done.",
                _by("state", {s: sum(getattr(q, s) for q in queued) for s in (WAITING, *GIVEN_UP)}),
            ),
            gauge("deliveries_oldest_seconds", "Age of the oldest delivery that waits.", _age(oldest, now) or 0),
            gauge("partners_failing", "Partners whose last tries failed.", sum(line.attempts > 0 for line in queued)),
            lines("partners", "gauge", "Partners by state.", _by("state", {row[0]: row[1] for row in partners})),
            lines(
                "inbox_items",
                "gauge",
                "What came in and is not done.",
                _by("state", {s: inbox.get(s, 0) for s in (WAITING, EARLY, PARKED, REFUSED)}),
            ),
            gauge("inbox_oldest_seconds", "Age of the oldest item that waits.", _age(first, now) or 0),
            gauge("backup_age_seconds", "Age of the newest backup that was made and opened.", _age(good.at if good else None, now)),
            gauge("backup_failed", "1 where the newest attempt at a backup failed.", int(last is not None and last.state == FAILED)),
            lines("files_bytes", "gauge", "Bytes of files.", _by("place", {OWN: own_bytes(session), CACHED: cached_bytes(session)})),
            gauge("database_bytes", "Size of the database.", stands.database),
            gauge("disk_free_bytes", "Bytes free on the disk of the node's directory.", stands.free),
            gauge("disk_reserve_bytes", "Below this, what adds to the node is refused.", stands.reserve),
            gauge("disk_full_days", "Days until the reserve is reached, where it will be.", stands.days),
        )
    )


def _by(label: str, found: dict[str, int]) -> list[Sample]:
    return [({label: name}, number) for name, number in found.items()]


def _age(at: int | None, now: int) -> float | None:
    return None if at is None else max(0, now - at) / MICROSECONDS


def of_process() -> str:
    """Memory and files of this process, as far as Linux tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return ""
    memory = gauge("resident_memory_bytes", "Memory of the process.", pages * os.sysconf("SC_PAGE_SIZE"))
    return (
        memory
        + gauge("open_files", "Open files and connections of the process.", files)
        + gauge("cpu_seconds", "Time of the processor used.", sum(os.times()[:2]))
    )


async def metrics(request: web.Request) -> web.Response:
    """All figures, for who shows the token, or at the place of their own. Raises NotFound for everybody else."""
    if not has_token(request):
        raise NotFound()
    kernel, health = request.app[KERNEL], request.app[HEALTH]
    found, answered = await ready(kernel, health), request.app[REQUESTS].answered
    database = kernel.database.backend
    text = "".join(
        (
            lines("info", "gauge", "The program's version.", [({"version": __version__}, 1)]),
            lines("ready", "gauge", "1 where a check of readyz holds.", _by("check", {name: int(good) for name, good in found.items()})),
            lines(
                "requests_total",
                "counter",
                "Requests answered.",
                [({"route": route or "none", "status": f"{hundreds}xx"}, number) for (route, hundreds), number in sorted(answered.items())],
            ),
            lines("deliveries_total", "counter", "Tries to deliver, by what became of them.", _by("outcome", dict(kernel.sent))),
            lines("units_total", "counter", "Units of work done by the writer.", [({}, database.tally.units)]),
            gauge("units_waiting", "Units that wait for the writer.", database.waiting),
            of_tally(database.tally),
            await kernel.database.read(of_database, kernel),
            of_process(),
        )
    )
    return web.Response(body=text.encode(), headers={"Content-Type": TYPE})


async def apart(app: web.Application) -> AsyncIterator[None]:
    """Serves the figures at a place of their own, where `metrics_listen` names one. Raises Misconfigured where it is taken."""
    settings = app[KERNEL].node.settings
    if not settings.metrics_listen:
        yield
        return
    site = web.Application(middlewares=[answer_errors])
    site[TELLS] = not settings.metrics_token
    site[KERNEL], site[HEALTH], site[REQUESTS] = app[KERNEL], app[HEALTH], app[REQUESTS]
    site.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    runner = web.AppRunner(site, access_log=None, handler_cancellation=False)
    await runner.setup()
    host, _, port = settings.metrics_listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise Misconfigured(
            'Can\'t listen on %(listen)s (%(error)s). Stop what uses it, or write another in node.toml: metrics_listen = "127.0.0.1:9101"',
            listen=settings.metrics_listen,
            error=error.strerror,
        ) from None
    yield
    await runner.cleanup()


ROUTES = (web.get("/metrics", metrics),)
