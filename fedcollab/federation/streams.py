"""Decides how a partner hears what it has missed: its numbered stream in pages, each activity with its proof; asking is acknowledging."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.database import wake
from fedcollab.base.errors import BadRequest, Forbidden
from fedcollab.base.session import Session

from . import activitystreams as ap
from .authenticate import authenticate
from .kernel import KERNEL
from .models import DONE, DROPPED, PARKED, WAITING, Activity, Delivery, Partner, is_open

HEADER = "Fedcollab-Sequence"
PATH = "/actor/stream"
PAGE, PAGE_BYTES = 200, 900_000
HOLD = 30 * MICROSECONDS
MOST = 1 << 53
PLACE = re.compile(r"([0-9]{1,16}):([0-9]{1,16})", re.ASCII)
CONTEXT = json.dumps([ap.AS2, ap.TERMS])
Place = tuple[int, int]


def header(epoch: int, seq: int) -> dict[str, str]:
    """The field that says which number a delivery has in its receiver's stream; the signature covers it."""
    return {HEADER: f"{epoch}:{seq}"}


def parse(text: str) -> Place | None:
    """(epoch, number) of `EPOCH:NUMBER`, or None."""
    found = PLACE.fullmatch(text.strip())
    place = (int(found[1]), int(found[2])) if found else None
    return place if place and max(place) < MOST else None


@dataclass(frozen=True)
class Page:
    """A part of a partner's stream: `entries` are (number, activity as JSON), `last` is the stream's newest number."""

    epoch: int
    last: int
    entries: tuple[tuple[int, str], ...]
    more: bool

    def document(self, stream: str, since: Place) -> str:
        """The page as it is sent. The activities stand in it as they were signed."""
        items = ",".join(f'{{"{ap.SEQ}":{seq},"object":{body}}}' for seq, body in self.entries)
        following = f'"next":"{stream}?since={self.epoch}:{self.entries[-1][0]}",' if self.more else ""
        return (
            f'{{"@context":{CONTEXT},"id":"{stream}?since={since[0]}:{since[1]}","type":"OrderedCollectionPage","partOf":"{stream}",'
            f'{following}"{ap.EPOCH}":{self.epoch},"{ap.LAST}":{self.last},"orderedItems":[{items}]}}'
        )


def page(session: Session, partner_id: str, since: Place) -> Page:
    """What was addressed to a partner after `since`, less what we chose not to send; another epoch than ours begins at 0. At most 200
    activities and 900 kB. The last number is read first: all up to it are committed, for numbers are given in the order of commits."""
    row = session.execute(sa.select(Partner.epoch, Partner.last_seq).where(Partner.id == partner_id)).one()
    start = since[1] if since[0] == row.epoch else 0
    entries: list[tuple[int, str]] = []
    size = 0
    for seq, body in _sent(session, partner_id, start, row.last_seq):
        length = len(body.encode())
        if length > PAGE_BYTES:
            continue  # nobody takes more than 1 MB, by whichever way
        if size + length > PAGE_BYTES or len(entries) == PAGE:
            return Page(row.epoch, row.last_seq, tuple(entries), more=True)
        entries.append((seq, body))
        size += length
    return Page(row.epoch, row.last_seq, tuple(entries), more=False)


def _sent(session: Session, partner_id: str, start: int, last: int) -> Iterator[tuple[int, str]]:
    """(number, activity as JSON) from `start` on, a page at a time: whoever is told that there is no more counts all as here."""
    query = sa.select(Delivery.seq, Activity.body).join(Activity, Activity.id == Delivery.activity_id)
    query = query.where(Delivery.partner_id == partner_id, Delivery.seq <= last, Delivery.state != DROPPED, Activity.body != "")
    found = PAGE + 1
    while found > PAGE:
        found = 0
        for row in session.execute(query.where(Delivery.seq > start).order_by(Delivery.seq).limit(PAGE + 1)):
            found, start = found + 1, row.seq
            yield row.seq, row.body


def acknowledge(session: Session, node: Node, partner_id: str, since: Place) -> None:
    """Who asks for what comes after a number has all up to it, so it is not sent again. Somebody who has heard further than we have
    counted knew us before we lost numbers (an older backup runs here): we count in a new epoch from now on."""
    row = session.execute(sa.select(Partner.epoch, Partner.last_seq).where(Partner.id == partner_id)).one()
    if since[0] != row.epoch:
        return
    if since[1] > row.last_seq:
        fresh = max(row.epoch + 1, node.now() // MICROSECONDS)
        session.execute(sa.update(Partner).where(Partner.id == partner_id).values(epoch=fresh))
        return
    had = sa.update(Delivery).where(Delivery.partner_id == partner_id, is_open(Delivery, WAITING, PARKED), Delivery.seq <= since[1])
    session.execute(had.values(state=DONE, status=200, done_at=node.now(), error=""))


def _hold(session: Session, node: Node, partner_id: str, found: Page) -> None:
    """While somebody reads its stream nothing is pushed beside it; once it has all, it is awake and what comes next is tried at once."""
    if found.entries:
        session.execute(sa.update(Partner).where(Partner.id == partner_id).values(next_try_at=node.now() + HOLD, attempts=0))
        return
    held = sa.update(Partner).where(Partner.id == partner_id, Partner.next_try_at > node.now())
    session.execute(held.values(next_try_at=0, attempts=0))
    wake(session, "delivery")


def _answer(session: Session, node: Node, partner_id: str, since: Place) -> Page:
    acknowledge(session, node, partner_id, since)
    found = page(session, partner_id, since)
    _hold(session, node, partner_id, found)
    return found


async def get_stream(request: web.Request) -> web.Response:
    """The next page of what was addressed to the asking partner. 401 unsigned, 403 for all but a partner's Organization, 400 where
    `since` can't be read."""
    kernel = request.app[KERNEL]
    found = await authenticate(kernel, request, b"")
    if not found.actor.id or found.actor.id != found.partner.organisation_id:  # who only reads from outside is no row of ours
        raise Forbidden(reason="a stream is asked for by the organisation itself")
    since = parse(request.query.get("since", "0:0"))
    if since is None:
        raise BadRequest(reason="since is not EPOCH:NUMBER")
    if parse(found.header(HEADER)) == since:
        made = await kernel.database.write(_answer, kernel.node, found.partner.id, since)
    else:  # a document's request, say, which somebody made the partner send: it confirms nothing and holds nothing up
        made = await kernel.database.read(page, found.partner.id, since)
    text = made.document(kernel.node.settings.uri(PATH), since)
    return web.Response(text=text, content_type=ap.MEDIA_TYPE)


ROUTES = (web.get(PATH, get_stream),)


def entries_of(document: Mapping[str, object], since: Place) -> tuple[Place, list[tuple[int, object]], bool]:
    """((epoch, newest number), [(number, activity)], whether there are more) of a page that a partner sent. Raises BadRequest where its
    numbers do not rise from `since`."""
    epoch, last, items = document.get(ap.EPOCH), document.get(ap.LAST), document.get("orderedItems")
    if type(epoch) is not int or type(last) is not int or not isinstance(items, list) or not 0 <= epoch < MOST or not 0 <= last < MOST:
        raise BadRequest(reason="not a page of a stream")
    found: list[tuple[int, object]] = []
    before = since[1] if epoch == since[0] else 0
    for item in items:
        seq = item.get(ap.SEQ) if isinstance(item, dict) else None
        if type(seq) is not int or not before < seq <= last:
            raise BadRequest(reason="the numbers of the stream do not rise")
        found.append((seq, item.get("object")))
        before = seq
    return (epoch, last), found, bool(document.get("next")) and bool(found)
