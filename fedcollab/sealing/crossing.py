"""Decides what "lock my access" does: before a border, or wherever a person can be made to type a password, they lock themselves out of all
that is sealed, by one act; only a keeper who has spoken with them undoes it."""

import contextlib
from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, N_, NotFound, Refused, Unavailable
from fedcollab.base.session import Session
from fedcollab.base.statements import put

from . import organisation, people, unlocked, wraps
from .keeping_models import Keeper
from .lessened import lessened
from .pairs import PersonPrivate
from .people import PersonKey
from .person_models import AccessLock


class LockedAway(Refused):
    """A person has locked their own access: neither password nor paper opens anything."""

    text = N_("You have locked your access. A keeper of your organisation reopens it, after speaking with you. Nothing is lost.")


class Away(NamedTuple):
    """Somebody who has locked their access, since when, and the key whose words a keeper compares with them; None where they have none in
    use: then a keeper lets their new key in first."""

    person_id: str
    uri: str
    name: str
    at: int
    key: PersonKey | None


def lock(session: Session, node: Node, viewer: Viewer) -> None:
    """Locks all that is sealed to whoever does it, in every browser, at once. A key ring that is busy holds nobody up: nothing opens from
    this commit on, and what lies in the ring goes with the next minute's chore."""
    if not is_locked(session, viewer.person_id):
        put(session, AccessLock, person_id=viewer.person_id, at=node.now())
        lessened(session)
        audit.record(session, node.now(), viewer, "key.lock_away", viewer.person_id)
    with contextlib.suppress(Unavailable), node.ring.begin() as ring:
        unlocked.lock_person(ring, viewer.person_id)


def is_locked(session: Session, person_id: str) -> bool:
    """Whether somebody has locked their access."""
    return session.execute(sa.select(AccessLock.at).where(AccessLock.person_id == person_id)).first() is not None


def check(session: Session, person_id: str) -> None:
    """Raises LockedAway for somebody who has."""
    if is_locked(session, person_id):
        raise LockedAway


def listed(session: Session) -> list[Away]:
    """Those who have, the longest first."""
    query = sa.select(Actor.id, Actor.uri, Actor.name, AccessLock.at).join(AccessLock, AccessLock.person_id == Actor.id)
    rows = session.execute(query.where(Actor.known == OWN, Actor.disabled_at.is_(None)).order_by(AccessLock.at, Actor.id)).all()
    return [Away(*row, people.current(session, row.id)) for row in rows]


def reopen(session: Session, node: Node, keeper: Viewer, keys: list[PersonPrivate], person_id: str, kid: str) -> None:
    """A keeper has spoken with the person and compared the words of the key `kid`: passwords open it again. Where the person is a keeper
    and the organisation's key was turned meanwhile, it has to be handed to them again. Raises NotFound where nothing is locked, Refused for
    oneself and for who does not hold the organisation's key, Conflict where the person has another key meanwhile."""
    found = next((one for one in listed(session) if one.person_id == person_id), None)
    if found is None:
        raise NotFound
    if keeper.person_id == person_id:
        raise Refused(N_("Somebody else has to compare the words with you: another keeper."))
    organisation.check_holds(session, keeper.person_id, keys)
    if found.key is None and people.listed(session, person_id):
        raise Refused(N_("They have a new key. Compare its words with them and confirm that first."))
    if (found.key.kid if found.key else "") != kid:
        raise Conflict(N_("This person has another key meanwhile. Compare its words."))
    session.execute(sa.delete(AccessLock).where(AccessLock.person_id == person_id))
    _hand_again(session, node, person_id, kid)
    audit.record(session, node.now(), keeper, "key.reopen", person_id)


def _hand_again(session: Session, node: Node, person_id: str, kid: str) -> None:
    public = organisation.current(session, node)
    with node.ring.look() as ring:
        holds = public is not None and wraps.wrap(ring, organisation.KEY + public.kid, kid) is not None
    if not holds:
        session.execute(sa.update(Keeper).where(Keeper.person_id == person_id).values(kid="", since=None))


def lock_left(session: Session, node: Node) -> None:
    """A chore: what was unlocked when the key ring was busy."""
    away = list(session.scalars(sa.select(AccessLock.person_id)))
    if away:
        with node.ring.begin() as ring:
            for person_id in away:
                unlocked.lock_person(ring, person_id)


def locked_since(session: Session, since: int) -> list[str]:
    """The people who have locked their access since and have it locked: an older backup must not give it back."""
    return list(session.scalars(sa.select(AccessLock.person_id).where(AccessLock.at >= since).order_by(AccessLock.at)))


def lock_again(session: Session, node: Node, person_id: str) -> None:
    """Locks an access that an older backup has given back. Raises Refused where it is locked, or nobody's of ours."""
    ours = sa.select(Actor.id).where(Actor.id == person_id, Actor.known == OWN, Actor.disabled_at.is_(None))
    if is_locked(session, person_id) or session.execute(ours).first() is None:
        raise Refused
    lock(session, node, Viewer(person_id=person_id))
