"""Decides what a breach report says: which people, partners and sealed rooms an account, a partner's node or this whole node touched, from
the record and the rooms' clear headers; numbers and random ids, never a word of what is sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import RED, AuditEntry
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import BadRequest, N_
from fedcollab.base.session import Session
from fedcollab.features.guests.models import Guest
from fedcollab.features.members import service as members
from fedcollab.features.members.models import ClientToken, LoginSession
from fedcollab.features.referrals.models import Referral
from fedcollab.federation import partners
from fedcollab.federation.models import Activity, Delivery, InboxItem, Partner
from fedcollab.sealing import crossing, organisation, people, wraps
from fedcollab.sealing.chain_models import RoomEntry, RoomWho
from fedcollab.sealing.room_models import Room, RoomMember, RoomPerson, SealedFile, SealedMessage

DOWNLOADS = ("room.file_read", "room.file_given", "case.export", "sealed.export")  # what left a room as a file
BOXES = {"ok": "organisation", "mk": "rooms", "ck": "case_keys"}  # what a box opens, by the beginning of its name in the key ring
NOT_BOTH = N_("Choose a member or a partner, not both.")


@dataclass(frozen=True)
class About:
    """What the report is about: one of our people, a partner's organisation, or (neither) this node; from when on (microseconds)."""

    person_id: str = ""
    organisation_id: str = ""
    uri: str = ""
    since: int = 0

    @property
    def whole_node(self) -> bool:
        return not self.person_id and not self.organisation_id


def report(session: Session, node: Node, viewer: Viewer | None, *, user: str = "", partner: str = "", since: int = 0) -> dict[str, Any]:
    """What is known here of what they touched since; on record. Raises NotFound, BadRequest for both at once."""
    about, whom = _about(session, user, partner, since)
    rooms = _rooms(session, about)
    ids = [row.id for row in rooms]
    found: dict[str, Any] = dict(made_at=iso(node.now()), since=iso(since) if since else None, **whom)
    found["rooms"] = [_room(session, about, row) for row in rooms]
    found["people"] = _people(session, about, ids)
    found["partners"] = _partners(session, about, ids)
    found["sessions"] = _sessions(session, about)
    found["boxes"] = _boxes(session, node, about)
    found["acts"] = _acts(session, about)
    found["downloads"] = sum(act["times"] for act in found["acts"] if act["action"] in DOWNLOADS)
    found["referrals"] = _referrals(session, about)
    found["guests"] = _guests(session, ids)
    found["arrived"] = _arrived(session, about)
    audit.record(session, node.now(), viewer, "node.breach_report", about.person_id or about.organisation_id or "-")
    return found


def _about(session: Session, user: str, partner: str, since: int) -> tuple[About, dict[str, Any]]:
    if user and partner:
        raise BadRequest(NOT_BOTH)
    if user:
        person = members.find(session, user)
        uri = session.execute(sa.select(Actor.uri).where(Actor.id == person.person_id)).scalar_one()
        said: dict[str, Any] = dict(id=person.person_id, username=person.username, name=person.name, roles=person.all_roles)
        said |= dict(disabled_at=_when(person.disabled_at), access_locked=crossing.is_locked(session, person.person_id))
        said |= dict(holds_organisation_key=person.person_id in organisation.holders(session))
        return About(person_id=person.person_id, uri=uri, since=since), dict(user=said, partner=None)
    if partner:
        there = partners.find(session, partner)
        uri = session.execute(sa.select(Actor.uri).where(Actor.id == there.organisation_id)).scalar_one()
        said = dict(id=there.organisation_id, host=there.host, name=there.name, state=there.state)
        return About(organisation_id=there.organisation_id, uri=uri, since=since), dict(user=None, partner=said)
    return About(since=since), dict(user=None, partner=None)


def _when(at: int | None) -> str | None:
    return iso(at) if at else None


def _rooms(session: Session, about: About) -> Sequence[Any]:
    """The sealed rooms that they were on, or, of a keeper, could have opened."""
    query = sa.select(Room.id, Room.uri, Room.kind, Room.label, Room.owner, Room.state, Room.created_at).order_by(Room.created_at, Room.id)
    if about.person_id:
        on_it = sa.exists().where(RoomPerson.room_id == Room.id, RoomPerson.person_id == about.person_id, _still(RoomPerson.until, about))
        keeps = about.person_id in organisation.holders(session)
        return session.execute(query.where(sa.or_(on_it, sa.and_(sa.literal(keeps), Room.label != RED)))).all()
    if about.organisation_id:
        inside = sa.exists().where(RoomMember.room_id == Room.id, RoomMember.organisation == about.uri, RoomMember.state == "in")
        there = sa.exists().where(RoomMember.room_id == Room.id, RoomMember.organisation == about.uri)
        acted = sa.exists().where(RoomEntry.room_id == Room.id, RoomEntry.who == about.uri, RoomEntry.at >= about.since)
        return session.execute(query.where(sa.or_(inside, acted, sa.and_(sa.literal(not about.since), there)))).all()
    return session.execute(query).all()


