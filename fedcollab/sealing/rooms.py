"""Decides how a room is kept: its facts are stored once each, and what follows from them (state, members, boxes to ask for, whom to tell
what) is settled in the same commit."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import Conflict, NotFound
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared, put

from . import (
    boxes,
    case_boxes,
    duties,
    erased_ahead,
    fact_texts,
    handing,
    member_boxes,
    room_quotas,
    room_state,
    room_tasks,
    sealed_files,
    telling,
)
from .aside_models import RoomAside
from .casekeys import CaseKey
from .facts import Fact
from .lessened import lessened
from .messages import Sealed
from .room_activities import Header, Said
from .room_models import (
    ASKED,
    CASE,
    CURRENT,
    DENIED,
    DISPUTED,
    DOCUMENT,
    ERASED,
    HAD,
    LOOSE,
    OLD,
    REFUSED,
    SHUT,
    THERE,
    WAITS,
    ErasedAhead,
    KeeperTask,
    KeyRequest,
    MemberKey,
    RoomFact,
    RoomKey,
    RoomMember,
    RoomPerson,
    RoomTold,
    SealedFile,
    SealedMessage,
)
from .room_models import Room as Row
from .room_state import Room
from .seats import ACCEPTED, INVITED
from .vouched import Vouch

ENDING = "ending"  # of a room's row: it was ended, and what others wrote is here yet (ending.py)
MOST_LACKING = 50  # documents of a room that are asked for at a time: whoever is inside can name what there is not


def row(session: Session, uri: str) -> Any:
    """A room's row by its id on the wire. Raises NotFound."""
    found = prepared(session, _row("uri"), {"uri": uri}).one_or_none()
    if found is None:
        raise NotFound
    return found


@cache
def _row(name: str) -> sa.Select[Any]:
    return sa.select(Row.__table__).where(getattr(Row, name) == sa.bindparam(name))


@cache
def _facts_of() -> sa.Select[Any]:
    columns: list[Any] = [RoomFact.kind, RoomFact.said]
    return sa.select(*columns).where(RoomFact.room_id == sa.bindparam("room"))


@cache
def _keys_of() -> sa.Select[Any]:
    return sa.select(RoomKey.document).where(RoomKey.room_id == sa.bindparam("room"))


def load(session: Session, node: Node, uri: str) -> Room:
    """A room as we know it. Raises NotFound."""
    room_id = row(session, uri).id
    said = prepared(session, _facts_of(), {"room": room_id})
    keys = prepared(session, _keys_of(), {"room": room_id}).scalars()
    found = [fact_texts.read(one.kind, one.said) for one in said] + [fact_texts.read("key", key) for key in keys]
    return Room(uri, node.actor_uri, frozenset(found))


def by_id(session: Session, room_id: str) -> Any:
    """A room's row by its own id. Raises NotFound."""
    found = prepared(session, _row("id"), {"id": room_id}).one_or_none()
    if found is None:
        raise NotFound
    return found


def documents(room: Room) -> list[CaseKey]:
    """All case keys of a room that are known here, also those that count no more: what was sealed under them stays readable."""
    return sorted((fact for fact in room.facts if isinstance(fact, CaseKey)), key=lambda key: (key.epoch, key.ck))


def by_row(session: Session, node: Node, room_id: str) -> Room:
    """A room by its row."""
    return load(session, node, session.execute(sa.select(Row.uri).where(Row.id == room_id)).scalar_one())


def begin(session: Session, node: Node, header: Header, owner: str) -> str:
    """A room's row, before anything is said of it: one of ours, or one that we are invited to."""
    room_id = new_id(node.now())
    what = dict(uri=header.uri, kind=header.kind, label=header.label, owner=owner)
    put(session, Row, id=room_id, **what, state=room_state.NOTHING, epoch=0, ck="", turned_at=0, messages=0, created_at=node.now())
    return room_id


