"""Decides what our people do with referrals: send one, take it back, look at one that came, hand it to a colleague, say yes or no, and say
how it came out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import AMBER
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, OWN, PARTNER, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import BadRequest, N_, NotFound, Refused
from fedcollab.base.once import ID
from fedcollab.base.sector import REFERRAL_OUTCOME
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.federation import outbox, partners
from fedcollab.sealing import (
    consents,
    holding,
    organisation,
    partner_keys,
    people,
    person_models,
    room_chain,
    room_content,
    rooms,
    working,
)
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.person_models import PersonKeyRow
from fedcollab.sealing.room_models import Room
from fedcollab.sealing.room_state import PURGED
from fedcollab.sealing.shut import Shut
from fedcollab.sealing.sweeping import Naming

from . import boxing, wire
from .models import Referral, ReferralPerson
from .preview import Preview
from .standing import learn
from .states import ACCEPTED, DONE, IN_PROGRESS, OPEN, RECIPIENT, REJECTED, REVOKED, SENDER, Word, may
from .words import CHOICES, NOT_YOURS, Answered, NoKey, NotReadable, OnItsWay

CASE = "case"
Keys = list[PersonPrivate]


@dataclass(frozen=True)
class HandOver:
    """What goes to whom: the partner's row, or who it is `outside`, where no node is; the day by which an answer is asked for, the preview,
    what is sealed into the room that they get with their yes (under `ids`, where these were made before), and the case of ours that it
    comes from; `once` is the form's own id: one that is sent twice refers once."""

    organisation_id: str
    deadline: str
    preview: Preview
    contents: tuple[Mapping[str, Any], ...] = field(repr=False)
    case_id: str
    label: str = AMBER
    once: str = ""
    outside: str = ""
    ids: tuple[str, ...] = ()


def check_recipient(session: Session, organisation_id: str) -> str:
    """The id on the wire of a partner that can receive one. Raises NoKey, NotFound: before anybody types what would be lost."""
    there = sa.and_(Actor.id == organisation_id, Actor.known == PARTNER, Actor.kind == ORGANIZATION)
    row = session.execute(sa.select(Actor.uri, Actor.host).where(there)).one_or_none()
    if row is None or row.host not in partners.admitted_hosts(session):
        raise NotFound
    if not partner_keys.has_key(session, organisation_id):
        raise NoKey
    return str(row.uri)


def offer(session: Session, node: Node, viewer: Viewer, keys: Keys, hand_over: HandOver) -> tuple[str, str]:
    """Sends a referral: a room of its own with what is handed over, the invitation into it, and the sealed preview. (Its id, the room's
    row.) Nothing is sent where the partner has no key: raises NoKey, then and for whoever may not, before anything is made."""
    to, key = check_recipient(session, hand_over.organisation_id), partner_keys.key_of(session, node, hand_over.organisation_id)
    if key is None or list(hand_over.preview.problems()):
        raise BadRequest
    made = founded(session, node, viewer, keys, hand_over, to)
    invitation = working.invite(session, node, viewer, made.room_id, to, since=1)
    boxing.put(node, made.id, key.kid, boxing.boxed(made.sealed.key, key, made.header))
    offered = wire.Offered(made.header, invitation, key.kid, made.sealed.ct)
    whom = dict(organisation_id=hand_over.organisation_id, invitation=invitation, kid=key.kid, preview=b"")
    said, me = wire.offer(outbox.new_uri(node), offered), actors.own(session, node).id
    outbox.publish(session, node, me, said, to=[hand_over.organisation_id], order_key=made.header.room, about=made.header.uri)
    keep(session, node, viewer, hand_over, made, **whom)
    return made.id, made.room_id


@dataclass(frozen=True, repr=False)
class Founded:
    """A referral of ours on its way: its id, the row of the room that it hands over, and the preview as it is sealed."""

    id: str
    room_id: str
    header: boxing.Header
    sealed: boxing.Sealed


