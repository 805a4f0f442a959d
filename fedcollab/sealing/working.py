"""Decides what our people do in rooms, each act in one unit: founding, inviting, answering, removing, ending; and what follows of itself.

A new case key takes nobody's private half: it is made fresh and boxed to the members' public ones. So a removal, a yes or a leaver's end
turns it at once, whoever is at work; only what older keys open waits for somebody who can (`settle`)."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import RED, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, OWN, PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR, new_id
from fedcollab.base.errors import Forbidden, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.federation import outbox, receipts

from . import (
    acting,
    boxes,
    case_boxes,
    casesecrets,
    ending,
    handing,
    holding,
    keeper_tasks,
    member_boxes,
    member_keys,
    opening,
    organisation,
    partner_keys,
    people,
    room_chain,
    rooms,
    shut_boxes,
    telling,
    turning,
    vouched,
)
from .casekeys import GUEST, MEMBER, CaseKey, Member
from .facts import Closed
from .holding import Opened
from .keeper_tasks import BOX_TO_MAKE
from .keeping_models import CURRENT, OrganisationKey
from .pairs import PersonPrivate
from .person_models import CURRENT as IN_USE
from .person_models import PersonKeyRow
from .room_activities import Header
from .room_models import MemberKey, RoomFact, RoomMember
from .room_models import Room as Row
from .room_state import CLOSED, FROZEN, OPEN, Room

NOT_OPEN = N_("Cases are not open at your organisation yet. Its keepers have to finish the set-up first.")
AT_ONCE, LOOKED_AT = 2, 10  # rooms in one unit of the chore: some 15 CPU-ms each; of so many that may be due, by chance
STRICT_ONLY = N_("This is for these organisations’ own people only: no guest comes in.")
NAMED_ONLY = N_("This is for named people: choose the person whom you invite.")


def check_open(session: Session, node: Node) -> None:
    """Raises Refused while the organisation could lose what is sealed: see opening."""
    if not opening.opens(organisation.facts(session, node)):
        raise Refused(NOT_OPEN)


def found(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], kind: str, label: str) -> str:
    """Begins a room; whoever does so is on it. Its row's id. Raises Refused while cases are not open here."""
    check_open(session, node)
    uri, made, mine = node.settings.uri(f"/rooms/{new_id(node.now())}"), boxes.generate(), holding.in_use(session, viewer, keys)
    room_id = rooms.begin(session, node, Header(uri, kind, label), node.actor_uri)
    person = actors.by_id(session, viewer.person_id).uri if label == RED else ""
    word = vouched.vouch(mine, uri, made.public.kid) if person else None
    founded, plan = acting.found(uri, node.actor_uri, made.public.kid, person)
    key, secret = casesecrets.made(plan)
    rooms.say(session, node, uri, founded, key, public=made.public, vouch=word)
    holding.begin(session, node, viewer, room_id, made, [viewer.person_id])
    case_boxes.put(node, key.ck, made.public.kid, casesecrets.boxed(secret, made.public))
    room_chain.add(session, node, room_id, viewer, "room.found")
    return room_id


def invite(
    session: Session, node: Node, viewer: Viewer, room_id: str, organisation_uri: str, person: str = "", role: str = MEMBER, since: int = 0
) -> str:
    """Asks a partner inside, or one of its people by name; the invitation's id. `since` is the first epoch that they will read, 0 for the
    one that they come in with. Raises NoKey where they publish none to seal to, NotFound for who is no partner, Refused, Forbidden."""
    row, invited = _row_of(session, viewer, room_id), actors.by_uri(session, person or organisation_uri)
    ours = (OWN,) if person and organisation_uri == node.actor_uri else ()  # a colleague, in a room for people by name
    if invited is None or invited.known not in (PARTNER, *ours) or invited.kind != (PERSON if person else ORGANIZATION):
        raise NotFound
    if row.label == STRICT and role == GUEST:
        raise Refused(STRICT_ONLY)
    if row.label == RED and not person:
        raise Refused(NAMED_ONLY)
    key = people.current(session, invited.id) if person else partner_keys.key_of(session, node, invited.id)
    room, invitation = rooms.load(session, node, row.uri), outbox.new_uri(node)
    rooms.say(session, node, row.uri, acting.invite(room, invitation, organisation_uri, person, role, since, has_key=key is not None))
    room_chain.add(session, node, room_id, viewer, "room.invite", invited.id)
    return invitation