def say(session: Session, node: Node, uri: str, *facts: Fact, public: boxes.Public | None = None, vouch: Vouch | None = None) -> Room:
    """Our own facts of a room, which are told to all whom they concern; `public` with a fresh key of ours, and where it is one person's
    their word for it."""
    return learn(session, node, uri, [(Said(uri, fact, None, public, vouch), {}) for fact in facts])


def learn(session: Session, node: Node, uri: str, news: Iterable[tuple[Said, dict[str, Any]]]) -> Room:
    """What was said of a room, each with the activity that proves it (ours are made when they are sent). Answers the room as it is now."""
    room_id = row(session, uri).id
    for said, activity in news:
        _store(session, node, room_id, said, activity)
    room = load(session, node, uri)
    seen = duties.acknowledged(room)
    if seen is not None and seen not in room.facts:
        _store(session, node, room_id, Said(uri, seen), {})
        room = room.learns(seen)
    _settle(session, node, room_id, room)
    telling.tell(session, node, room_id, room)
    return room


def _store(session: Session, node: Node, room_id: str, said: Said, activity: dict[str, Any]) -> None:
    if said.public is not None:
        _keep_key(session, node, room_id, said)
    fact, now = said.fact, node.now()
    if isinstance(fact, CaseKey):
        there = sa.select(RoomKey.ck).where(RoomKey.room_id == room_id, RoomKey.ck == fact.ck)
        values = dict(ck=fact.ck, epoch=fact.epoch, prev=fact.prev, organisation=fact.issuer, document=fact.document(), state=LOOSE)
        model: Any = RoomKey
    else:
        name = fact_texts.name(fact)
        there = sa.select(RoomFact.name).where(RoomFact.room_id == room_id, RoomFact.name == name)
        values = dict(name=name, kind=fact_texts.kind_of(fact), organisation=fact.by, said=fact_texts.written(fact))
        model = RoomFact
    if session.execute(there).first() is None:
        session.execute(sa.insert(model).values(room_id=room_id, **values, activity=activity, at=now))


def _keep_key(session: Session, node: Node, room_id: str, said: Said) -> None:
    """A member's public half, once: its name is a hash of it."""
    assert said.public is not None
    if session.execute(sa.select(MemberKey.kid).where(MemberKey.kid == said.public.kid)).first() is None:
        whose = said.fact.issuer if isinstance(said.fact, CaseKey) else said.fact.by
        word = dict(signer=said.vouch.kid, signature=said.vouch.signature) if said.vouch else dict(signer="", signature=b"")
        put(session, MemberKey, kid=said.public.kid, room_id=room_id, organisation=whose, public=said.public.raw, **word, at=node.now())


def _settle(session: Session, node: Node, room_id: str, room: Room) -> None:
    """Brings the rows up to what follows from the facts."""
    before = session.execute(sa.select(Row.ck, Row.state, Row.owner).where(Row.id == room_id)).one()
    head = room.head
    state = ENDING if room.state == room_state.PURGED else room.state
    if before.state == room_state.PURGED:
        state = before.state  # what is gone stays gone, whatever is said of it later
    values: dict[str, Any] = dict(state=state, owner=room.owner or before.owner)
    if head is not None and head.ck != before.ck:
        values |= dict(ck=head.ck, epoch=head.epoch, turned_at=node.now(), messages=0)
    session.execute(sa.update(Row).where(Row.id == room_id).values(**values))
    _settle_keys(session, node, room_id, room)
    _settle_members(session, room_id, room)
    _settle_messages(session, room_id, room)
    _settle_requests(session, node, room_id, room)
    room_tasks.settle(session, node, room_id, room, before.owner)


def _settle_keys(session: Session, node: Node, room_id: str, room: Room) -> None:
    line, head = {key.ck for key in room.line.keys}, room.head
    for ck, state in session.execute(sa.select(RoomKey.ck, RoomKey.state).where(RoomKey.room_id == room_id)).all():
        now = LOOSE if ck in room.line.loose else REFUSED if ck in room.line.refused else DISPUTED
        if ck in line and ck not in room.line.disputed:
            now = CURRENT if head is not None and ck == head.ck else OLD
        if now != state:
            session.execute(sa.update(RoomKey).where(RoomKey.room_id == room_id, RoomKey.ck == ck).values(state=now))
            if now == REFUSED:
                room_tasks.refused(session, node, room_id, room, ck)


