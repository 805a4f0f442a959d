"""Decides what a partner's word on a referral does here: an offer waits for our keepers, unread; an answer ends it, or begins the work."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import partner
from fedcollab.actors.models import ORGANIZATION
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import NotFound, Refused, TooMany
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox
from fedcollab.federation.registry import Handler, Verified
from fedcollab.sealing import acting, organisation, room_tasks, rooms
from fedcollab.sealing.facts import Invited, of
from fedcollab.sealing.reading import uri

from . import service, wire
from .models import Referral
from .standing import learn
from .states import DONE, IN_PROGRESS, RECIPIENT, REJECTED, REVOKED, Word
from .words import UNREADABLE

MOST = 200  # of one partner's that wait for an answer


def receive_offer(session: Session, node: Node, received: Verified) -> None:
    """A referral comes: kept as it was sealed. One that was here is not taken again. Sealed to a key that we never had, it is declined."""
    _check_organisation(received)
    said = wire.parse_offer(received.activity, received.actor.uri, node.actor_uri)
    if _row(session, said.header.uri) is not None:
        return
    _check_invited(session, node, received, said)
    _check_number(session, received.actor.id)
    row = _keep(session, node, received, said)
    if said.kid in organisation.kids(session, node):
        audit.record(session, node.now(), partner(received.actor.organisation_id), "referral.came", row.id)
        return
    service.say(session, node, row, Word(node.now(), REJECTED, RECIPIENT, UNREADABLE))
    room = rooms.load(session, node, said.header.room)
    rooms.say(session, node, said.header.room, acting.decline(room, said.invitation))
    audit.record(session, node.now(), partner(received.actor.organisation_id), "referral.unreadable", row.id)
    service.forget(session, node, row)


def _check_organisation(received: Verified) -> None:
    if received.actor.kind != ORGANIZATION or not received.proved:
        raise Refused(reason="referral: organisations refer, people don't")


def _check_invited(session: Session, node: Node, received: Verified, said: wire.Offered) -> None:
    """With an offer comes an invitation into a room of its own, by the same organisation, which leads it."""
    _check_made(received, said.header.room)
    try:
        room = rooms.load(session, node, said.header.room)
    except NotFound:
        raise Refused(reason="referral: its room is not here") from None
    mine = (said.invitation, received.actor.uri, node.actor_uri)
    if mine not in {(one.id, one.by, one.organisation) for one in of(room.facts, Invited)}:
        raise Refused(reason="referral: no invitation into its room is here")
    if room.head is not None:
        raise Refused(reason="referral: a room that we are inside of")
    if session.execute(sa.select(Referral.id).where(Referral.room == said.header.room)).first() is not None:
        raise Refused(reason="referral: a second one with the same room")


def _check_made(received: Verified, room: str) -> None:
    """What becomes of a referral clears its room here and hides who else invites there: so nobody names a room that another has made."""
    if host_of(room) != received.actor.host:
        raise Refused(reason="referral: a room that another organisation has made")


def _check_number(session: Session, organisation_id: str) -> None:
    waiting = sa.and_(Referral.organisation_id == organisation_id, ~Referral.sent, Referral.state == IN_PROGRESS)
    if session.execute(sa.select(sa.func.count()).select_from(Referral).where(waiting)).scalar_one() >= MOST:
        raise TooMany(reason="referral: more wait than anybody can answer")


def _keep(session: Session, node: Node, received: Verified, said: wire.Offered) -> Any:
    referral_id, times = new_id(node.now()), dict(at=node.now(), changed_at=node.now(), next_at=node.now(), tries=0)
    what = dict(uri=said.header.uri, sent=False, organisation_id=received.actor.id, case_id=None, room=said.header.room, code="")
    what |= dict(invitation=said.invitation, state=IN_PROGRESS, deadline=said.header.deadline, kid=said.kid, preview=said.ct)
    put(session, Referral, id=referral_id, **what, size=len(said.ct), by_id=None, **times)
    room_tasks.set_aside(session, node, rooms.row(session, said.header.room).id)
    wake(session, "referrals")
    return service.by_id(session, referral_id)


def receive_word(session: Session, node: Node, received: Verified) -> None:
    """Yes, no, taken back, done: the other side's own word alone."""
    _check_organisation(received)
    row = _row(session, uri(ap.ident(received.object)))
    if row is None:
        row = _taken_back_unseen(session, node, received)
    if row.organisation_id != received.actor.id:
        raise Refused(reason="referral: said by who is no side of it")
    word = wire.parse_word(received.activity, sent=row.sent)
    before, after = learn(session, node, row.id, word)
    service.on_record(session, node, row, partner(received.actor.organisation_id), "referral.said")
    if before != after.state:
        change = _sent_changed if row.sent else _came_changed
        change(session, node, row, before, after.state)


def _taken_back_unseen(session: Session, node: Node, received: Verified) -> Any:
    """It was taken back before the offer was here: the bare id is kept, so that an offer that comes late is not taken. Raises Refused."""
    referral, room = uri(ap.ident(received.object)), uri(ap.ident(received.object.get("context")))
    if ap.types(received.activity) != [wire.WIRE[REVOKED]] or host_of(referral) != received.actor.host:
        raise Refused(reason="referral: one that is not here")
    _check_made(received, room)
    what = dict(uri=referral, sent=False, organisation_id=received.actor.id, case_id=None, room=room, code="", invitation="", deadline="")
    times = dict(at=node.now(), changed_at=node.now(), next_at=0, tries=0)
    referral_id = new_id(node.now())
    put(session, Referral, id=referral_id, **what, state=IN_PROGRESS, kid="", preview=b"", size=0, by_id=None, **times)
    return service.by_id(session, referral_id)


def _sent_changed(session: Session, node: Node, row: Any, before: str, state: str) -> None:
    """Ours was answered: with a no the room goes, and with it all that was handed over."""
    if state == REJECTED and before == IN_PROGRESS:
        outbox.forget(session, node, row.uri)
        service.end_sent(session, node, None, row)
    elif state == DONE:
        service.drop_preview(session, node, row)


def _came_changed(session: Session, node: Node, row: Any, before: str, state: str) -> None:
    """A partner's was taken back: nothing of it stays here. Where our yes has crossed it, the room is purged on the sender's own word."""
    if state == REVOKED and before == IN_PROGRESS:
        service.forget(session, node, row)
    elif state in (REVOKED, DONE):
        service.drop_preview(session, node, row)


def _row(session: Session, referral: str) -> Any:
    return session.execute(sa.select(Referral.__table__).where(Referral.uri == referral)).one_or_none()


HANDLERS = (
    Handler("Offer", (ap.REFERRAL,), receive_offer),
    *(Handler(name, (ap.REFERRAL,), receive_word, withdraws=name in ("Reject", "Undo")) for name in sorted(wire.WIRE.values())),
)
