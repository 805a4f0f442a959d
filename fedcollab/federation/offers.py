"""Decides when a partner's Organization is believed with other keys: signed by the pinned ones and an admin's yes, or the words again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.keys import Keys, PublicKey
from fedcollab.actors.models import CURRENT, NEXT, ORGANIZATION, OWN, PARTNER, Actor, ActorKey
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, HOUR, parse_iso
from fedcollab.base.database import wake
from fedcollab.base.errors import Conflict, N_, NotFound, Refused
from fedcollab.base.session import Session

from . import activitystreams as ap
from . import outbox, partners, profiles, vouching
from .follows import ORDER
from .models import ADMITTED, REFUSED, SUSPENDED, InboxItem, KeyOffer, Partner, is_open
from .partners import FOR_KEYS, PartnerData
from .profiles import Profile
from .registry import Handler, Verified

LONGEST_GRACE = 90 * DAY


@dataclass(frozen=True)
class Offer:
    """Other keys of a partner that wait for an admin, as KeyOffer keeps them."""

    signed: bool
    keys: str
    document: dict[str, Any]
    until: int | None
    at: int


def waiting(session: Session, partner_id: str) -> Offer | None:
    columns: tuple[Any, ...] = (KeyOffer.signed, KeyOffer.keys, KeyOffer.document, KeyOffer.until, KeyOffer.at)
    row = session.execute(sa.select(*columns).where(KeyOffer.partner_id == partner_id)).one_or_none()
    return Offer(*row) if row else None


def signed(session: Session) -> set[str]:
    """The partners whose new keys, signed by the old ones, wait for an admin's yes."""
    query = sa.select(KeyOffer.partner_id).join(Partner, Partner.id == KeyOffer.partner_id)
    return set(session.scalars(query.where(KeyOffer.signed.is_(True), Partner.state.in_((ADMITTED, SUSPENDED)))))


def attention(session: Session, _viewer: Viewer | None = None) -> int:
    """How many partners show other keys than the known ones, signed or not, and wait for an admin."""
    query = sa.select(sa.func.count()).select_from(KeyOffer).join(Partner, Partner.id == KeyOffer.partner_id)
    return session.execute(query.where(Partner.state.in_((ADMITTED, SUSPENDED)))).scalar_one()


def pinned(session: Session, partner: PartnerData) -> str:
    """The fingerprint of the keys that we believe a partner's Organization with; without its successor's."""
    return keys.fingerprint(keys.in_state(session, partner.organisation_id))


def receive(session: Session, node: Node, received: Verified) -> None:
    """A partner's Organization renews its document. A successor in it waits for an admin's yes; it has to be signed by a pinned key."""
    me = received.actor
    if me.kind != ORGANIZATION or ap.ident(received.object) != me.uri or "proof" not in received.object:
        return
    partner = partners.by_host(session, me.host)
    if partner is not None and partner.organisation_id == me.id:
        profiles.renew(session, node, me, received.object)
        consider(session, node, partner, received.object)


def consider(session: Session, node: Node, partner: PartnerData, document: dict[str, Any]) -> None:
    """Keeps the successor that an Organization's document names for the admin to decide on. Raises Refused for one that no pinned key has
    signed, or without an end of the old ones within 90 days."""
    coming, believed = profiles.successors(document), actors.keys_of(session, partner.organisation_id)
    if not coming or set(coming) <= set(believed):
        return
    profiles.check_proof(profiles.parse(document, expected=partner.uri), believed)
    until = parse_iso(document.get(ap.UNTIL)) or 0
    if not node.now() < until <= node.now() + LONGEST_GRACE + DAY:
        raise Refused(reason="a successor without an end of the old keys within 90 days")
    _offer(session, node, partner, Offer(True, keys.fingerprint(coming), document, until, node.now()))


def _offer(session: Session, node: Node, partner: PartnerData, offer: Offer) -> None:
    """Keeps the newest offer, on record once."""
    there = waiting(session, partner.id)
    if there is not None and (there.keys, there.signed) == (offer.keys, offer.signed):
        return
    session.execute(sa.delete(KeyOffer).where(KeyOffer.partner_id == partner.id))
    session.execute(sa.insert(KeyOffer).values(partner_id=partner.id, **vars(offer)))
    if offer.signed:
        audit.record(session, node.now(), None, "partner.keys_offered", partner.host)
    else:
        audit.record(session, node.now(), None, "partner.keys_differ", partner.host)


