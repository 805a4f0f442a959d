"""Decides how a referral to an organisation without a node is answered: by a named person with a link and a code, who sees its preview and
nothing else; a no leaves nothing, a yes makes them a guest of what is handed over, and of that alone."""

from typing import Any

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, Gone, N_, NotFound
from fedcollab.base.session import Session
from fedcollab.features.cases.desk import Desk
from fedcollab.features.cases.sharing import Share
from fedcollab.features.guests import service as guests
from fedcollab.features.guests.service import GuestData
from fedcollab.features.referrals import outside, service
from fedcollab.features.referrals.preview import Preview
from fedcollab.features.referrals.states import ACCEPTED, IN_PROGRESS, RECIPIENT
from fedcollab.sealing import consents
from fedcollab.sealing.shut import Shut

AT_ONCE = 10  # that one unit of the chore ends
NOT_OPEN = N_("This referral is done, or its consent has ended: nothing of it is shared any more. End this guest.")


def of_link(session: Session, node: Node, token: str) -> tuple[GuestData, bool]:
    """Whom a link is for, and whether it is a referral's, which takes the code as well. Raises Gone."""
    guest = guests.invited(session, node, token)
    row = outside.found(session, guest.id)
    if row is not None and not outside.is_good(session, row):
        raise Gone(guests.USED)
    return guest, row is not None


def look(session: Session, node: Node, token: str, code: str, *, noted: bool) -> Preview | int:
    """What whoever has link and code sees before the answer, on record where it is `noted`; how many tries are left where it is not the
    code. Raises Gone."""
    guest, row = _waiting(session, node, token)
    left = outside.count(session, row)
    if left < 0:
        raise Gone(guests.USED)
    try:
        found = outside.preview(session, node, row, guests.preview(session, guest, token, guests.read_code(code)))
    except Shut:
        if not left:
            service.on_record(session, node, row, None, "referral.shut")
        return left
    outside.forget_tries(session, row)
    if noted:
        service.on_record(session, node, row, None, "referral.open")
    return found


def decline(session: Session, node: Node, token: str, reason: str) -> None:
    """Their no, by whoever has shown the code: the link is good for nothing, and nothing stays. Raises Gone, Answered, Refused."""
    _, row = _waiting(session, node, token)
    guests.declined(session, node, token)
    outside.decline(session, node, row, reason)


def accepted(session: Session, node: Node, guest: GuestData, person_id: str) -> None:
    """A guest has come, which is their yes where a referral has asked them. Raises Gone."""
    row = outside.found(session, guest.id)
    if row is None:
        return
    if not outside.is_good(session, row):
        raise Gone(guests.USED)
    outside.accept(session, node, Viewer(person_id=person_id), row)


def _waiting(session: Session, node: Node, token: str) -> tuple[GuestData, Any]:
    guest, is_referral = of_link(session, node, token)
    if not is_referral:
        raise NotFound
    return guest, outside.found(session, guest.id)


def take_back(session: Session, node: Node, viewer: Viewer, referral_id: str) -> None:
    """The sender takes a referral back, of whichever kind; a link is good for nothing from this moment, and nothing stays of who was
    asked. Raises what `service.take_back` raises."""
    guest = guests.find(session, referral_id)
    if guest is not None and guest.person_id is None:
        guests.ended(session, node, viewer, guest)
    service.take_back(session, node, viewer, referral_id)


def ended(session: Session, node: Node, viewer: Viewer | None, guest: GuestData) -> None:
    """An invitation has ended otherwise, by hand or with its room: so has the referral that it was for."""
    row = outside.found(session, guest.id)
    if row is not None and row.state == IN_PROGRESS:
        outside.lapse(session, node, viewer, row)


def end_unanswered(session: Session, node: Node) -> None:
    """A chore, a few at a time: what nobody has answered or taken back a month after its day is taken back by itself."""
    for row in outside.unanswered(session, node)[:AT_ONCE]:
        guest = guests.find(session, row.id)
        if guest is not None:
            guests.ended(session, node, None, guest)
        outside.lapse(session, node, None, row)


def finish(session: Session, node: Node, viewer: Viewer, outcome: str) -> None:
    """A guest says how it came out, let in or not: also that it could not be done. Raises NotFound, Answered, Refused."""
    guest = guests.of_person(session, viewer.person_id)
    row = outside.found(session, guest.id) if guest is not None else None
    if row is None:
        raise NotFound
    service.finished(session, node, viewer, row, RECIPIENT, outcome)


def handed(session: Session, desk: Desk, guest: GuestData) -> Share | None:
    """On which ground a referral has handed over what a guest is to read: it was recorded before they were asked, and is not asked for
    again. None where no referral has asked them. Raises Conflict where it is open no more."""
    row = outside.found(session, guest.id)
    if row is None:
        return None
    share = next((one.entry for one in desk.case.shares if one.entry and one.entry.to_name == guest.works_for), None)
    if share is None or row.state != ACCEPTED or not consents.all_hold(session, row.room):
        raise Conflict(NOT_OPEN)
    return share
