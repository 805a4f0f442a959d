"""Decides what admins say about a partner's trust, each on record: words compared, keys accepted, pauses, vouching."""

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, N_
from fedcollab.base.session import Session
from fedcollab.federation import offers, other_keys, partners, queue, vouching
from fedcollab.federation.kernel import Kernel
from fedcollab.federation.models import ADMITTED, BLOCKED, SUSPENDED, Partner
from fedcollab.federation.partners import PartnerData


def check(session: Session, node: Node, viewer: Viewer | None, key: str, shown: str = "") -> None:
    """Both admins have read the same words. `shown` is the fingerprint of the keys that the words were made from.

    Raises Conflict where other keys are pinned by now, or the partner's host shows others, or it is blocked."""
    partner = partners.find(session, key)
    offer = offers.waiting(session, partner.id)
    if partner.state == BLOCKED or (offer is not None and not offer.signed) or (shown and shown != offers.pinned(session, partner)):
        raise Conflict(N_("Their keys are not those whose words you have compared. Look at the page again."))
    who = viewer.person_id or None if viewer else None
    session.execute(sa.update(Partner).where(Partner.id == partner.id).values(checked_at=node.now(), checked_by_id=who))
    audit.record(session, node.now(), viewer, "partner.checked", partner.host)


def accept_keys(session: Session, node: Node, viewer: Viewer | None, key: str, shown: str = "") -> None:
    """The admin's yes to a successor that a partner's present keys have signed."""
    offers.accept(session, node, viewer, partners.find(session, key), shown)


def recheck(session: Session, node: Node, viewer: Viewer | None, key: str, shown: str = "") -> None:
    """The words were compared with the keys that a partner's host shows now, which nothing else vouches for."""
    offers.recheck(session, node, viewer, partners.find(session, key), shown)


async def look(kernel: Kernel, key: str) -> None:
    """Fetches a partner's Organization again and compares its keys; for an admin who waits for them to be right."""
    partner = await kernel.database.read(partners.find, key)
    await other_keys.look_again(kernel, partner)


def pause(session: Session, node: Node, viewer: Viewer | None, key: str) -> None:
    """Sends a partner nothing for now; what it sends is heard. Raises Conflict unless it is admitted or suspended."""
    partner = _open(session, key)
    if partner.paused_at is None:
        queue.pause(session, node, on=True, partner_id=partner.id)
        audit.record(session, node.now(), viewer, "partner.pause", partner.host)


def resume(session: Session, node: Node, viewer: Viewer | None, key: str) -> None:
    """Sends again, beginning with what waited."""
    partner = _open(session, key)
    if partner.paused_at is not None:
        queue.pause(session, node, on=False, partner_id=partner.id)
        queue.now(session, node, partner_id=partner.id)
        audit.record(session, node.now(), viewer, "partner.resume", partner.host)


def _open(session: Session, key: str) -> PartnerData:
    partner = partners.find(session, key)
    if partner.state not in (ADMITTED, SUSPENDED):
        raise Conflict(N_("This is not possible in the partner's present state. Look at the list again."))
    return partner


def vouch(session: Session, node: Node, viewer: Viewer | None, key: str) -> None:
    """Vouches for a partner towards all others."""
    vouching.vouch(session, node, viewer, partners.find(session, key))


def unvouch(session: Session, node: Node, viewer: Viewer | None, key: str) -> None:
    """Takes that back."""
    vouching.unvouch(session, node, viewer, partners.find(session, key))