def _still(until: Any, about: About) -> sa.ColumnElement[bool]:
    """Whether something had not ended before the time that is asked about."""
    return sa.or_(until.is_(None), until >= about.since)


def _room(session: Session, about: About, row: Any) -> dict[str, Any]:
    inside = session.execute(
        sa.select(RoomMember.organisation, RoomMember.person, RoomMember.role, RoomMember.state).where(RoomMember.room_id == row.id)
    ).all()
    known = _names(session, {one.organisation for one in inside} | {one.person for one in inside if one.person} | {row.owner})
    ours = sa.select(Actor.id, Actor.name, RoomPerson.since, RoomPerson.until).join(RoomPerson, RoomPerson.person_id == Actor.id)
    on_it = session.execute(ours.where(RoomPerson.room_id == row.id, _still(RoomPerson.until, about)).order_by(RoomPerson.since)).all()
    acts = [dict(zip(("action", "times", "first", "last"), one, strict=True)) for one in _entries(session, about, row.id)]
    return dict(
        id=row.id,
        kind=row.kind,
        label=row.label,
        led_by=known[row.owner],
        state=row.state,
        begun_at=iso(row.created_at),
        as_keeper=bool(about.person_id) and about.person_id not in {one.id for one in on_it},
        members=[
            dict(organisation=known[one.organisation], person=known.get(one.person), role=one.role, state=one.state) for one in inside
        ],
        ours=[dict(id=one.id, name=one.name, since=iso(one.since), until=_when(one.until)) for one in on_it],
        messages=_count(session, SealedMessage, SealedMessage.room_id == row.id),
        messages_by_them=_written(session, about, row.id),
        files=_count(session, SealedFile, SealedFile.room_id == row.id),
        boxes_handed=sum(act["times"] for act in acts if act["action"] in ("room.box", "room.history")),
        acts=[act | dict(first=iso(act["first"]), last=iso(act["last"])) for act in acts],
    )


def _entries(session: Session, about: About, room_id: str) -> Iterable[Any]:
    """Their acts in the room's own record: (action, how often, first, last)."""
    query = sa.select(RoomEntry.action, sa.func.count(), sa.func.min(RoomEntry.at), sa.func.max(RoomEntry.at))
    query = query.where(RoomEntry.room_id == room_id, RoomEntry.at >= about.since)
    if about.person_id:
        who = sa.select(RoomWho.who).where(RoomWho.room_id == room_id, RoomWho.person_id == about.person_id)
        query = query.where(RoomEntry.who.in_(who))
    elif about.organisation_id:
        query = query.where(RoomEntry.who == about.uri)
    return [tuple(row) for row in session.execute(query.group_by(RoomEntry.action).order_by(RoomEntry.action))]


def _count(session: Session, model: Any, *which: sa.ColumnElement[bool]) -> int:
    return int(session.scalar(sa.select(sa.func.count()).select_from(model).where(*which)) or 0)


def _written(session: Session, about: About, room_id: str) -> int:
    if about.whole_node:
        return 0
    theirs = SealedMessage.author == about.uri if about.person_id else SealedMessage.organisation == about.uri
    return _count(session, SealedMessage, SealedMessage.room_id == room_id, theirs, SealedMessage.at >= about.since)


def _names(session: Session, uris: set[str]) -> dict[str, dict[str, str]]:
    """{id on the wire: its name, as far as it is known here, and itself}."""
    rows = session.execute(sa.select(Actor.uri, Actor.name).where(Actor.uri.in_(uris))).all()
    names = {row.uri: row.name for row in rows}
    return {uri: dict(id=uri, name=names.get(uri, "")) for uri in uris}


def _people(session: Session, about: About, ids: list[str]) -> list[dict[str, Any]]:
    """Who was on the same rooms: our own people, and those of other organisations who are named."""
    ours = sa.select(Actor.uri, Actor.name).join(RoomPerson, RoomPerson.person_id == Actor.id)
    ours = ours.where(RoomPerson.room_id.in_(ids), _still(RoomPerson.until, about), Actor.id != about.person_id).distinct()
    named = (
        sa.select(RoomMember.person).where(RoomMember.room_id.in_(ids), RoomMember.person != "", RoomMember.person != about.uri).distinct()
    )
    found = {row.uri: dict(id=row.uri, name=row.name) for row in session.execute(ours)}
    found |= _names(session, set(session.scalars(named)) - found.keys())
    return [found[uri] for uri in sorted(found)]


def _partners(session: Session, about: About, ids: list[str]) -> list[dict[str, Any]]:
    """Organisations inside the same rooms, and partners to which what they wrote or did was sent."""
    inside = sa.select(RoomMember.organisation, sa.func.count(sa.distinct(RoomMember.room_id))).where(RoomMember.room_id.in_(ids))
    rooms: dict[str, int] = {row[0]: row[1] for row in session.execute(inside.group_by(RoomMember.organisation))}
    sent: dict[str, int] = {row[0]: row[1] for row in session.execute(_sent(about))}
    ours = session.scalars(sa.select(Actor.uri).where(Actor.known == OWN, Actor.id == Actor.organisation_id)).all()
    known = _names(session, (rooms.keys() | sent.keys()) - set(ours) - {about.uri})
    return [known[uri] | dict(rooms=rooms.get(uri, 0), sent=sent.get(uri, 0)) for uri in sorted(known)]