def take_back_invitation(session: Session, node: Node, viewer: Viewer, room_id: str, invitation: str) -> None:
    """Raises Answered where they have said yes or no already."""
    row = _row_of(session, viewer, room_id)
    rooms.say(session, node, row.uri, acting.withdraw(rooms.load(session, node, row.uri), invitation))
    room_chain.add(session, node, room_id, viewer, "room.withdraw")


def accept(
    session: Session,
    node: Node,
    viewer: Viewer,
    room_id: str,
    invitation: str,
    people_ids: Iterable[str],
    keys: Iterable[PersonPrivate] = (),
) -> None:
    """Our yes, with a fresh key that these people of ours open, and the keepers. Where the room is for named people, by the one whom it
    names, with their unlocked keys: they sign it. Raises NoInvitation, Answered, InsideAlready, Refused."""
    check_open(session, node)
    row = rooms.by_id(session, room_id)
    room, made = rooms.load(session, node, row.uri), boxes.generate()
    answer = acting.accept(room, invitation, made.public.kid)
    named = next(seat.invitation.person for seat in room.seats if seat.invitation.id == invitation)
    if named and named != actors.by_id(session, viewer.person_id).uri:
        raise Forbidden(N_("This invitation is for one person by name, who alone can answer it."))
    word = vouched.vouch(holding.in_use(session, viewer, list(keys)), row.uri, made.public.kid) if named else None
    room = rooms.say(session, node, row.uri, answer, public=made.public, vouch=word)
    holding.begin(session, node, viewer, room_id, made, [viewer.person_id] if named else people_ids)
    turn_if_changed(session, node, room_id, room)
    room_chain.add(session, node, room_id, viewer, "room.accept")


def decline(session: Session, node: Node, viewer: Viewer, room_id: str, invitation: str) -> None:
    """Our no. Raises NoInvitation, Answered."""
    uri = rooms.by_id(session, room_id).uri
    rooms.say(session, node, uri, acting.decline(rooms.load(session, node, uri), invitation))
    room_chain.add(session, node, room_id, viewer, "room.decline")


def remove(session: Session, node: Node, viewer: Viewer, room_id: str, organisation_uri: str, person: str = "") -> None:
    """Puts a member out: from here on it is handed nothing, and the key is turned with it."""
    row = _row_of(session, viewer, room_id)
    room = rooms.say(session, node, row.uri, acting.remove(rooms.load(session, node, row.uri), organisation_uri, person))
    if room.state == OPEN:  # frozen still: with what mends it
        turn(session, node, room_id)
    room_chain.add(session, node, room_id, viewer, "room.remove", person or organisation_uri)


def leave(session: Session, node: Node, viewer: Viewer, room_id: str) -> None:
    """Our organisation goes, or where the room is for named people whoever does it. The owner hands over first."""
    row = _row_of(session, viewer, room_id)
    person = actors.by_id(session, viewer.person_id).uri if row.label == RED else ""
    room = rooms.say(session, node, row.uri, acting.leave(rooms.load(session, node, row.uri), person))
    turn_if_changed(session, node, room_id, room)
    room_chain.add(session, node, room_id, viewer, "room.leave")


def grant(session: Session, node: Node, opened: Opened, organisation_uri: str, since: int, person: str = "") -> None:
    """Lets a member read from an earlier epoch on; whoever does it has opened the room, and hands the keys over at once."""
    rooms.say(session, node, opened.uri, acting.grant(opened.room, organisation_uri, since, person))
    turn(session, node, opened.room_id)
    _hand_out(session, node, opened)
    room_chain.add(session, node, opened.room_id, opened.viewer, "room.grant", person or organisation_uri)


def deputise(session: Session, node: Node, viewer: Viewer, room_id: str, deputies: tuple[str, ...]) -> None:
    """Names who may take the room over, with another member's word, where we stay away."""
    _row_of(session, viewer, room_id)
    turn(session, node, room_id, deputies=deputies)
    room_chain.add(session, node, room_id, viewer, "room.deputies")