def accept(session: Session, node: Node, viewer: Viewer | None, partner: PartnerData, shown: str = "") -> None:
    """The admin's yes to a successor that the pinned keys signed: believed beside them until the first request that it signs, at the
    latest until the stated end. `shown` is the fingerprint that the admin saw. Raises NotFound, Conflict."""
    offer = _chosen(session, partner, shown, signed=True)
    coming = profiles.parse(offer.document).keys if offer.until is None else profiles.successors(offer.document)
    _check_free(session, partner.organisation_id, coming)
    keys.pin(session, node, partner.organisation_id, coming, NEXT)
    if offer.until is None:  # its own host shows them already; what its older document says counts no more
        keys.turn(session, partner.organisation_id)
        profiles.remember(session, node, profiles.parse(offer.document, expected=partner.uri), known=PARTNER)
    elif offer.until <= node.now():
        keys.turn(session, partner.organisation_id)
    else:
        old = sa.update(ActorKey).where(ActorKey.actor_id == partner.organisation_id, ActorKey.state == CURRENT)
        session.execute(old.values(until=offer.until))
    _done(session, node, partner, offer)
    said = {"type": "Update", "actor": partner.uri, "object": partner.uri, ap.KEYS: offer.keys}
    answer = ap.activity("Accept", outbox.new_uri(node), node.actor_uri, said)
    outbox.publish(session, node, actors.own(session, node).id, answer, to=[partner.organisation_id], order_key=ORDER)
    audit.record(session, node.now(), viewer, "partner.keys_accepted", partner.host)


def recheck(session: Session, node: Node, viewer: Viewer | None, partner: PartnerData, shown: str = "") -> None:
    """Both admins have read the words with the new keys: these are believed in the place of the old ones, and a partner that was
    suspended for them is admitted again, with all that waited. Raises NotFound, Conflict."""
    offer = _chosen(session, partner, shown, signed=False)
    fresh = profiles.parse(offer.document, expected=partner.uri)
    _check_free(session, partner.organisation_id, fresh.keys)
    keys.pin(session, node, partner.organisation_id, fresh.keys, NEXT)
    keys.turn(session, partner.organisation_id)
    profiles.remember(session, node, fresh, known=PARTNER)
    _done(session, node, partner, offer)
    checked = sa.update(Partner).where(Partner.id == partner.id)
    session.execute(checked.values(checked_at=node.now(), checked_by_id=viewer.person_id or None if viewer else None))
    if partner.suspended_for == FOR_KEYS:
        session.execute(checked.values(suspended_for=""))
        partners.move(session, node, viewer, partners.find(session, partner.id), ADMITTED)
    audit.record(session, node.now(), viewer, "partner.rechecked", partner.host)


def _chosen(session: Session, partner: PartnerData, shown: str, *, signed: bool) -> Offer:
    offer = waiting(session, partner.id)
    if offer is None or offer.signed != signed:
        raise NotFound(N_("No other keys of this partner wait for a decision."))
    if shown and shown != offer.keys:
        raise Conflict(N_("Other keys wait now than those that you looked at. Look at the page again."))
    return offer


def _check_free(session: Session, organisation_id: str, coming: Keys) -> None:
    """A key's id names one key for good: a new key under an old id would be mistaken for the old one."""
    query = sa.select(ActorKey.uri, ActorKey.kind, ActorKey.public).where(ActorKey.uri.in_(list(coming)))
    for row in session.execute(query):
        if coming[row.uri] != (row.kind, row.public):
            _retire_id(session, organisation_id, row.uri)


def _retire_id(session: Session, organisation_id: str, uri: str) -> None:
    session.execute(sa.delete(ActorKey).where(ActorKey.actor_id == organisation_id, ActorKey.uri == uri))