def _settle_members(session: Session, room_id: str, room: Room) -> None:
    """Who is inside by the newest list, who was by an older one, and who is invited: one row each."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for seat in sorted(room.seats, key=lambda seat: (seat.state in (INVITED, ACCEPTED), seat.invitation.id)):  # the last one counts
        one = seat.invitation
        what = dict(role=one.role, state=seat.state, mk=seat.keys[-1] if seat.keys else "", since_epoch=one.since, until_epoch=None)
        rows[one.organisation, one.person] = what
    for key in room.line.keys:
        for member in key.members:
            over = key != room.head or room.is_ended(member)
            what = dict(role=member.role, state="left" if over else "in", mk=member.mk, since_epoch=member.since)
            who = member.organisation, member.person
            if not (over and who in rows and rows[who]["state"] == INVITED):  # who was inside before and is asked again
                rows[who] = what | dict(until_epoch=key.epoch if over else None)
    session.execute(sa.delete(RoomMember).where(RoomMember.room_id == room_id))
    if rows:
        put(session, RoomMember, *(dict(room_id=room_id, organisation=who, person=person) | what for (who, person), what in rows.items()))


def _settle_messages(session: Session, room_id: str, room: Room) -> None:
    """Messages that waited for their case key's document, or for the end of a dispute."""
    readable = {key.ck for key in room.line.keys}
    waiting = sa.and_(SealedMessage.room_id == room_id, SealedMessage.state == WAITS, SealedMessage.ck.in_(readable))
    session.execute(sa.update(SealedMessage).where(waiting).values(state=THERE))


def _settle_requests(session: Session, node: Node, room_id: str, room: Room) -> None:
    """Boxes that are ours to have are asked for at once, documents that somebody inside has named as well; what is ours no longer is asked
    for no more."""
    known = dict(session.execute(sa.select(KeyRequest.ck, KeyRequest.state).where(KeyRequest.room_id == room_id)).all())
    wanted = {key.ck: key for key in handing.wanted(room)}
    for ck in sorted(wanted.keys() - {ck for ck, state in known.items() if state in (ASKED, HAD, SHUT)}):
        if wanted[ck].issuer != room.me:
            _request(session, node, room_id, ck, wanted[ck].epoch, room.owner, ASKED)
    lacking = dict(sorted(handing.missing(room)))
    for ck in sorted(lacking.keys() - {ck for ck, state in known.items() if state != DENIED})[
        : MOST_LACKING - list(known.values()).count(DOCUMENT)
    ]:
        _request(session, node, room_id, ck, 0, lacking[ck], DOCUMENT)
    over = sa.and_(KeyRequest.room_id == room_id, KeyRequest.state.in_((ASKED, DOCUMENT)), KeyRequest.ck.not_in([*wanted, *lacking]))
    session.execute(sa.update(KeyRequest).where(over).values(state=DENIED))


def _request(session: Session, node: Node, room_id: str, ck: str, epoch: int, organisation: str, state: str) -> None:
    """Asked for from now on, also where it was asked for in another way before."""
    session.execute(sa.delete(KeyRequest).where(KeyRequest.room_id == room_id, KeyRequest.ck == ck))
    times: dict[str, Any] = dict(asked_at=node.now(), next_at=node.now(), tries=0, told_at=None, given_by="", shut=[])
    put(session, KeyRequest, room_id=room_id, ck=ck, epoch=epoch, organisation=organisation, **times, state=state)
    wake(session, "keys")


