"""Decides how guests come onto their case and go: an account by their invitation, let in once words are compared, ended with all that is
theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fedcollab.access.viewer import GUEST, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import Conflict, Gone, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.features.cases import desk, membership, needs, permission
from fedcollab.features.cases.desk import Desk, Keys
from fedcollab.features.cases.sharing import Share
from fedcollab.features.cases.visiting import GuestIn
from fedcollab.features.guests import service
from fedcollab.features.guests.service import ENDED, JOINED, GuestData
from fedcollab.features.members import factor, sessions, unlocking
from fedcollab.features.members import service as members
from fedcollab.features.referrals import outside
from fedcollab.federation import beside
from fedcollab.federation.words import Spoken
from fedcollab.sealing import consents, holding, people, room_chain, words
from fedcollab.sealing.made_ready import Moved, Write

from . import referred

AT_ONCE, EVERY = 10, 60.0  # guests whom one unit ends; seconds until it is looked for again, where no consent has ended
NO_KEY = N_("They have no key yet. It is made when they sign in with their password.")
NO_FACTOR = N_("They have not set up their second factor yet. Without it nobody is let in.")
ANOTHER = N_("Their key is another one by now than the one whose words you compared. Compare them again.")
CHOOSE_TYPE = N_("Choose what their organisation is.")
NOT_SAID = N_("Say that you have heard them read all the words, and that they are the same.")


@dataclass(frozen=True, repr=False)
class Account:
    """What a guest chooses when they come: `unlock` comes of the password."""

    username: str
    hashed: str
    unlock: bytes
    language: str
    agent: str


def join(session: Session, node: Node, token: str, chosen: Account) -> str:
    """Uses an invitation up: an account, a key, and a session's token. Refused, the invitation stays good. Raises Gone, Refused."""
    guest = service.invited(session, node, token)
    account = dict(username=chosen.username, password_hash=chosen.hashed, language=chosen.language)
    made = members.add_guest(session, node, None, name=guest.name, works_for=guest.works_for, **account)
    service.joined(session, node, guest, made.person_id)
    referred.accepted(session, node, guest, made.person_id)
    started = sessions.start_session(session, node, made.person_id, chosen.agent)
    unlocking.first(session, node, made.person_id, started, chosen.unlock)
    return started


@dataclass(frozen=True, repr=False)
class Ready:
    """A guest who has come: the words of their key, and what is lacking yet before they can be let in (a message id, or nothing)."""

    kid: str
    words: Spoken | None
    lacks: str


def ready(session: Session, node: Node, guest: GuestData) -> Ready:
    """How far a guest is who has an account."""
    key = people.current(session, guest.person_id) if guest.person_id else None
    if guest.person_id is None or key is None:
        return Ready("", None, NO_KEY)
    owes = factor.compelled(node, frozenset({GUEST})) and not factor.is_on(session, guest.person_id)
    return Ready(key.kid, words.of_one(actors.by_id(session, guest.person_id).uri, key.public), NO_FACTOR if owes else "")


def let_in(
    session: Session, node: Node, at: Desk, keys: Keys, guest_id: str, share: Callable[[Desk, GuestData], Share], kid: str, shown: str
) -> Write:
    """Lets a guest read the case, by somebody on it who has compared the words of the key `kid`: what is shared with that, and on which
    ground, is recorded first (P2), and everybody on the case is told. Raises Wrong, NotFound, Refused; Conflict where the access list is
    another than the page has `shown`, or the key, or they are in already."""
    service.check_case(session, at.viewer, at.id)
    guest = service.on_case(session, at.id, guest_id)
    if guest.person_id is None or guest.state(node.now()) != JOINED:
        raise Conflict(N_("Look at the list of guests again: this one cannot be let in now."))
    stands = ready(session, node, guest)
    if stands.lacks:
        raise Refused(stands.lacks)
    if stands.kid != kid:
        raise Conflict(ANOTHER)
    if shown != membership.seen(at):
        raise Conflict(membership.CHANGED)
    handed, person_id = referred.handed(session, at, guest), guest.person_id
    made, first = handed or share(at, guest), list[desk.Said]()
    if handed is None:
        permission.check(made, at.case)
        first = [desk.saying(session, node, at, made)]
    after = first[-1].after if first else at
    told = desk.saying(session, node, after, _told(node.now(), actors.by_id(session, person_id).uri, guest, made))

    def write(session: Session) -> None:
        if service.on_case(session, at.id, guest_id) != guest or ready(session, node, guest) != stands:
            raise Moved
        if handed is not None:
            referred.handed(session, at, guest)  # its consent stands in another case, and may have ended since
        for said in first:
            desk.add(session, node, said)
        holding.assign(session, node, at.viewer, keys, at.id, person_id, guest=True)
        needs.give(session, node, at.viewer, at.id, person_id, made.parts)
        desk.add(session, node, told)
        room_chain.add(session, node, at.id, at.viewer, "case.share", person_id)
        service.let_in(session, node, at.viewer, guest)

    return write


def _told(now: int, uri: str, guest: GuestData, said: Share) -> GuestIn:
    """What everybody on the case is told."""
    return GuestIn(at=now, person=uri, name=guest.name, works_for=guest.works_for, type=guest.type, parts=said.parts, until=guest.until)


def end(session: Session, node: Node, viewer: Viewer | None, guest: GuestData) -> None:
    """A guest is one no more: their account, sessions and keys die with this commit, the case gets a new key (P28); an invitation is good
    for nothing. `viewer` is None where the case, their time or their account was over."""
    service.ended(session, node, viewer, guest)
    if guest.person_id is None:
        referred.ended(session, node, viewer, guest)
        return
    needs.forget(session, guest.room_id, guest.person_id)
    if members.find(session, guest.person_id).disabled_at is None:
        members.disable(session, node, viewer, guest.person_id)


def end_by_hand(session: Session, node: Node, viewer: Viewer, case_id: str, guest_id: str) -> None:
    """The same by one of ours on the case, whatever its state. Raises NotFound, Gone."""
    if viewer.is_guest or not holding.is_assigned(session, case_id, viewer.person_id):
        raise NotFound
    guest = service.on_case(session, case_id, guest_id)
    if guest.state(node.now()) == ENDED:
        raise Gone(N_("This guest has ended already."))
    end(session, node, viewer, guest)


def end_due(session: Session, node: Node) -> bool:
    """The next few guests whose case or time is over, or what they read was given on a consent that has ended; whether there may be
    more."""
    over = service.over(session, node)
    asked = [service.find(session, row.id) for row in outside.unconsented(session)]
    mine = {guest.id for guest in over}
    over += [guest for guest in asked if guest is not None and guest.ended_at is None and guest.id not in mine]
    for guest in over[:AT_ONCE]:
        end(session, node, None, guest)
    return len(over) > AT_ONCE


run = beside.in_units(EVERY, end_due, "guests could not be ended", consents.GUESTS)


def listed(session: Session, node: Node, case_id: str) -> dict[str, Any]:
    """What the page of a case's guests shows: those of ours, and today."""
    return {"guests": service.of_case(session, case_id), "today": iso(node.now())[:10]}