def close(session: Session, node: Node, viewer: Viewer, room_id: str) -> None:
    """Nothing is added any more; it stays readable."""
    row = _row_of(session, viewer, room_id)
    rooms.say(session, node, row.uri, acting.close(rooms.load(session, node, row.uri)))
    room_chain.add(session, node, room_id, viewer, "room.close")


def purge(session: Session, node: Node, viewer: Viewer | None, room_id: str) -> None:
    """Ends the room for good, here at once and at everybody who was ever inside on our word; each confirms it. `viewer` is None where its
    time is over."""
    row = rooms.by_id(session, room_id) if viewer is None else _row_of(session, viewer, room_id)
    word = acting.close(rooms.load(session, node, row.uri), purged=True)
    rooms.say(session, node, row.uri, word)
    ask_for_receipts(session, node, room_id, row.uri, word)
    room_chain.add(session, node, room_id, viewer, "room.purge")
    ending.ours(session, node, room_id)


def ask_for_receipts(session: Session, node: Node, room_id: str, uri: str, word: Closed) -> None:
    """All who were told that a room of ours is to be gone are asked whether it is, and what they answer is kept."""
    query = sa.select(RoomFact.activity).where(RoomFact.room_id == room_id, RoomFact.kind == "closed", RoomFact.organisation == word.by)
    made = [activity for activity in session.scalars(query) if activity and activity.get("type") == "Delete"]
    whom = telling.told(session, room_id, word)
    if made:
        receipts.ask(session, node, str(made[0]["id"]), uri, [(one, one) for one in whom])


def is_confirmed(session: Session, node: Node, uri: str) -> bool:
    """Whether all who were asked have said that a room is gone with them."""
    return all(one.confirmed_at is not None for one in receipts.of(session, node.now(), [uri]).get(uri, []))


def turn(session: Session, node: Node, room_id: str, deputies: tuple[str, ...] | None = None, to: str = "") -> CaseKey:
    """The next case key of a room that we lead, with its boxes for all members."""
    uri = rooms.by_id(session, room_id).uri
    return issue(session, node, room_id, acting.turn(rooms.load(session, node, uri), deputies, to))


def issue(session: Session, node: Node, room_id: str, plan: CaseKey) -> CaseKey:
    """A case key of ours from its document (acting.turn, heal, take_over): made, boxed to every member, told."""
    key, secret = casesecrets.made(plan)
    rooms.say(session, node, plan.room, key)
    shut_out = {member.mk for member in _stopped(session, room_id, key)}
    to = member_keys.of(session, room_id, key.members)
    case_boxes.put_all(node, {(key.ck, kid): casesecrets.boxed(secret, to[kid].public) for kid in sorted(to.keys() - shut_out)})
    return key


def _stopped(session: Session, room_id: str, key: CaseKey) -> list[Member]:
    """The named people of a list to whom nothing is sealed now: their key has changed, and nobody has compared its words."""
    if not any(member.person for member in key.members):
        return []
    return vouched.stopped(session, key, {kid: one.vouch for kid, one in member_keys.of(session, room_id, key.members).items()})


def stopped(session: Session, node: Node, room_id: str) -> list[Member]:
    """The same of a room as it is."""
    head = rooms.by_row(session, node, room_id).head
    return _stopped(session, room_id, head) if head is not None else []


def turn_if_changed(session: Session, node: Node, room_id: str, room: Room) -> None:
    """What follows of itself where we lead a room and somebody has come, gone or changed their key."""
    if _is_to_turn(session, node, room_id, room):
        turn(session, node, room_id)


def _is_to_turn(session: Session, node: Node, room_id: str, room: Room) -> bool:
    return room.leads and room.state == OPEN and turning.changes(room) and member_boxes.can_be_opened(session, node, room_id)


