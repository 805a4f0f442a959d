"""Decides what a partner's word does in a sealed room here: believed as its own, kept where its sender is concerned, in whatever order."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import RED, STRICT
from fedcollab.access.viewer import partner
from fedcollab.actors.models import ORGANIZATION
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Forbidden, NotFound, Refused, TooMany
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, receipts
from fedcollab.federation.registry import Handler, Verified

from . import authors, ending, erased_ahead, handing, proving, room_chain, room_quotas, room_sending, rooms, sealed_files, telling, working
from .casekeys import GUEST, CaseKey
from .facts import Answer, Closed, Fact, Invited, Left, by, of, organisations
from .handing import Named
from .messages import Sealed
from .refusals import Ended, NotInside
from .room_activities import HANDLED, Said, parse, parse_files, parse_sealed
from .room_models import ERASED, THERE, WAITS, RoomFact, RoomKey, SealedMessage
from .room_models import Room as Row
from .room_state import CLOSED, NOTHING, OUT, PURGED, Room

MOST = 5_000  # facts by one organisation of one room
MOST_SEATS = 40_000  # in lists of one organisation that are not of the line; each is read, in 5 µs, whenever the room is
LATE = 7 * DAY  # after the list that is without an organisation came here: what it wrote before is taken until then
MOST_KEYS = 50  # of one member for a room in a day, at each of which the case key is turned at once
MOST_WAITING = 200  # rooms into which one organisation invites us, and we have not answered


def receive_fact(session: Session, node: Node, received: Verified) -> None:
    """What an organisation says of a room, from itself or passed on by whoever leads it. The first word of one that we don't know is an
    invitation to us."""
    if received.actor.kind != ORGANIZATION or not received.proved:
        raise Refused(reason="what is said of a room is proved by an organisation")
    said = parse(received.activity, received.actor.uri)
    if rooms.is_cleared(session, said.room):
        _is_gone(session, node, said, received)
        return
    room = _room(session, node, said)
    if said.fact in room.facts:
        proving.renewed(session, node, room, said, received)
        if isinstance(said.fact, Closed) and said.fact in room.purges:  # asked once more: by a node that came out of a backup, say
            ending.asked(session, node, rooms.row(session, said.room).id, said.fact.by, dict(received.activity))
        return
    _check_header(session, room, said)
    check_label(rooms.row(session, said.room).label, said.fact)
    _check_concerned(room, said, received)
    _check_number(room, received.actor.uri)
    _check_seats(room, said.fact)
    after = rooms.learn(session, node, said.room, [(said, received.activity)])
    room_id, sender = rooms.row(session, said.room).id, partner(received.actor.organisation_id)
    if not _is_too_often(session, node, room_id, said.fact):
        working.turn_if_changed(session, node, room_id, after)
    for word in sorted(after.purges - room.purges, key=by):
        ending.asked(session, node, room_id, word.by, telling.activity_of(session, room_id, word))
    if isinstance(said.fact, Invited):
        room_chain.add(session, node, room_id, sender, "room.invited")
    elif isinstance(said.fact, CaseKey):
        room_chain.add(session, node, room_id, sender, "room.key", said.fact.ck)
    else:
        room_chain.add(session, node, room_id, sender, "room.said")


def _is_gone(session: Session, node: Node, said: Said, received: Verified) -> None:
    """A room that we were only invited to, and said no: nothing of it is here, which whoever led it may know."""
    if not isinstance(said.fact, Closed) or said.fact.by != rooms.row(session, said.room).owner:
        raise Ended
    if said.fact.purged:
        receipts.answer(session, node, received.activity, to=received.actor.id, order_key=said.room)


def _room(session: Session, node: Node, said: Said) -> Room:
    """The room as it is here; begun by an invitation of ours."""
    try:
        return rooms.load(session, node, said.room)
    except NotFound:
        if not isinstance(said.fact, Invited):
            raise Refused(reason="said of a room that is not here") from None
    if said.fact.organisation != node.actor_uri or said.header is None:
        raise Refused(reason="an invitation of somebody else")
    check_label(said.header.label, said.fact)
    _check_waiting(session, said.fact.by)
    rooms.begin(session, node, said.header, said.fact.by)
    return Room(said.room, node.actor_uri)


def _check_waiting(session: Session, organisation: str) -> None:
    waiting = sa.select(sa.func.count()).select_from(Row).where(Row.owner == organisation, Row.state == NOTHING)
    if session.execute(waiting).scalar_one() >= MOST_WAITING:
        raise TooMany(reason="more invitations of one organisation wait than anybody can answer")


def _check_header(session: Session, room: Room, said: Said) -> None:
    """A room keeps the label that it came with. As long as we are not inside, whoever made the room says what it is: somebody who knows its
    id could else have called a room for people by name something weaker before they invite us."""
    row, header = rooms.row(session, said.room), said.header
    if header is None or (header.kind, header.label) == (row.kind, row.label):
        return
    assert isinstance(said.fact, Invited)
    if room.head is not None or said.fact.organisation != room.me or host_of(said.fact.by) != host_of(said.room):
        raise Refused(reason="an invitation into a room under another label than it has here")
    values = dict(kind=header.kind, label=header.label, owner=said.fact.by)
    session.execute(sa.update(Row).where(Row.uri == said.room).values(**values))


def check_label(label: str, fact: Fact) -> None:
    """P6: what is TLP:RED is for people by name; an organisation as such is never inside. P7: into what is for these organisations' own
    people nobody brings a guest."""
    if isinstance(fact, Invited) and fact.person and host_of(fact.person) != host_of(fact.organisation):
        raise Refused(reason="an invitation of somebody who is not of that organisation")
    named = [(fact.person, fact.role)] if isinstance(fact, Invited) else []
    named += [(member.person, member.role) for member in fact.members] if isinstance(fact, CaseKey) else []
    if label == RED and not all(person for person, _ in named):
        raise Refused(reason="a room for named people has nobody in it but by name")
    if label == STRICT and any(role == GUEST for _, role in named):
        raise Refused(reason="a room for these organisations' own people has no guests")


def _check_concerned(room: Room, said: Said, received: Verified) -> None:
    """Only those speak in a room who are in one of its lists, or have invited us; of us, only they invite; and only they pass on."""
    fact, known = said.fact, concerned(room)
    if isinstance(fact, Invited):
        if fact.organisation != room.me or (room.state not in (NOTHING, OUT) and fact.by not in known):
            raise Refused(reason="an invitation to a room that we are inside of, by somebody who is not")
    elif isinstance(fact, Answer) and any(one.id == fact.invitation and one.organisation == fact.by for one in of(room.facts, Invited)):
        pass
    elif received.actor.uri not in known:
        raise Refused(reason="said of a room by somebody who is not inside, or not yet")
    if received.through is not None and received.through.uri not in known:
        raise Forbidden(reason="passed on by somebody who is not inside")


def _check_number(room: Room, organisation: str) -> None:
    """What one organisation says of a room is some facts an epoch."""
    if sum(by(fact) == organisation for fact in room.facts) >= MOST:
        raise TooMany(reason="an organisation says more of a room than anybody needs to")


def _check_seats(room: Room, fact: Fact) -> None:
    """Lists that lead nowhere are many only where somebody wants a room to take long. Those of the time before us come before the one
    that lets us in."""
    if isinstance(fact, CaseKey):
        line = {key.ck for key in room.line.keys}
        beside = [key for key in of(room.facts, CaseKey) if key.issuer == fact.issuer and key.ck not in line]
        if sum(len(key.members) for key in (*beside, fact)) > MOST_SEATS:
            raise TooMany(reason="an organisation gives a room more lists than anybody needs to")


def _is_too_often(session: Session, node: Node, room_id: str, fact: Fact) -> bool:
    """Each fresh key of a member makes whoever leads the room turn the case key and tell all: nobody keeps them at that. Whoever comes or
    goes never waits; what is not turned now is within the hour (working.keep_turning)."""
    if isinstance(fact, Answer | Left):
        return False
    lately = sa.and_(RoomFact.room_id == room_id, RoomFact.kind == "rekeyed", RoomFact.at > node.now() - DAY)
    most = sa.select(RoomFact.organisation).where(lately).group_by(RoomFact.organisation).having(sa.func.count() > MOST_KEYS)
    return session.execute(most.limit(1)).first() is not None


def concerned(room: Room) -> set[str]:
    """Those inside by any list that counts or could, and those who have invited us."""
    lists = [key for key in of(room.facts, CaseKey) if key.ck not in room.line.refused]
    return {one.by for one in of(room.facts, Invited)}.union(*map(organisations, lists))


def receive_message(session: Session, node: Node, received: Verified) -> None:
    """A sealed message: kept as it is, with its key or without; nothing here can read it."""
    message, files = parse_sealed(received.activity), parse_files(received.activity)
    if received.actor.kind != ORGANIZATION or host_of(message.author) != received.actor.host or host_of(message.id) != received.actor.host:
        raise Refused(reason="a message that its author's own organisation has not sent")
    room = _known(session, node, message.room)
    if room.state in (CLOSED, PURGED):
        raise Ended
    if received.through is not None and received.through.uri not in concerned(room):
        raise Forbidden(reason="passed on by somebody who is not inside")
    there = _kept(session, node, message)
    if there is not None and (not there.body or not _is_handed_on(there)):  # again it changes nothing, also where it was erased
        if there.body:  # it may have come without its files
            sealed_files.keep_others(session, node, message.id, files)
        return
    if there is None and erased_ahead.is_noted(session, message.id):
        return
    named = Named(received.actor.uri, message.epoch, message.ck)
    state = handing.taken(room, named)
    _check_in_time(session, node, room, received.actor.uri)
    authors.meet(session, node, received, message.author)
    if there is None:
        rooms.keep(session, node, message, received.actor.uri, THERE if state == handing.READ else WAITS, received.sender.host)
        sealed_files.keep(session, node, message.id, files)
    else:  # it is its organisation's from now on, like any other one; whoever handed it on told of no files
        room_quotas.spoken_for(session, there.id, received.sender.host)
        sealed_files.keep_others(session, node, message.id, files)
    if named.seen() not in room.facts:
        _check_number(room, received.actor.uri)
        room = rooms.learn(session, node, message.room, [(Said(message.room, named.seen()), {})])
    room_sending.pass_on(session, node, room, received, message.id, _inside_of(room, message.ck), share=received.actor.host)
    room_chain.add(session, node, rooms.row(session, message.room).id, partner(received.actor.organisation_id), "room.message", message.id)


def _kept(session: Session, node: Node, message: Sealed) -> Any:
    """The row of a message that is here, or was. What a member has handed on as an earlier one, and is something else, gives way to it.
    Raises Refused for another message under its name."""
    what = SealedMessage.id, SealedMessage.body, SealedMessage.brought
    there = session.execute(sa.select(*what).where(SealedMessage.uri == message.id)).one_or_none()
    if there is None or there.body in (b"", message.to_bytes()):
        return there
    if not _is_handed_on(there):
        raise Refused(reason="another message under a name that is taken")
    rooms.drop(session, node, there.id)
    return None


def _is_handed_on(row: Any) -> bool:
    return str(row.brought).startswith(room_quotas.VIA)


def _check_in_time(session: Session, node: Node, room: Room, organisation: str) -> None:
    """What somebody wrote before they went may come late, but not for ever: their old case key would let them write, and ask for the
    erasure of others' words, as long as they like."""
    keys = room.line.keys
    last = max((key.epoch for key in keys if organisation in organisations(key)), default=0)
    since = [key.ck for key in keys if key.epoch > last]
    came = session.scalar(sa.select(sa.func.min(RoomKey.at)).where(RoomKey.ck.in_(since))) if since else None
    if came is not None and came < node.now() - LATE:
        raise NotInside


