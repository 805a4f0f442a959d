"""Decides what admins do with what waits, on the page: look, try now, send again, put away, pause, ask again; all of it on record."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Conflict, N_
from fedcollab.base.i18n import Words
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import admin_of, page
from fedcollab.federation import catchup, partners, queue
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.models import ADMITTED, SUSPENDED
from fedcollab.federation.verdicts import why_given_up

from . import partners as acts
from .reasons import CLOCKS, explained

SEVERAL = 2


@dataclass(frozen=True)
class Chosen:
    """What an action is about: one partner or all, one of its deliveries or all, one thing that came in or all."""

    partner_id: str = ""
    host: str = ""
    seq: int | None = None
    item: int | None = None


async def show_queue(request: web.Request) -> web.Response:
    """What waits for each partner and how the talk goes, what was given up, what failed here."""
    admin_of(request)
    words: Words = words_of(request)
    found: dict[str, Any] = await request.app[KERNEL].database.read(read)
    several = sum(bool(CLOCKS.fullmatch(line.last_error)) for line in found["lines"]) >= SEVERAL
    return page(
        request,
        "admin/federation.html",
        **found,
        our_clock=several,
        explained=lambda reason: explained(reason, words),
        why=lambda one: why_given_up(one.status, words),
    )


def read(session: Session) -> dict[str, Any]:
    """The queue as the page and the command line show it."""
    return {"lines": queue.lines(session), "given_up": queue.given_up(session), "stuck": queue.stuck(session)}


def as_json(session: Session) -> dict[str, Any]:
    """The same as plain values."""
    return {name: [asdict(one) for one in found] for name, found in read(session).items()}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


async def act(request: web.Request) -> web.Response:
    """Does one of ACTS with what the form names."""
    viewer, fields, kernel = admin_of(request), await read_form(request), request.app[KERNEL]
    work = ACTS.get(fields.get("act", ""))
    if work is None:
        raise BadRequest(N_("Choose what to do with the queue."))
    key, seq, item = (fields.get(name, "") for name in ("partner", "seq", "item"))

    def unit(session: Session, node: Node) -> None:
        there = partners.find(session, key) if key else None
        chosen = Chosen(there.id if there else "", there.host if there else "", _number(seq), _number(item))
        work(session, node, viewer, chosen)

    await kernel.database.write(unit, kernel.node)
    return redirect("/admin/federation")


def try_now(session: Session, node: Node, _viewer: Viewer | None, chosen: Chosen) -> None:
    queue.now(session, node, partner_id=chosen.partner_id)


def retry(session: Session, node: Node, viewer: Viewer | None, chosen: Chosen) -> int:
    """Sends what was given up again. Answers how many."""
    number = queue.retry(session, node, partner_id=chosen.partner_id, seq=chosen.seq)
    audit.record(session, node.now(), viewer, "queue.retry", _subject(chosen, number))
    return number


def drop(session: Session, node: Node, viewer: Viewer | None, chosen: Chosen) -> None:
    number = queue.drop(session, node, partner_id=chosen.partner_id, seq=chosen.seq)
    audit.record(session, node.now(), viewer, "queue.drop", _subject(chosen, number))


def retry_arrived(session: Session, node: Node, viewer: Viewer | None, chosen: Chosen) -> int:
    """Processes again what failed here. Answers how many."""
    number = queue.retry_arrived(session, chosen.item)
    audit.record(session, node.now(), viewer, "queue.retry", f"inbox {chosen.item or number}")
    return number


def drop_arrived(session: Session, node: Node, viewer: Viewer | None, chosen: Chosen) -> None:
    number = queue.drop_arrived(session, chosen.item)
    audit.record(session, node.now(), viewer, "queue.drop", f"inbox {chosen.item or number}")


def pause(session: Session, node: Node, viewer: Viewer | None, chosen: Chosen) -> None:
    """Sends nothing for now, on record."""
    queue.pause(session, node, on=True, partner_id=chosen.partner_id)
    audit.record(session, node.now(), viewer, "queue.pause", chosen.host or "all")


def resume(session: Session, node: Node, viewer: Viewer | None, chosen: Chosen) -> None:
    """Sends again, on record."""
    queue.pause(session, node, on=False, partner_id=chosen.partner_id)
    queue.now(session, node, partner_id=chosen.partner_id)
    audit.record(session, node.now(), viewer, "queue.resume", chosen.host or "all")


def resync(session: Session, node: Node, viewer: Viewer | None, chosen: Chosen) -> None:
    """Asks a partner for what we may have missed, and tries what waits for it; one that was away is admitted again, and no other.

    Raises Conflict for one that an admin does not let in, or whose keys are in question: that is decided on its own page."""
    there = partners.find(session, chosen.partner_id)
    if there.state not in (ADMITTED, SUSPENDED) or (there.state == SUSPENDED and there.suspended_for != partners.FOR_SILENCE):
        raise Conflict(N_("Only a partner that is admitted can be asked. Approve it first, on the page “Partners”."))
    if there.state == SUSPENDED:
        acts.change(session, node, viewer, there.id, ADMITTED)
    catchup.want(session, node, partner_id=there.id)
    queue.now(session, node, partner_id=there.id)
    audit.record(session, node.now(), viewer, "queue.resync", there.host)


def _subject(chosen: Chosen, number: int) -> str:
    return f"{chosen.host or 'all'} {chosen.seq if chosen.seq is not None else f'({number})'}"


Act = Callable[[Session, Node, Viewer | None, Chosen], object]
ACTS: dict[str, Act] = {
    "now": try_now,
    "retry": retry,
    "drop": drop,
    "retry-arrived": retry_arrived,
    "drop-arrived": drop_arrived,
    "pause": pause,
    "resume": resume,
    "resync": resync,
}