def keep(session: Session, node: Node, message: Sealed, organisation: str, state: str, brought: str = "") -> None:
    """Stores a message as it was sealed, which the host `brought` has brought, and counts it: a case key is turned after so many."""
    room_id, body = row(session, message.room).id, message.to_bytes()
    what = dict(uri=message.id, epoch=message.epoch, ck=message.ck, author=message.author, organisation=organisation)
    put(
        session,
        SealedMessage,
        id=new_id(node.now()),
        room_id=room_id,
        **what,
        body=body,
        size=message.size,
        at=node.now(),
        state=state,
        brought=brought,
    )
    room_quotas.count(session, host_of(organisation), brought, room_id, len(body))
    session.execute(sa.update(Row).where(Row.id == room_id, Row.ck == message.ck).values(messages=Row.messages + 1))


def erase(session: Session, node: Node, message_id: str) -> None:
    """A message's ciphertext goes, with that of its files; that there was one stays."""
    _erase(session, node, SealedMessage.id == message_id)


def erase_of(session: Session, node: Node, room_id: str, organisation: str) -> None:
    """All that one organisation wrote in a room goes."""
    _erase(session, node, sa.and_(SealedMessage.room_id == room_id, SealedMessage.organisation == organisation))


def _erase(session: Session, node: Node, which: sa.ColumnElement[bool]) -> None:
    going = sa.and_(which, SealedMessage.state != ERASED)
    room_quotas.erased(session, going)
    sealed_files.take_away(session, node, list(session.scalars(sa.select(SealedMessage.id).where(going))))
    session.execute(sa.update(SealedMessage).where(going).values(body=b"", state=ERASED, erased_at=node.now()))
    lessened(session)


def drop(session: Session, node: Node, message_id: str) -> None:
    """A message that is not what its organisation has sent under this name goes, and leaves the name to that. A group may have noted that
    it is none that can be read: there it stays erased, under another name."""
    mine = SealedMessage.id == message_id
    _erase(session, node, mine)
    session.execute(sa.delete(SealedFile).where(SealedFile.message_id == message_id))
    in_case = SealedMessage.room_id.in_(sa.select(Row.id).where(Row.kind == CASE))
    session.execute(sa.delete(SealedMessage).where(mine, in_case))
    session.execute(sa.update(SealedMessage).where(mine).values(uri=SealedMessage.uri + f"#made-up-{message_id}"))


def purge(session: Session, node: Node, uri: str) -> None:
    """All ciphertext of a room goes, and every box of its case keys: what backups still have of it opens for nobody."""
    room_id = row(session, uri).id
    _erase(session, node, SealedMessage.room_id == room_id)
    erased_ahead.forget(session, room_id)
    with node.ring.begin():
        case_boxes.destroy(node, session.scalars(sa.select(RoomKey.ck).where(RoomKey.room_id == room_id)).all())
        member_boxes.destroy(session, node, room_id)


def clear(session: Session, node: Node, uri: str) -> None:
    """Of a room that we were only invited to nothing stays but its bare row, so that an old invitation does not begin it anew. What was
    to be told is queued before. Raises Conflict where we are or were inside."""
    found = row(session, uri)
    if found.ck:
        raise Conflict
    _erase(session, node, SealedMessage.room_id == found.id)
    parts: tuple[Any, ...] = (SealedFile, SealedMessage, RoomFact, RoomKey, RoomMember, MemberKey, RoomTold, RoomPerson)
    for model in (*parts, KeyRequest, KeeperTask, RoomAside, ErasedAhead):
        session.execute(sa.delete(model).where(model.room_id == found.id))
    session.execute(sa.update(Row).where(Row.id == found.id).values(state=room_state.PURGED))


def is_cleared(session: Session, uri: str) -> bool:
    """Whether nothing but the bare row of a room is left."""
    facts = sa.select(RoomFact.name).join(Row, Row.id == RoomFact.room_id).where(Row.uri == uri).exists()
    return session.execute(sa.select(Row.id).where(Row.uri == uri, Row.state == room_state.PURGED, ~facts)).first() is not None