def _inside_of(room: Room, ck: str) -> set[str]:
    """Who may have a message: those in the list of its case key, and inside still."""
    key = room.key(ck)
    return organisations(key) & room.inside if key else set()


def _known(session: Session, node: Node, uri: str) -> Room:
    try:
        return rooms.load(session, node, uri)
    except NotFound:
        raise Refused(reason="said in a room that is not here") from None


def receive_erasure(session: Session, node: Node, received: Verified) -> None:
    """A message's own organisation takes it back: its ciphertext goes at once, and we confirm it."""
    mine = sa.and_(SealedMessage.uri == ap.ident(received.object), SealedMessage.organisation == received.actor.uri)
    what = (SealedMessage.id, SealedMessage.state, SealedMessage.room_id, SealedMessage.ck)
    found = session.execute(sa.select(*what).where(mine)).one_or_none()
    if found is None:
        _never_came(session, node, received)
        return
    if found.state != ERASED:
        rooms.erase(session, node, found.id)
        outbox.withhold(session, node, ap.ident(received.object), "taken back before it was passed on")
    room = rooms.by_row(session, node, found.room_id)
    room_sending.pass_on(session, node, room, received, ap.ident(received.object), _inside_of(room, found.ck))
    receipts.answer(session, node, received.activity, to=received.actor.id, order_key=room.id)
    room_chain.add(session, node, found.room_id, partner(received.actor.organisation_id), "room.erased", ap.ident(received.object))