def founded(session: Session, node: Node, viewer: Viewer, keys: Keys, hand_over: HandOver, to: str) -> Founded:
    """The room of what is handed over, and the preview sealed for `to`, an id on the wire, or nobody's."""
    referral_id = hand_over.once if ID.fullmatch(hand_over.once) else new_id(node.now())
    room_id = working.found(session, node, viewer, keys, CASE, hand_over.label)
    opened = holding.open_room(session, node, viewer, keys, room_id)
    for content, uri in zip_longest(hand_over.contents, hand_over.ids):
        room_content.write(session, node, opened, content, uri or "")
    header = boxing.Header(node.settings.uri(f"/referrals/{referral_id}"), node.actor_uri, to, opened.uri, hand_over.deadline)
    return Founded(referral_id, room_id, header, boxing.seal(hand_over.preview, header))


def keep(session: Session, node: Node, viewer: Viewer, hand_over: HandOver, made: Founded, **whom: object) -> None:
    """Its row, and that it was sent on the case's record."""
    what = dict(uri=made.header.uri, sent=True, case_id=hand_over.case_id, room=made.header.room, state=IN_PROGRESS, code="")
    times = dict(at=node.now(), changed_at=node.now(), next_at=0, tries=0)
    size, deadline = len(made.sealed.ct), hand_over.deadline
    put(session, Referral, id=made.id, **what, **whom, deadline=deadline, size=size, by_id=viewer.person_id, **times)
    room_chain.add(session, node, hand_over.case_id, viewer, "referral.send", made.header.uri)


def take_back(session: Session, node: Node, viewer: Viewer, referral_id: str) -> None:
    """The sender takes it back before it was answered: what was not delivered is not sent, what was is gone there. Raises NotFound for who
    is not on it, Answered."""
    row = sent_row(session, viewer, referral_id)
    room_id = rooms.row(session, row.room).id
    check_may(row, SENDER, REVOKED)
    if row.organisation_id is not None:
        outbox.forget(session, node, row.uri)
        working.take_back_invitation(session, node, viewer, room_id, row.invitation)
    say(session, node, row, Word(node.now(), REVOKED, SENDER))
    on_record(session, node, row, viewer, "referral.take_back")
    end_sent(session, node, viewer, row)


def end_sent(session: Session, node: Node, viewer: Viewer | None, row: Any) -> None:
    """Of a referral that came to nothing the room goes, with its keys, and the preview's, and who it was outside. Last in a unit."""
    room = rooms.row(session, row.room)
    session.execute(sa.update(Referral).where(Referral.id == row.id).values(preview=b"", outside=""))
    consents.forget(session, room.id)
    with node.ring.begin():  # all of it is destroyed, or nothing
        if room.state != PURGED:  # by hand, before
            working.purge(session, node, viewer, room.id)
        boxing.destroy(node, row.id)


def may_open(session: Session, viewer: Viewer, referral_id: str) -> bool:
    """Whether somebody may look at a referral that came, and answer it: whoever it was handed to, and keepers who hold the organisation's
    key."""
    mine = sa.and_(ReferralPerson.referral_id == referral_id, ReferralPerson.person_id == viewer.person_id)
    handed = session.execute(sa.select(ReferralPerson.since).where(mine)).first() is not None
    return handed or viewer.person_id in organisation.holders(session)


def open_preview(session: Session, node: Node, viewer: Viewer, keys: Keys, referral_id: str) -> Preview:
    """What came, for whoever may look; on record each time. Raises NotFound, OnItsWay, NotReadable, Answered where it is gone."""
    row = came_row(session, viewer, referral_id)
    if row.state not in OPEN:
        raise Answered
    try:
        found = boxing.opened(row.preview, _key(session, node, viewer, keys, row), header_of(session, node, row))
    except Shut:
        raise NotReadable from None
    audit.record(session, node.now(), viewer, "referral.open", referral_id)
    return found


def _key(session: Session, node: Node, viewer: Viewer, keys: Keys, row: Any) -> bytes:
    """The preview's key: by their own, or by the organisation's where a keeper looks. Raises OnItsWay, Shut, Refused."""
    header = header_of(session, node, row)
    found = boxing.key_for(node, row.id, keys, header)
    if found is None and row.box_at is None:
        raise OnItsWay
    if found is None:
        holder = holding.in_use(session, viewer, keys)
        found = boxing.key_for(node, row.id, organisation.opened(session, node, holder).values(), header)
    if found is None:
        raise Shut
    return found


