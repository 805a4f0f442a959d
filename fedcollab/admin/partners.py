"""Decides what adding, approving, suspending, blocking or removing a partner does across the house."""

import contextlib

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import Block
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import PARTNER, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import Conflict, N_, Refused
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups
from fedcollab.federation import catchup, fetch, follows, offers, partners, profiles, vouching
from fedcollab.federation.kernel import Kernel
from fedcollab.federation.models import ADMITTED, BLOCKED, LEFT, REFUSED, SUSPENDED, Partner
from fedcollab.federation.partners import PartnerData
from fedcollab.federation.profiles import Profile

from . import permissions

INTRODUCED = "introduced"  # in what backups say of organisations: one that is no partner
OTHER_KEYS = N_(
    "Their node shows other keys than those you know. Compare the words with their admin on the partner's page and say there that"
    " they match."
)


async def add(kernel: Kernel, viewer: Viewer | None, address: str, *, approve: bool = False) -> PartnerData:
    """Fetches an organisation by its actor's id or its node's base address and lists it as applied; `approve` admits it at once.
    A bare name of a host means https; on a trial node one of its loopback peers means http.

    Raises Unreachable, Refused or BadRequest, with nothing changed."""
    scheme = "http" if address in kernel.node.settings.loopback_peers else "https"
    profile = await fetch.organisation(kernel, address if "://" in address else f"{scheme}://{address}")
    if not await kernel.database.write(_same_keys, kernel.node, profile):
        raise Conflict(OTHER_KEYS)
    return await kernel.database.write(_list, kernel.node, viewer, profile, approve=approve)


def _same_keys(session: Session, node: Node, profile: Profile) -> bool:
    """Whether an organisation that is on the list shows the keys that we know; others wait for the word check."""
    there = partners.by_host(session, profile.host)
    return there is None or there.uri != profile.uri or offers.compare(session, node, there, profile)


def _list(session: Session, node: Node, viewer: Viewer | None, profile: Profile, *, approve: bool) -> PartnerData:
    partner, fresh = partners.add(session, node, profiles.remember(session, node, profile, known=PARTNER), permissions.ALL)
    with contextlib.suppress(Refused):  # its present keys are good, whatever it says of later ones
        offers.consider(session, node, partner, profile.document)
    moved = approve and _move(session, node, viewer, partner, ADMITTED)
    if fresh:
        audit.record(session, node.now(), viewer, "partner.add", partner.host)
    if moved:
        audit.record(session, node.now(), viewer, f"partner.{ADMITTED}", partner.host)
    return partners.find(session, partner.host)


def change(session: Session, node: Node, viewer: Viewer | None, key: str, state: str) -> None:
    """Moves a partner to a state, with all that follows: an admitted one is followed and inside our groups, any other is outside."""
    partner = partners.find(session, key)
    if _move(session, node, viewer, partner, state):
        audit.record(session, node.now(), viewer, f"partner.{state}", partner.host)


def _move(session: Session, node: Node, viewer: Viewer | None, partner: PartnerData, state: str) -> bool:
    """Whether it was anything new; the record comes after it."""
    if partner.state == state:
        return False
    organisation = actors.by_id(session, partner.organisation_id)
    if state in (BLOCKED, LEFT):
        partners.drop_waiting(session, node, partner)
        vouching.take_back(session, node, partner)
    if state == BLOCKED:
        partners.drop_received(session, partner)
    if state == LEFT:
        follows.unfollow(session, node, organisation)  # the last that it hears of us, queued while it is a partner
    partners.move(session, node, viewer, partner, state)
    if state == ADMITTED:
        permissions.admit(session, node, partner)
        follows.follow(session, node, organisation)
        profiles.know_first_hand(session, node, partner.organisation_id)
        if partner.state == SUSPENDED:
            catchup.want(session, node, partner_id=partner.id)  # what it has sent meanwhile was turned away here
        vouching.tell(session, node, partner)
    elif state in (BLOCKED, LEFT, REFUSED):
        permissions.expel(session, node, partner)
    return True


async def follow_group(kernel: Kernel, viewer: Viewer | None, uri: str) -> ActorData:
    """Follows a group of an admitted partner that runs other software, by the group's id. Raises Unreachable, Refused, BadRequest."""
    group = await fetch.actor(kernel, uri)
    await kernel.database.write(groups.follow, kernel.node, viewer, group)
    return group


def block(session: Session, node: Node, viewer: Viewer | None, key: str) -> None:
    """Hides an organisation's words here: a partner's, which is no longer talked with either, or an introduced one's."""
    found = partners.introduced(session, key)
    if found:
        partners.block_introduced(session, node, viewer, found[0])
    else:
        change(session, node, viewer, key, BLOCKED)


def unblock(session: Session, node: Node, viewer: Viewer | None, key: str) -> None:
    """Shows an organisation's words again; a partner that was blocked is then one that has left, to be approved anew or not."""
    found = partners.introduced(session, key)
    if found:
        partners.unblock_introduced(session, node, viewer, found[0])
    elif partners.find(session, key).state == BLOCKED:
        change(session, node, viewer, key, LEFT)


def ended_since(session: Session, since: int) -> list[str]:
    """What was decided since against a partner: `STATE HOST`; and against those whom a host introduces: `INTRODUCED ID`."""
    against = sa.and_(Partner.state.in_((SUSPENDED, BLOCKED, LEFT)), Partner.decided_at >= since)
    decided = [f"{row.state} {row.host}" for row in session.execute(sa.select(Partner.state, Partner.host).where(against))]
    hidden = sa.select(Actor.uri).join(Block, Block.organisation_id == Actor.id).where(Block.at >= since)
    return decided + [
        f"{INTRODUCED} {uri}" for uri in session.scalars(hidden.where(~sa.exists().where(Partner.organisation_id == Actor.id)))
    ]


def end_again(session: Session, node: Node, decided: str) -> None:
    """Decides once more against an organisation, as far as what an older backup says of it allows. Raises Refused where it is so
    already."""
    state, _, key = decided.partition(" ")
    if state == INTRODUCED:
        found = partners.introduced(session, key)
        if not found or found[0].blocked:
            raise Refused()
        partners.block_introduced(session, node, None, found[0])
        return
    if partners.find(session, key).state == state:
        raise Refused()
    change(session, node, None, key, state)


STATES = {"approve": ADMITTED, "suspend": SUSPENDED, "block": BLOCKED, "remove": LEFT, "refuse": REFUSED}