def _never_came(session: Session, node: Node, received: Verified) -> None:
    """It is erased before it came, or was never sent here: it is taken in no more, and whoever asks hears so at once."""
    uri, room = ap.ident(received.object), _known(session, node, ap.ident(received.object.get("context")))
    if received.actor.kind != ORGANIZATION or host_of(uri) != received.actor.host:
        raise Refused(reason="the erasure of what is not theirs")
    if received.actor.uri not in concerned(room):
        raise Refused(reason="an erasure by somebody who is not inside, or not yet")
    room_id = rooms.row(session, room.id).id
    if room.state not in (CLOSED, PURGED):
        erased_ahead.note(session, node, room_id, received.actor.uri, uri)
        room_sending.pass_on(session, node, room, received, uri, room.inside)
    receipts.answer(session, node, received.activity, to=received.actor.id, order_key=room.id, reason=receipts.NEVER_CAME)
    room_chain.add(session, node, room_id, partner(received.actor.organisation_id), "room.erased", uri)


def receive_refusal(session: Session, node: Node, received: Verified) -> None:
    """An organisation keeps what it was asked to let go, and says why by a code."""
    why = received.activity.get(ap.REASON)
    if received.actor.kind != ORGANIZATION or why not in ending.HOLDS:
        raise Refused(reason="a refusal without a reason that is known")
    receipts.refused(session, node, ap.ident(received.object), received.actor.uri, str(why))


WITHDRAW = ("Leave", "Remove", "Delete", "Undo")
HANDLERS = (
    *(
        Handler(kind, (about,), receive_fact, announced=True, withdraws=kind in ("Leave", "Remove", "Delete", "Undo"))
        for kind, about in HANDLED
    ),
    Handler("Create", (ap.SEALED_MESSAGE,), receive_message, announced=True, full=room_quotas.full),
    Handler("Delete", (ap.SEALED_MESSAGE,), receive_erasure, announced=True, withdraws=True),
    Handler("Reject", ("Delete",), receive_refusal),
)