def unassign(session: Session, node: Node, viewer: Viewer | None, room_id: str, person_id: str) -> None:
    """Somebody of ours is on a room no more: what opened it for them is destroyed, and our key for it made anew. Waits for nobody's key.
    `viewer` is None where their account has ended. Raises NotFound where they are not on it, or the viewer may not."""
    row = rooms.by_id(session, room_id)
    if viewer is not None and not (viewer.person_id == person_id or holding.may_assign(session, room_id, viewer)):
        raise NotFound
    if row.label == RED:
        raise Refused(holding.BY_NAME)
    if not holding.is_assigned(session, room_id, person_id):
        raise NotFound
    rekey(session, node, room_id, without=person_id)
    room_chain.add(session, node, room_id, viewer, "room.unassign", person_id)
    holding.end(session, node, room_id, person_id)


def rekey(session: Session, node: Node, room_id: str, without: str = "") -> None:
    """Another key of ours for a room, which those on it open, and the keepers of today; whoever leads the room turns the case key with
    that. Where we are not inside (any more) nothing changes."""
    row = rooms.by_id(session, room_id)
    room = rooms.load(session, node, row.uri)
    if room.state not in (OPEN, FROZEN) or room.head is None or row.label == RED:
        return
    made = boxes.generate()
    room = rooms.say(session, node, row.uri, acting.rekey(room, made.public.kid), public=made.public)
    on_it = [one.person_id for one in holding.assigned(session, room_id) if one.person_id != without]
    holding.hand(session, node, room_id, {made.public.kid: made}, [one for one in on_it if people.current(session, one) is not None])
    turn_if_changed(session, node, room_id, room)


def keep_turning(session: Session, node: Node) -> None:
    """A chore, a few rooms of one kind at a time: case keys that are due by age or number of messages; those that were left, because too
    many keys came; those that somebody holds to whom nothing is sealed any more."""
    for which in (_due, _left_to_turn, _read_by_stopped):
        if found := list(islice(which(session, node), AT_ONCE)):
            for room_id in found:
                turn(session, node, room_id)
            return


def _due(session: Session, node: Node) -> Iterator[str]:
    """Rooms that we lead; those that nobody here opens are left as they are, and keep none of the others waiting for long."""
    due = sa.or_(Row.turned_at <= node.now() - turning.AGE, Row.messages >= turning.MESSAGES)
    ours = sa.select(Row.id).where(Row.state == OPEN, Row.owner == node.actor_uri, due).order_by(sa.func.random()).limit(LOOKED_AT)
    return (room_id for room_id in session.scalars(ours).all() if member_boxes.can_be_opened(session, node, room_id))


def _left_to_turn(session: Session, node: Node) -> Iterator[str]:
    """Rooms that we lead in which a member has had another key since we have turned the case key, an hour ago or more: too many came."""
    fresh = sa.and_(RoomFact.room_id == Row.id, RoomFact.kind == "rekeyed", RoomFact.at > Row.turned_at)
    ours = sa.and_(Row.state == OPEN, Row.owner == node.actor_uri, Row.turned_at <= node.now() - HOUR)
    query = sa.select(Row.id).where(ours, sa.exists().where(fresh)).order_by(sa.func.random()).limit(LOOKED_AT)
    return (one for one in session.scalars(query).all() if _is_to_turn(session, node, one, rooms.by_row(session, node, one)))


def _read_by_stopped(session: Session, node: Node) -> Iterator[str]:
    """Rooms for named people that we lead, whose newest case key somebody holds to whom nothing is sealed any more. Only those are loaded
    in which somebody has no key in use, or not the one any more that has vouched for theirs here."""
    theirs = sa.and_(PersonKeyRow.person_id == Actor.id, PersonKeyRow.state == IN_USE)
    vouched_by = sa.and_(PersonKeyRow.person_id == Actor.id, PersonKeyRow.kid == MemberKey.signer)
    lacking = sa.or_(~sa.exists().where(theirs), ~sa.exists().where(vouched_by))
    ours = sa.select(Row.id).where(Row.state == OPEN, Row.owner == node.actor_uri, Row.label == RED)
    inside = sa.and_(RoomMember.room_id == Row.id, RoomMember.state == "in", RoomMember.person != "")
    ours = ours.join(RoomMember, inside).outerjoin(Actor, Actor.uri == RoomMember.person)
    ours = ours.outerjoin(MemberKey, MemberKey.kid == RoomMember.mk).where(lacking).group_by(Row.id)
    return (one for one in session.scalars(ours.order_by(sa.func.random()).limit(LOOKED_AT)).all() if still_reads(session, node, one))