def assign(session: Session, node: Node, viewer: Viewer, keys: Keys, referral_id: str, person_id: str) -> None:
    """Hands a referral that came to a colleague, who can look and answer from then on. Raises NotFound, Refused where they have no key."""
    row = came_row(session, viewer, referral_id)
    check_may(row, RECIPIENT, ACCEPTED)
    colleague = next((one for one in colleagues(session) if one.id == person_id), None)
    to = people.current(session, person_id)
    if colleague is None:
        raise Refused(N_("Choose the colleague who is to look at this."))
    if to is None:
        raise Refused(holding.NO_KEY, name=colleague.name)
    try:
        key = _key(session, node, viewer, keys, row)
    except Shut:
        raise NotReadable from None
    boxing.put(node, row.id, to.kid, boxing.boxed(key, to.public, header_of(session, node, row)))
    there = sa.and_(ReferralPerson.referral_id == referral_id, ReferralPerson.person_id == person_id)
    if session.execute(sa.select(ReferralPerson.since).where(there)).first() is None:
        put(session, ReferralPerson, referral_id=referral_id, person_id=person_id, by_id=viewer.person_id, since=node.now())
    audit.record(session, node.now(), viewer, "referral.assign", referral_id)


def accept(session: Session, node: Node, viewer: Viewer, referral_id: str, people_ids: Iterable[str]) -> str:
    """Our yes, which is the yes to its room, with the colleagues who take it. The room's row. Raises NotFound, Answered, Refused."""
    row = came_row(session, viewer, referral_id)
    check_may(row, RECIPIENT, ACCEPTED)
    chosen = list(dict.fromkeys(people_ids))
    if not chosen or not set(chosen) <= {one.id for one in colleagues(session)}:
        raise Refused(N_("Choose at least one colleague who takes this on."))
    room_id = str(rooms.row(session, row.room).id)
    working.accept(session, node, viewer, room_id, row.invitation, chosen)
    say(session, node, row, Word(node.now(), ACCEPTED, RECIPIENT))
    audit.record(session, node.now(), viewer, "referral.accept", referral_id)
    return room_id


def decline(session: Session, node: Node, viewer: Viewer, referral_id: str, reason: str) -> None:
    """Our no, with its reason: nothing of it stays here. Raises NotFound, Answered, Refused."""
    row = came_row(session, viewer, referral_id)
    check_may(row, RECIPIENT, REJECTED)
    if reason not in CHOICES:
        raise Refused(N_("Choose the reason. The other organisation sees it, and nothing else."))
    say(session, node, row, Word(node.now(), REJECTED, RECIPIENT, reason))
    working.decline(session, node, viewer, rooms.row(session, row.room).id, row.invitation)
    audit.record(session, node.now(), viewer, "referral.decline", referral_id)
    forget(session, node, row)


def forget(session: Session, node: Node, row: Any) -> None:
    """Of a referral that came and came to nothing there stay its id, whose it was, and that. Last in a unit."""
    session.execute(sa.delete(ReferralPerson).where(ReferralPerson.referral_id == row.id))
    bare = dict(preview=b"", kid="", deadline="", size=0, invitation="")
    session.execute(sa.update(Referral).where(Referral.id == row.id).values(**bare))
    room_id = session.execute(sa.select(Room.id).where(Room.uri == row.room)).scalar()
    if room_id is not None:
        consents.forget(session, room_id)
        rooms.clear(session, node, row.room)
    boxing.destroy(node, row.id)


def drop_preview(session: Session, node: Node, row: Any) -> None:
    """What was shown before the answer is needed no more: it goes, with its key. Last in a unit."""
    session.execute(sa.update(Referral).where(Referral.id == row.id).values(preview=b""))
    boxing.destroy(node, row.id)


