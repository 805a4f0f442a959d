"""Decides what an admin sees of one partner: its state and keys, the words for both nodes, who vouches, what it may take part in."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.models import NEXT, Actor
from fedcollab.actors.node import Node
from fedcollab.base.room import MEGABYTE
from fedcollab.base.session import Session
from fedcollab.federation import delivery, follows, lookalikes, no_room, offers, partners, vouching
from fedcollab.federation.models import Partner
from fedcollab.federation.offers import Offer
from fedcollab.federation.partners import PartnerData
from fedcollab.federation.vouching import Word
from fedcollab.federation.words import Spoken, spoken
from fedcollab.sealing import room_quotas


@dataclass(frozen=True)
class Look:
    """One partner as its page shows it. `keys` is the fingerprint of those that its words are made from: pinned, or, where its host shows
    others that nothing vouches for, these; `ours` is our own; `sealed` are the megabytes of its sealed messages and files that are here,
    `no_room` that more of them wait, `passed_on` the hosts whose messages wait with it, for no room is left for them."""

    partner: PartnerData
    ours: str
    keys: str
    coming: bool
    offer: Offer | None
    vouchers: list[Word]
    readable: str
    resembles: str
    waiting: int
    checked_by: str
    does_not_follow: bool
    sealed: int
    no_room: bool
    passed_on: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether its own host shows other keys than the pinned ones, which did not sign them."""
        return self.offer is not None and not self.offer.signed

    @property
    def vouched(self) -> bool:
        """Whether as many partners as it takes vouch for the keys that we have."""
        return len([word for word in self.vouchers if word.keys == self.keys]) >= vouching.ENOUGH

    def spoken(self) -> Spoken:
        """Its words; takes some 50 ms the first time."""
        return spoken(self.ours, self.keys)


def look(session: Session, node: Node, key: str) -> Look:
    """Raises NotFound."""
    partner = partners.find(session, key)
    offer = offers.waiting(session, partner.id)
    shown = offer.keys if offer is not None and not offer.signed else offers.pinned(session, partner)
    hosts = [node.host, *partners.known_hosts(session)]
    waits = no_room.waiting(session)
    return Look(
        partner=partner,
        ours=keys.fingerprint(keys.in_state(session, actors.own(session, node).id)),
        keys=shown,
        coming=bool(keys.in_state(session, partner.organisation_id, NEXT)),
        offer=offer,
        vouchers=vouching.words_for(session, [partner.host]).get(partner.host, []),
        readable=lookalikes.readable(partner.host),
        resembles=lookalikes.resembles(partner.host, lookalikes.looks_of(hosts)),
        waiting=delivery.counts(session).get(partner.id, {}).get("waiting", 0),
        checked_by=_checked_by(session, partner),
        does_not_follow=partner.id in follows.not_following(session),
        sealed=-(-room_quotas.used(session, partner.host) // MEGABYTE),
        no_room=any(one.author == partner.host for one in waits),
        passed_on=tuple(sorted({one.author for one in waits if one.host == partner.host != one.author})),
    )


def _checked_by(session: Session, partner: PartnerData) -> str:
    """Who said that the words match; empty for the command line."""
    who = sa.select(Actor.name).join(Partner, Partner.checked_by_id == Actor.id)
    return session.execute(who.where(Partner.id == partner.id)).scalar_one_or_none() or ""
