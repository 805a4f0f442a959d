"""Decides how partners vouch for each other towards third ones: whose word counts, for which keys, and how it is taken back."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, Actor
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import Conflict, N_, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting

from . import activitystreams as ap
from . import outbox
from .models import ADMITTED, Partner, Vouch
from .partners import PartnerData
from .registry import Handler, Verified

ORDER = "vouches"
ENOUGH = 2
MOST = 500  # by one partner
HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Word:
    """One admitted partner's word for an organisation; `keys` is the fingerprint that it vouched for."""

    name: str
    keys: str
    at: int


def words_for(session: Session, hosts: list[str]) -> dict[str, list[Word]]:
    """{host: who of our admitted partners vouches for the organisation there}, oldest first."""
    query = (
        sa.select(Vouch.about_host, Actor.name, Vouch.keys, Vouch.at)
        .join(Partner, sa.and_(Partner.organisation_id == Vouch.by_id, Partner.state == ADMITTED))
        .join(Actor, Actor.id == Vouch.by_id)
        .where(Vouch.about_host.in_(hosts))
    )
    found: dict[str, list[Word]] = {}
    for row in session.execute(query.order_by(Vouch.at, Vouch.by_id)):
        found.setdefault(row.about_host, []).append(Word(row.name, row.keys, row.at))
    return found


def vouch(session: Session, node: Node, viewer: Viewer | None, partner: PartnerData) -> None:
    """Tells all other partners that we know this one and its keys. Raises Conflict unless it is admitted and its words were compared."""
    if partner.state != ADMITTED or partner.checked_at is None:
        raise Conflict(N_("Compare the words with their admin first: whoever vouches says that these keys are theirs."))
    if not partner.vouched_keys:
        _say(session, node, partner)
        audit.record(session, node.now(), viewer, "partner.vouch", partner.host)


def unvouch(session: Session, node: Node, viewer: Viewer | None, partner: PartnerData) -> None:
    """Takes our word back, on record."""
    if take_back(session, node, partner):
        audit.record(session, node.now(), viewer, "partner.unvouch", partner.host)


def take_back(session: Session, node: Node, partner: PartnerData) -> bool:
    """Tells the others that we no longer vouch for a partner; whether we had."""
    if partner.vouched_keys:
        offer: dict[str, object] = {"type": "Offer", "actor": node.actor_uri, "object": _vouch(partner.uri, partner.vouched_keys)}
        _publish(session, node, "Undo", offer, _others(session, partner.id))
        session.execute(sa.update(Partner).where(Partner.id == partner.id).values(vouched_keys=""))
    return bool(partner.vouched_keys)


def renew(session: Session, node: Node, partner: PartnerData) -> None:
    """Vouches for a partner's present keys where we had vouched for earlier ones."""
    if partner.vouched_keys and partner.vouched_keys != _keys(session, partner.organisation_id):
        _say(session, node, partner)


def tell(session: Session, node: Node, newcomer: PartnerData) -> None:
    """Tells a partner admitted now for whom we vouch."""
    query = sa.select(Actor.uri, Partner.vouched_keys).join(Actor, Actor.id == Partner.organisation_id)
    for row in session.execute(query.where(Partner.vouched_keys != "", Partner.id != newcomer.id).order_by(Partner.id)).all():
        _publish(session, node, "Offer", _vouch(row.uri, row.vouched_keys), [newcomer.organisation_id])


def _say(session: Session, node: Node, partner: PartnerData) -> None:
    found = _keys(session, partner.organisation_id)
    session.execute(sa.update(Partner).where(Partner.id == partner.id).values(vouched_keys=found))
    _publish(session, node, "Offer", _vouch(partner.uri, found), _others(session, partner.id))


def _keys(session: Session, organisation_id: str) -> str:
    return keys.fingerprint(keys.in_state(session, organisation_id))


def _vouch(uri: str, found: str) -> dict[str, object]:
    return {"type": ap.VOUCH, "object": uri, ap.KEYS: found}


def _others(session: Session, partner_id: str) -> list[str]:
    return list(session.scalars(sa.select(Partner.organisation_id).where(Partner.state == ADMITTED, Partner.id != partner_id)))


def _publish(session: Session, node: Node, kind: str, obj: dict[str, object], to: list[str]) -> None:
    made = ap.activity(kind, outbox.new_uri(node), node.actor_uri, obj)
    outbox.publish(session, node, actors.own(session, node).id, made, to=to, order_key=ORDER)


def receive(session: Session, node: Node, received: Verified) -> None:
    """A partner vouches for an organisation: its word is kept and shown, and has no other effect."""
    about, found = _said(received.object), received.object.get(ap.KEYS)
    if received.actor.kind != ORGANIZATION or about == received.actor.uri or about == node.actor_uri:
        raise Refused(reason="an organisation vouches for another one")
    if not isinstance(found, str) or len(found) != 64 or not set(found) <= HEX:
        raise Refused(reason="no fingerprint of keys")
    others = sa.select(sa.func.count()).where(Vouch.by_id == received.actor.id, Vouch.about_uri != about)
    if session.execute(others).scalar_one() >= MOST:
        raise Refused(reason="vouches for more than 500 organisations")
    row = {"by_id": received.actor.id, "about_uri": about, "about_host": host_of(about), "keys": found, "at": node.now()}
    query = inserting(session.connection().dialect.name, Vouch).values(row)
    session.execute(query.on_conflict_do_update(index_elements=["by_id", "about_uri"], set_={"keys": found, "at": node.now()}))


def receive_undo(session: Session, _node: Node, received: Verified) -> None:
    """A partner takes its word back."""
    inner = received.object.get("object")
    if isinstance(inner, dict) and ap.VOUCH in ap.types(inner):
        session.execute(sa.delete(Vouch).where(Vouch.by_id == received.actor.id, Vouch.about_uri == _said(inner)))


def _said(word: dict[str, object]) -> str:
    """The organisation that a vouch is about. Raises BadRequest where it names none, or more than one."""
    return ap.one_ident(word, "object")


HANDLERS = (Handler("Offer", (ap.VOUCH,), receive), Handler("Undo", ("Offer",), receive_undo))