def finish(session: Session, node: Node, viewer: Viewer, referral_id: str, outcome: str) -> None:
    """Says how an accepted one came out; either side does. Raises NotFound for who is not on it, Answered, Refused."""
    row = by_id(session, referral_id)
    room_id = session.execute(sa.select(Room.id).where(Room.uri == row.room)).scalar()
    if room_id is None or not holding.is_assigned(session, room_id, viewer.person_id):
        raise NotFound
    finished(session, node, viewer, row, SENDER if row.sent else RECIPIENT, outcome)


def finished(session: Session, node: Node, viewer: Viewer, row: Any, side: str, outcome: str) -> None:
    """The same, by somebody who is known to speak for that side."""
    check_may(row, side, DONE)
    if outcome not in REFERRAL_OUTCOME:
        raise Refused(N_("Choose how it came out."))
    say(session, node, row, Word(node.now(), DONE, side, outcome))
    on_record(session, node, row, viewer, "referral.done")
    drop_preview(session, node, row)


def say(session: Session, node: Node, row: Any, word: Word) -> None:
    """A word that is said here, kept and, where the other side has a node, sent."""
    learn(session, node, row.id, word)
    if row.organisation_id is not None:
        me = actors.own(session, node)
        made = wire.word(outbox.new_uri(node), me.uri, row.uri, row.room, word)
        outbox.publish(session, node, me.id, made, to=[row.organisation_id], order_key=row.room, about=row.uri)


def on_record(session: Session, node: Node, row: Any, viewer: Viewer | None, action: str) -> None:
    """Puts an act on record: of one that we have sent in its case's record, of one that came in the node's."""
    if row.case_id is not None:
        room_chain.add(session, node, row.case_id, viewer, action, row.uri)
    else:
        audit.record(session, node.now(), viewer, action, row.id)


def is_there(session: Session, referral_id: str) -> bool:
    """Whether a form that calls a referral so was sent already."""
    return session.execute(sa.select(Referral.id).where(Referral.id == referral_id)).first() is not None


def header_of(session: Session, node: Node, row: Any) -> boxing.Header:
    """What a preview is bound to."""
    other = actors.by_id(session, row.organisation_id).uri if row.organisation_id is not None else ""
    sender, recipient = (node.actor_uri, other) if row.sent else (other, node.actor_uri)
    return boxing.Header(row.uri, sender, recipient, row.room, row.deadline)


def by_id(session: Session, referral_id: str) -> Any:
    """A referral's row. Raises NotFound."""
    found = session.execute(sa.select(Referral.__table__).where(Referral.id == referral_id)).one_or_none()
    if found is None:
        raise NotFound(NOT_YOURS)
    return found


def came_row(session: Session, viewer: Viewer, referral_id: str) -> Any:
    """One that came, for whoever may look. Raises NotFound."""
    row = by_id(session, referral_id)
    if row.sent or not may_open(session, viewer, referral_id):
        raise NotFound(NOT_YOURS)
    return row


def sent_row(session: Session, viewer: Viewer, referral_id: str) -> Any:
    """One that we have sent, for those on its case. Raises NotFound."""
    row = by_id(session, referral_id)
    if not row.sent or row.case_id is None or not holding.is_assigned(session, row.case_id, viewer.person_id):
        raise NotFound(NOT_YOURS)
    return row


def colleagues(session: Session) -> list[Any]:
    """(id, name) of our people who can take something on: those with a key of their own in use. Of guests nobody learns here."""
    key = sa.and_(PersonKeyRow.person_id == Actor.id, PersonKeyRow.state == person_models.CURRENT)
    ours = sa.and_(Actor.known == OWN, Actor.works_for == "", Actor.disabled_at.is_(None))
    query = sa.select(Actor.id, Actor.name).join(PersonKeyRow, key).where(ours)
    return list(session.execute(query.order_by(Actor.name, Actor.id)).all())


def check_may(row: Any, side: str, kind: str) -> None:
    """Raises Answered where that side may not say this as it stands."""
    if kind not in may(row.state, side):
        raise Answered


def _named(session: Session) -> list[str]:
    kept = sa.select(Referral.id).where(Referral.state.in_(OPEN))
    return [boxing.PREFIX + one for one in session.scalars(kept)]


NAMED_IN_RING = Naming(boxing.PREFIX, _named)
