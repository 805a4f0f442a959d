"""Decides who keeps the organisation's key: named by a keeper, or by an admin where nobody holds it; handed it by one who can open it;
removed, with each box of theirs and the key itself, by one act that waits for nothing."""

import contextlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import AuditEntry
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, Forbidden, N_, NotFound, Refused, Unavailable
from fedcollab.base.session import Session
from fedcollab.base.statements import part

from . import opening, organisation, people
from .boxes import Private
from .keeping_models import Keeper
from .pairs import PersonPublic
from .person_models import CURRENT, WAITING

NOT_YET = N_("%(name)s has no key yet. It is made when they sign in with their password; hand the organisation’s key to them after that.")


@dataclass(frozen=True)
class KeeperData:
    """A keeper as plain values: `holds` says that they can open the organisation's key today, `ready` that it could be handed to them,
    `waits` that their own key is a new one, whose words somebody has to compare first."""

    person_id: str
    name: str
    named_at: int
    since: int | None
    holds: bool
    ready: bool
    waits: bool


def listed(session: Session) -> list[KeeperData]:
    """All who were named, those named first before the others."""
    query = sa.select(Keeper.person_id, Actor.name, Keeper.named_at, Keeper.since).join(Actor, Actor.id == Keeper.person_id)
    holders = organisation.holders(session)
    rows = session.execute(query.order_by(Keeper.named_at, Keeper.person_id)).all()
    keys = {row.person_id: {key.state for key in people.listed(session, row.person_id)} for row in rows}
    return [KeeperData(*row, row.person_id in holders, CURRENT in keys[row.person_id], WAITING in keys[row.person_id]) for row in rows]


def is_named(session: Session, person_id: str) -> bool:
    """Whether somebody was named a keeper."""
    return session.execute(sa.select(Keeper.person_id).where(Keeper.person_id == person_id)).first() is not None


def named() -> sa.Select[Any]:
    """The person ids of all keepers, for a statement about people."""
    return sa.select(Keeper.person_id)


def may_name(session: Session, viewer: Viewer) -> bool:
    """Keepers name keepers; where nobody holds the organisation's key, an admin does."""
    holders = organisation.holders(session)
    return viewer.person_id in holders if holders else viewer.is_admin


def name(session: Session, node: Node, viewer: Viewer, person_id: str) -> None:
    """Names one of our people a keeper. That alone opens nothing: the key has to be handed to them. Raises Forbidden, NotFound,
    Conflict."""
    if not may_name(session, viewer):
        raise Forbidden(N_("Keepers are named by keepers who hold the organisation’s key."))
    mine = sa.select(Actor.id).where(Actor.id == person_id, actors.our_people())
    if session.execute(mine).first() is None:
        raise NotFound()
    if is_named(session, person_id):
        raise Conflict(N_("They are a keeper already."))
    row = dict(person_id=person_id, named_by_id=viewer.person_id or None, named_at=node.now())
    session.execute(sa.insert(Keeper).values(**row, kid="", since=None))
    audit.record(session, node.now(), viewer, "keeper.name", person_id)


def begin(session: Session, node: Node, viewer: Viewer) -> None:
    """The first keeper makes the organisation's key, boxed to their own. Raises Forbidden for others, Conflict where there is one,
    Refused before they have a key of their own."""
    if not is_named(session, viewer.person_id):
        raise Forbidden(N_("An admin has to name you a keeper first."))
    if opening.state(organisation.facts(session, node)) != opening.OFF:
        raise Conflict(N_("The organisation has a key already. Another keeper can hand it to you."))
    key = _key_of(session, viewer.person_id)
    _holds(session, node, viewer.person_id, key)
    organisation.turn(session, node)
    audit.record(session, node.now(), viewer, "keeper.begin", viewer.person_id)


def hand(session: Session, node: Node, viewer: Viewer, mine: Private, person_id: str, kid: str) -> None:
    """A keeper at work (`mine` is their unlocked key) hands another one all of the organisation's keys, to the key `kid` of theirs, whose
    words were compared: whoever had signed in before them by a one-time link would have made another one. Raises NotFound, Refused;
    Conflict where it is not the one in use."""
    if not is_named(session, person_id):
        raise NotFound()
    key = _key_of(session, person_id)
    if key.kid != kid:
        raise Conflict(N_("Their key is another one by now than the one whose words you compared. Compare them again."))
    organisation.hand(node, organisation.opened(session, node, mine), [key])
    _holds(session, node, person_id, key)
    audit.record(session, node.now(), viewer, "keeper.hand", person_id)


def remove(session: Session, node: Node, viewer: Viewer, person_id: str) -> None:
    """Somebody is a keeper no more, by another keeper's act, their own, or (who never held the key) an admin's. Raises Forbidden,
    NotFound; Refused for the last one who holds the key, for whom only the end of the account does it."""
    if not is_named(session, person_id):
        raise NotFound()
    holders = organisation.holders(session)
    if viewer.person_id not in {*holders, person_id} and not (viewer.is_admin and not holders):
        raise Forbidden(N_("Keepers are removed by keepers who hold the organisation’s key."))
    if list(holders) == [person_id]:
        raise Refused(N_("This is the last keeper who holds the key. Hand it to somebody else first."))
    leave(session, node, viewer, person_id)


def end(session: Session, node: Node, viewer: Viewer | None, person_id: str) -> None:
    """`leave` for an account that ends, which waits for nothing: where the key ring is busy, a minute's chore does it."""
    with contextlib.suppress(Unavailable), part(session):
        leave(session, node, viewer, person_id)


def end_left(session: Session, node: Node) -> None:
    """A chore: keepers whose account has ended while the key ring was busy."""
    ended = sa.select(Keeper.person_id).join(Actor, Actor.id == Keeper.person_id).where(Actor.disabled_at.is_not(None))
    for person_id in session.scalars(ended).all():
        leave(session, node, None, person_id)


def leave(session: Session, node: Node, viewer: Viewer | None, person_id: str) -> None:
    """Ends what somebody holds, at once, and turns the key that they held; for whoever is no keeper it changes nothing. Call it last in a
    unit, for what it destroys stays destroyed. The last holder's leaving leaves the sheets; before there are any, cases are off again."""
    kid = session.execute(sa.delete(Keeper).where(Keeper.person_id == person_id).returning(Keeper.kid)).scalar_one_or_none()
    if kid is None:
        return
    if kid:
        organisation.turn(session, node)
    audit.record(session, node.now(), viewer, "keeper.remove", person_id)
    if kid:
        organisation.take_away(session, node, kid)


def removed_since(session: Session, since: int) -> list[str]:
    """The person ids of those who were removed since and were not named again."""
    said = sa.select(AuditEntry.subject).where(AuditEntry.at >= since, AuditEntry.action == "keeper.remove").distinct()
    return sorted(set(session.scalars(said)) - set(session.scalars(named())))


def remove_again(session: Session, node: Node, person_id: str) -> None:
    """Removes a keeper who has come back with an older backup. Raises Refused where they have not."""
    if not is_named(session, person_id):
        raise Refused()
    leave(session, node, None, person_id)


def _holds(session: Session, node: Node, person_id: str, key: PersonPublic) -> None:
    session.execute(sa.update(Keeper).where(Keeper.person_id == person_id).values(kid=key.kid, since=node.now()))


def _key_of(session: Session, person_id: str) -> PersonPublic:
    key = people.current(session, person_id)
    if key is None:
        shown = session.execute(sa.select(Actor.name).where(Actor.id == person_id)).scalar_one()
        raise Refused(NOT_YET, name=shown)
    return key.public