def still_reads(session: Session, node: Node, room_id: str) -> list[Member]:
    """To whom nothing is sealed now, though they may hold the newest case key: as far as we see where we lead the room, else all of
    them."""
    row = rooms.by_id(session, room_id)
    found = stopped(session, node, room_id)
    if row.owner != node.actor_uri or not found:
        return found
    held = case_boxes.found(node, [row.ck], [one.mk for one in found])
    return [one for one in found if (row.ck, one.mk) in held]


def make_anew(session: Session, node: Node, most: int) -> bool:
    """Makes our keys anew for some open rooms for which the newest is older than the organisation's key of today, the oldest first:
    somebody who could open them may have gone. Whether there may be more."""
    found = _older(session, node, most)
    for room_id in found:
        rekey(session, node, room_id)
    return bool(found) and not set(found) & set(_older(session, node, most))  # a clock that was set back would have it made anew for ever


def _older(session: Session, node: Node, most: int) -> list[str]:
    me = actors.own(session, node)
    since = sa.select(OrganisationKey.at).where(OrganisationKey.organisation_id == me.id, OrganisationKey.state == CURRENT)
    ours = sa.select(MemberKey.room_id).join(Row, Row.id == MemberKey.room_id)
    ours = ours.where(MemberKey.organisation == me.uri, Row.state == OPEN, Row.label != RED).group_by(MemberKey.room_id)
    older = ours.having(sa.func.max(MemberKey.at) < since.scalar_subquery()).order_by(sa.func.max(MemberKey.at), MemberKey.room_id)
    return list(session.scalars(older.limit(most)))


def settle(session: Session, node: Node, opened: Opened, keys: list[PersonPrivate]) -> None:
    """What somebody's unlocked keys can do for the others, done whenever they open a room: its keys for colleagues who were readmitted,
    and the boxes that members lack, where we lead the room or one was asked of us."""
    holding.hand_again(session, node, opened, keys)
    shut_boxes.ask_again(session, node, opened)
    asked = any(task.kind == BOX_TO_MAKE and task.room_id == opened.room_id for task in keeper_tasks.waiting(session))
    if opened.room.state in (OPEN, CLOSED) and (opened.room.leads or asked):
        _hand_out(session, node, opened)
        if asked:
            keeper_tasks.over(session, node, BOX_TO_MAKE, opened.room_id)


def settle_as_keeper(session: Session, node: Node, viewer: Viewer, keys: list[PersonPrivate], room_id: str) -> None:
    """A keeper makes the boxes that members wait for, where nobody who is on the room is at work. Raises as `holding.open_as_keeper`."""
    opened = holding.open_as_keeper(session, node, viewer, keys, room_id)
    room_chain.add(session, node, room_id, viewer, "room.open_as_keeper")
    _hand_out(session, node, opened)
    keeper_tasks.over(session, node, BOX_TO_MAKE, room_id)


def _hand_out(session: Session, node: Node, opened: Opened) -> None:
    """Boxes of all case keys that this person opens, for all members' keys that may have them."""
    room = rooms.load(session, node, opened.uri)
    may = {key.ck: handing.all_entitled(room, key) for key in room.line.keys}
    keys = member_keys.of(session, opened.room_id, room.head.members if room.head else ())
    shut_out = {one.mk for one in _stopped(session, opened.room_id, room.head)} if room.head else set()
    wanted = {(ck, kid) for ck, kids in may.items() if ck in opened.secrets for kid in kids & keys.keys() - shut_out}
    lacking = sorted(wanted - case_boxes.found(node, may, keys).keys())
    case_boxes.put_all(node, {(ck, kid): casesecrets.boxed(opened.secrets[ck], keys[kid].public) for ck, kid in lacking})
    for _, kid in lacking:
        room_chain.add(session, node, opened.room_id, opened.viewer, "room.box_made", kid)


def _row_of(session: Session, viewer: Viewer, room_id: str) -> Any:
    """The row of a room that somebody is on who may act for us there: no guest. Raises NotFound."""
    if viewer.is_guest or not holding.is_assigned(session, room_id, viewer.person_id):
        raise NotFound
    return rooms.by_id(session, room_id)