def _done(session: Session, node: Node, partner: PartnerData, offer: Offer) -> None:
    session.execute(sa.delete(KeyOffer).where(KeyOffer.partner_id == partner.id))
    _ask_again(session, node, partner, offer)
    vouching.renew(session, node, partners.find(session, partner.id))


def _ask_again(session: Session, node: Node, partner: PartnerData, offer: Offer) -> None:
    """What of a partner's stream was not believed while its keys were in doubt is believed from now on: it is asked for from there on, for
    people and groups sign their requests by keys of their own, and came in with documents that we could not check."""
    mine, since = sa.update(Partner).where(Partner.id == partner.id), offer.at - DAY  # it takes a while until other keys are noticed
    refused = sa.delete(InboxItem).where(InboxItem.host == partner.host, is_open(InboxItem, REFUSED), InboxItem.received_at > since)
    numbered = refused.where(InboxItem.seq.is_not(None)).returning(InboxItem.epoch, InboxItem.seq)
    places = [(row.epoch or 0, row.seq or 0) for row in session.execute(numbered)]
    if places:
        epoch, first = min(places)
        session.execute(mine.where(Partner.heard_epoch == epoch, Partner.heard_seq >= first).values(heard_seq=first - 1))
        session.execute(mine.values(resync_at=node.now(), resync_tries=0))
    session.execute(mine.where(Partner.resync_at.is_not(None)).values(resync_at=node.now()))
    wake(session, "catchup")


def first_use(session: Session, node: Node, key: PublicKey) -> None:
    """A successor has signed a request for the first time: from now on its predecessor is refused."""
    if keys.in_state(session, key.actor_id, NEXT):
        _turn(session, node, [key.actor_id])


def end_old(session: Session, node: Node) -> None:
    """Ends partners' keys whose stated end has come; a chore."""
    ended = sa.select(ActorKey.actor_id).join(Actor, Actor.id == ActorKey.actor_id).where(Actor.known != OWN)
    due = session.scalars(ended.where(ActorKey.state == CURRENT, ActorKey.until <= node.now()).distinct()).all()
    if due:
        _turn(session, node, due)


def _turn(session: Session, node: Node, organisations: Sequence[str]) -> None:
    turned = [partners.find(session, actors.by_id(session, actor_id).uri) for actor_id in organisations if keys.turn(session, actor_id)]
    for partner in turned:
        vouching.renew(session, node, partner)
    for partner in turned:
        audit.record(session, node.now(), None, "partner.keys_changed", partner.host)


def note_old(session: Session, node: Node, key: PublicKey) -> None:
    """An old key was used to sign: on record once an hour. Call it for a signature that is truly by it, or strangers fill the record."""
    long_ago = sa.or_(ActorKey.refused_at.is_(None), ActorKey.refused_at < node.now() - HOUR)
    mine = sa.update(ActorKey).where(ActorKey.uri == key.uri, long_ago)
    if session.execute(mine.values(refused_at=node.now()).returning(ActorKey.id)).first() is not None:
        audit.record(session, node.now(), None, "partner.old_key", key.uri.partition("#")[0])


def compare(session: Session, node: Node, partner: PartnerData, seen: Profile) -> bool:
    """What a partner's own host shows, fetched by ourselves, beside what is pinned; whether it is the same. Keys that the pinned ones had
    signed wait for an admin; others suspend an admitted partner until the words have been compared."""
    partner = partners.find(session, partner.id)  # as it is now: while its host took its time to answer it may have been blocked
    believed = actors.keys_of(session, partner.organisation_id)
    if seen.uri != partner.uri or (seen.keys and seen.keys.items() <= believed.items()):
        return True
    signed = profiles.succeeds(seen, keys.in_state(session, partner.organisation_id))
    suspends = not signed and partner.state == ADMITTED
    if suspends:
        partners.move(session, node, None, partner, SUSPENDED)
        session.execute(sa.update(Partner).where(Partner.id == partner.id).values(suspended_for=FOR_KEYS))
    _offer(session, node, partner, Offer(signed, keys.fingerprint(seen.keys), seen.document, None, node.now()))
    if suspends:
        audit.record(session, node.now(), None, f"partner.{SUSPENDED}", partner.host)
    return False


HANDLERS = (Handler("Update", (ORGANIZATION,), receive),)