def _sent(about: About) -> Any:
    """(an organisation, how many of the activities that are meant were delivered to it)."""
    query: Any = sa.select(Actor.uri, sa.func.count()).join(Partner, Partner.organisation_id == Actor.id)
    query = query.join(Delivery, Delivery.partner_id == Partner.id).join(Activity, Activity.id == Delivery.activity_id)
    query = query.where(Delivery.state == "done", Delivery.done_at >= about.since)
    if about.person_id:
        query = query.where(Activity.actor_id == about.person_id)
    elif about.organisation_id:
        query = query.where(Actor.id == about.organisation_id)
    return query.group_by(Actor.uri)


def _sessions(session: Session, about: About) -> list[dict[str, Any]]:
    """Where they are signed in at this moment, and which tools have their tokens; what has ended stands in the record."""
    if about.organisation_id:
        return []
    browsers = sa.select(Actor.name, LoginSession.agent, LoginSession.created_at, LoginSession.seen_at)
    browsers = browsers.join(Actor, Actor.id == LoginSession.person_id).where(LoginSession.seen_at >= about.since)
    tools = sa.select(Actor.name, ClientToken.purpose, ClientToken.created_at, ClientToken.used_at)
    tools = tools.join(Actor, Actor.id == ClientToken.person_id)
    if about.person_id:
        browsers, tools = browsers.where(Actor.id == about.person_id), tools.where(Actor.id == about.person_id)
    rows = [("browser", row) for row in session.execute(browsers)] + [("tool", row) for row in session.execute(tools)]
    return [dict(kind=kind, name=row[0], agent=row[1], since=iso(row[2]), last_used=_when(row[3])) for kind, row in rows]


def _boxes(session: Session, node: Node, about: About) -> dict[str, int]:
    """How many boxes in the key ring their keys open today, by what lies in them; of an account that has ended they are destroyed."""
    if about.organisation_id:
        return {}
    ours = sa.select(Actor.id).where(Actor.known == OWN, Actor.kind == PERSON)
    ids = [about.person_id] if about.person_id else list(session.scalars(ours))
    found = dict.fromkeys(BOXES.values(), 0)
    with node.ring.look() as ring:
        for person_id in ids:
            for key in people.listed(session, person_id):
                for of in wraps.wraps_to(ring, key.kid):
                    if kind := BOXES.get(of.partition(":")[0]):
                        found[kind] += 1
    return found


def _acts(session: Session, about: About) -> list[dict[str, Any]]:
    """What they did, and what was done to their account, by the node's record."""
    query = sa.select(AuditEntry.action, sa.func.count(), sa.func.min(AuditEntry.at), sa.func.max(AuditEntry.at))
    query = query.where(AuditEntry.at >= about.since)
    if not about.whole_node:
        whom = about.person_id or about.organisation_id
        query = query.where(sa.or_(AuditEntry.actor_id == whom, AuditEntry.subject == whom))
    rows = session.execute(query.group_by(AuditEntry.action).order_by(AuditEntry.action))
    return [dict(action=row[0], times=row[1], first=iso(row[2]), last=iso(row[3])) for row in rows]


def _referrals(session: Session, about: About) -> list[dict[str, Any]]:
    query = sa.select(Referral.id, Referral.sent, Referral.state, Referral.at, Referral.outside, Actor.uri, Actor.name)
    query = query.outerjoin(Actor, Actor.id == Referral.organisation_id).where(Referral.changed_at >= about.since)
    if about.person_id:
        query = query.where(Referral.by_id == about.person_id)
    elif about.organisation_id:
        query = query.where(Referral.organisation_id == about.organisation_id)
    rows = session.execute(query.order_by(Referral.at, Referral.id))
    return [dict(id=row.id, sent=row.sent, state=row.state, at=iso(row.at), organisation=_whom(row)) for row in rows]


def _whom(row: Any) -> dict[str, str]:
    """The other side of a referral; one without a node has no id."""
    return dict(id=row.uri, name=row.name) if row.uri else dict(id="", name=row.outside)


def _guests(session: Session, ids: list[str]) -> list[dict[str, Any]]:
    """Guests of ours on the same rooms: they have no node that could tell them."""
    query = sa.select(Guest.room_id, Guest.name, Guest.works_for, Guest.let_in_at, Guest.ended_at).where(Guest.room_id.in_(ids))
    rows = session.execute(query.order_by(Guest.at, Guest.id))
    return [dict(room=r.room_id, name=r.name, works_for=r.works_for, let_in=_when(r.let_in_at), ended=_when(r.ended_at)) for r in rows]


def _arrived(session: Session, about: About) -> int:
    """How much came from a partner's node, or from all."""
    query = sa.select(sa.func.count()).select_from(InboxItem).where(InboxItem.received_at >= about.since)
    if about.organisation_id:
        query = query.join(Partner, Partner.host == InboxItem.host).where(Partner.organisation_id == about.organisation_id)
    return 0 if about.person_id else int(session.scalar(query) or 0)
