"""Measures how fast a node that was away takes 10,000 activities from its partner's stream: stored, believed and in their conversations."""

import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.app import make_kernel
from fedcollab.base import config
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.database import run_sync
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.features.members.models import Member
from fedcollab.federation.models import Partner
from tests.journeys.databases import query
from tests.journeys.processes import Process, befriend, nodes, until

from .table import Row

MISSED, THREADS, UNIT = 10_000, 50, 100
WITHIN, COST = 20.0, 2000.0  # seconds, microseconds each: 500 a second
TEXT = "A deposit is asked by mobile money, in **two parts**. The second comes the night before travel."


def measure(root: Path) -> Iterator[Row]:
    with nodes(root / "catching", ["Meridian Outreach", "Casa Ladera"]) as (host, away):
        befriend(host, away)
        host.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")
        until("the group", lambda: query(away, "SELECT 1 FROM actor WHERE username = 'leads'"))
        away.stop()
        host.stop()
        write_meanwhile(host, MISSED)
        host.serve()
        away.serve()
        began, before = time.perf_counter(), _cpu(away)
        until("all of them", lambda: query(away, f"SELECT 1 WHERE (SELECT count(*) FROM post) >= {MISSED}"), 400)
        seconds, cost = time.perf_counter() - began, (_cpu(away) - before) / MISSED
        assert query(away, "SELECT count(*) FROM post") == [(MISSED,)]
    yield Row(f"catch-up of {MISSED} activities", seconds, "s", None, WITHIN)
    yield Row("one of them, from the stream to its conversation", cost, "CPU-us", None, COST)


def _cpu(node: Process) -> float:
    """Microseconds of processor time of a node's process so far."""
    assert node.running is not None
    return time.clock_gettime_ns(~node.running.pid << 3 | 2) / 1000


def write_meanwhile(host: Process, number: int) -> None:
    """So many posts by a member of the host, each proved and queued, as many a conversation, while nobody delivers."""
    kernel = make_kernel(config.load(host.place, {}), NodeFiles(host.place))
    try:
        viewer, group_id = run_sync(kernel.database, _scene)
        threads = [
            run_sync(kernel.database, lambda session: service.post_thread(session, kernel.node, viewer, group_id, title="Leads", text=TEXT))
            for _ in range(THREADS)
        ]
        for at in range(0, number - THREADS, UNIT):
            count = min(UNIT, number - THREADS - at)

            def some(session: Session, at: int = at, count: int = count) -> None:
                for i in range(at, at + count):
                    service.post_reply(session, kernel.node, viewer, threads[i % THREADS].thread_id, text=f"{TEXT} {i}")

            run_sync(kernel.database, some)
        # nothing is pushed before the other asks: the delivery's own speed is another measure
        run_sync(
            kernel.database, lambda session: session.execute(sa.update(Partner).values(next_try_at=kernel.node.now() + 600 * MICROSECONDS))
        )
    finally:
        kernel.database.close()


def _scene(session: Session) -> tuple[Viewer, str]:
    row = session.execute(sa.select(Actor.id, Actor.organisation_id, Actor.name).join(Member, Member.person_id == Actor.id)).one()
    group_id = session.scalars(sa.select(Actor.id).where(Actor.kind == "Group")).one()
    return Viewer(row.organisation_id, row.id, frozenset({"member"}), row.name), group_id
