"""Decides who is inside a library: ours is for the partners that take part, and a second one for us alone; a partner's is for us."""

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import CLEAR, GREEN, STRICT, Audience, AudienceMember
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.federation import outbox, partners

from .models import Catalogue, CountryNote, Resource

FEATURE = "library"  # what a partner is allowed to take part in, or not
LABELS = (CLEAR, GREEN, STRICT)  # under which a record can stand today


def ours(session: Session, node: Node, label: str) -> str:
    """The audience of our own records under a label: that of the library, which goes to partners, or of what is for us alone. Raises
    Refused for a label that this node cannot keep today."""
    kept, me = STRICT if policy.check_label(label) == STRICT else GREEN, actors.own(session, node).id
    there = _find(session, me, kept)
    if there:
        return there
    made = policy.open_audience(session, now=node.now(), label=kept, owner_id=me, group_id=me, history=True)
    for organisation_id in partners.taking_part(session, FEATURE) if kept == GREEN else ():
        policy.admit(session, made, organisation_id, since=node.now())
    return made


def of(session: Session, node: Node, organisation_id: str) -> str:
    """The audience of a partner's library: the partner itself, and we."""
    there = _find(session, organisation_id, GREEN)
    if there:
        return there
    owner = dict(owner_id=organisation_id, group_id=organisation_id)
    made = policy.open_audience(session, now=node.now(), label=GREEN, history=True, **owner)
    policy.admit(session, made, actors.own(session, node).id, since=0)
    return made


def _find(session: Session, organisation_id: str, label: str) -> str:
    own = sa.and_(Audience.group_id == organisation_id, Audience.owner_id == organisation_id, Audience.label == label)
    return session.scalar(sa.select(Audience.id).where(own)) or ""


def inside(session: Session, node: Node) -> list[tuple[str, str]]:
    """(id, name) of the organisations that our library is for, we among them."""
    me = actors.own(session, node).id
    there = _find(session, me, GREEN)
    listed = sa.select(AudienceMember.organisation_id).where(AudienceMember.audience_id == there)
    ids = session.scalars(listed).all() if there else [me, *partners.taking_part(session, FEATURE)]
    rows = session.execute(sa.select(Actor.uri, Actor.name).where(Actor.id.in_(ids)).order_by(Actor.name))
    return [(row.uri, row.name) for row in rows]


def followers(session: Session, node: Node) -> list[str]:
    """The organisations that our library goes to: inside, and following us."""
    me = actors.own(session, node).id
    return outbox.followers(session, ours(session, node, GREEN), me, me)


def admit_partner(session: Session, node: Node, organisation_id: str) -> None:
    """A partner admitted now is inside our library, and is sent all of it once it follows us."""
    policy.admit(session, ours(session, node, GREEN), organisation_id, since=node.now())
    if organisation_id in followers(session, node):
        begin_catalogue(session, node, organisation_id)


def expel_partner(session: Session, node: Node, organisation_id: str) -> None:
    """A partner no longer admitted, or no longer allowed to take part, is outside of our library at once; what waits for it of that is
    never sent."""
    policy.expel(session, ours(session, node, GREEN), organisation_id)
    session.execute(sa.delete(Catalogue).where(Catalogue.organisation_id == organisation_id))
    me = actors.own(session, node).id
    mine = sa.select(Resource.uri).where(Resource.organisation_id == me)
    notes = sa.select(CountryNote.uri).where(CountryNote.organisation_id == me)
    outbox.drop(session, node, organisation_id, mine.union(notes).subquery().select())


def begin_catalogue(session: Session, node: Node, organisation_id: str) -> None:
    """From now on a partner is sent our whole catalogue, a part a minute."""
    session.execute(sa.delete(Catalogue).where(Catalogue.organisation_id == organisation_id))
    session.execute(sa.insert(Catalogue).values(organisation_id=organisation_id, after="", begun_at=node.now()))
