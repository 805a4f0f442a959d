"""Decides how members are told: our own facts by an activity each, what others have said passed on with their proof and documents; only
to the named organisations' own inboxes, and each once."""

from typing import Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox, partners
from fedcollab.federation.models import Activity

from . import fact_texts
from .boxes import Public
from .casekeys import CaseKey
from .duties import duties
from .facts import Answer, Fact, Invited, Rekeyed, by
from .room_activities import Header, Said, document
from .room_models import MemberKey, RoomFact, RoomKey, RoomTold
from .room_models import Room as Row
from .room_state import Room
from .vouched import Vouch


def tell(session: Session, node: Node, room_id: str, room: Room) -> None:
    """Queues all that we have to have told and have not. Members who are no partners of ours hear it of whoever leads the room."""
    rows = session.execute(sa.select(RoomTold.organisation, RoomTold.name).where(RoomTold.room_id == room_id))
    told = {(row.organisation, row.name) for row in rows}
    open_: dict[Fact, list[str]] = {}
    for to, fact in duties(room):
        if (to, fact_texts.name(fact)) not in told:
            open_.setdefault(fact, []).append(to)
    there = reached(session, {to for whom in open_.values() for to in whom})
    for fact in sorted(open_, key=in_order):
        whom = [to for to in sorted(open_[fact]) if to in there]
        if whom:
            _send(session, node, room_id, room, fact, [there[to] for to in whom])
            fresh = [dict(room_id=room_id, organisation=to, name=fact_texts.name(fact), at=node.now()) for to in whom]
            put(session, RoomTold, *fresh)


def in_order(fact: Fact) -> tuple[int, int, str]:
    """Invitations come first, then case keys by epoch, then what was said: words of somebody count once they stand in a list."""
    if isinstance(fact, CaseKey):
        return 1, fact.epoch, fact.ck
    return (0 if isinstance(fact, Invited) else 2), 0, fact_texts.name(fact)


def told(session: Session, room_id: str, fact: Fact) -> list[str]:
    """The organisations that were told a fact of a room."""
    there = sa.and_(RoomTold.room_id == room_id, RoomTold.name == fact_texts.name(fact))
    return list(session.scalars(sa.select(RoomTold.organisation).where(there).order_by(RoomTold.organisation)))


def reached(session: Session, uris: set[str]) -> dict[str, str]:
    """{id on the wire: row id} of those organisations that we deliver to."""
    hosts = partners.admitted_hosts(session)
    found = [actor for uri in sorted(uris) if (actor := actors.by_uri(session, uri)) is not None]
    return {actor.uri: actor.id for actor in found if actor.host in hosts and actor.known != OWN}


def _send(session: Session, node: Node, room_id: str, room: Room, fact: Fact, to: list[str]) -> None:
    me, activity = actors.own(session, node), activity_of(session, room_id, fact)
    if by(fact) != room.me:
        author = actors.by_uri(session, by(fact))
        if activity and author is not None:
            carried = ap.activity("Announce", outbox.new_uri(node), me.uri, activity, **_around(session, author))
            outbox.publish(session, node, me.id, carried, to=to, order_key=room.id, about=room.id)
        return
    if not activity or not _is_kept(session, activity["id"]):
        activity_id = activity["id"] if activity else fact.id if isinstance(fact, Invited) else outbox.new_uri(node)
        made = document(activity_id, me.uri, _said(session, room, room_id, fact))
        keep(session, room_id, fact, outbox.publish(session, node, me.id, made, to=to, order_key=room.id, about=room.id))
        return
    for organisation_id in to:
        outbox.publish_again(session, organisation_id, [(activity["id"].rsplit("/", 1)[-1], room.id)])


def _is_kept(session: Session, activity_id: str) -> bool:
    """Whether the outbox still has it: after 45 days it is made again, under the same id."""
    return session.execute(sa.select(Activity.id).where(Activity.uri == activity_id)).first() is not None


def _around(session: Session, author: actors.ActorData) -> dict[str, Any]:
    """Who has said it, for those who don't know them: their Organization's signed document."""
    return {ap.INTRODUCES: announce.introductions(session, author)}


def _said(session: Session, room: Room, room_id: str, fact: Fact) -> Said:
    header = public = word = None
    if isinstance(fact, Invited):
        header = Header(room.id, *session.execute(sa.select(Row.kind, Row.label).where(Row.id == room_id)).one())
    fresh = fact.mk if isinstance(fact, Answer) else fact.new if isinstance(fact, Rekeyed) else _own_of(room, fact)
    columns = (MemberKey.public, MemberKey.signer, MemberKey.signature)
    row = session.execute(sa.select(*columns).where(MemberKey.kid == fresh)).one_or_none() if fresh else None
    if row is not None:
        public, word = Public(row.public), Vouch(row.signer, row.signature) if row.signer else None
    return Said(room.id, fact, header, public, word)


def _own_of(room: Room, fact: Fact) -> str:
    """The key of ours in a case key's list: others get its public half with the list, and can box to it where they lead the room later."""
    return next((member.mk for member in fact.members if member.organisation == room.me), "") if isinstance(fact, CaseKey) else ""


def _where(room_id: str, fact: Fact) -> tuple[Any, Any]:
    if isinstance(fact, CaseKey):
        return RoomKey, sa.and_(RoomKey.room_id == room_id, RoomKey.ck == fact.ck)
    return RoomFact, sa.and_(RoomFact.room_id == room_id, RoomFact.name == fact_texts.name(fact))


def activity_of(session: Session, room_id: str, fact: Fact) -> dict[str, Any]:
    """The activity by which a fact is proved; empty for what is ours and was never told."""
    model, there = _where(room_id, fact)
    found: dict[str, Any] = session.execute(sa.select(model.activity).where(there)).scalar_one()
    return found


def tell_anew(session: Session, node: Node, room_id: str, room: Room, fact: Fact) -> None:
    """Our word is told once more to all whom it concerns, by another activity, which nobody takes for one that they have had."""
    keep(session, room_id, fact, {})
    session.execute(sa.delete(RoomTold).where(RoomTold.room_id == room_id, RoomTold.name == fact_texts.name(fact)))
    tell(session, node, room_id, room)


def keep(session: Session, room_id: str, fact: Fact, activity: dict[str, Any]) -> None:
    """From now on a fact is proved by this activity."""
    model, there = _where(room_id, fact)
    session.execute(sa.update(model).where(there).values(activity=activity))
