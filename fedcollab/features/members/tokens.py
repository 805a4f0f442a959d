"""Decides who a member's own tool acts for and what it may do: tokens with scopes and an end, kept as hashes, dead with the account."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import MEMBER, Viewer, all_roles
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, MINUTE, new_id
from fedcollab.base.crypto import new_token, stored
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.markup import plain
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import profiles
from fedcollab.sealing import holding, keepers

from . import factor, service
from .models import ClientToken, Member

READ, WRITE = "read", "write"
SCOPES = (READ, WRITE)
DAYS, MOST_DAYS, MOST = 90, 365, 20
PREFIX = "fedcollab_"  # says to whoever finds one lying about what it is
SEEN_EVERY = 10 * MINUTE


@dataclass(frozen=True)
class TokenData:
    """A token as its owner and the command line see it: never its secret."""

    id: str
    username: str
    purpose: str
    scopes: list[str]
    created_at: int
    expires_at: int
    used_at: int | None


@dataclass(frozen=True)
class Bearer:
    """Whose tool asks, and what it may do. It has none of its owner's roles: administering takes a person. `owes` says that the owner has
    to choose a password or set up a second factor first."""

    id: str
    viewer: Viewer
    scopes: frozenset[str]
    owes: bool
    used_at: int | None


def create(session: Session, node: Node, viewer: Viewer | None, key: str, *, purpose: str, scopes: Iterable[str], days: int) -> str:
    """A new token of the member with this name or person id, to be shown once; one that somebody else makes for them, which could read
    and write as they do, is told to them and to all admins. Raises NotFound, Refused."""
    chosen, about, now = sorted(set(scopes)), plain(purpose, 100), node.now()
    person_id = _person(session, key)
    if not about:
        raise Refused(N_("Say what the token is for, so that you know it again."))
    if not chosen or set(chosen) - set(SCOPES):
        raise Refused(N_("Choose what the tool may do: read, write or both."))
    if not 1 <= days <= MOST_DAYS:
        raise Refused(N_("A token is good for 1 to %(most)s days."), most=MOST_DAYS)
    if len(listed(session, node, person_id)) >= MOST:
        raise Refused(N_("There are %(most)s tokens already. Revoke one that is not needed any more."), most=MOST)
    token = PREFIX + new_token()
    if "outbox" not in (profiles.stored_document(session, person_id) or {}):  # made before documents named one
        profiles.document(session, node, actors.by_id(session, person_id))
    row = dict(id=new_id(now), token_hash=stored(token), person_id=person_id, purpose=about, scopes=" ".join(chosen))
    session.execute(sa.insert(ClientToken).values(**row, created_at=now, expires_at=now + days * DAY))
    if viewer is None or viewer.person_id != person_id:
        service.tell(session, person_id, now)
    audit.record(session, now, viewer, "token.create", person_id)
    return token


def _person(session: Session, key: str) -> str:
    good = sa.and_(sa.or_(Member.username == key.lower(), Member.person_id == key), Member.disabled_at.is_(None))
    found = session.execute(sa.select(Member.person_id).where(good)).scalar_one_or_none()
    if found is None:
        raise NotFound(N_("There is no member of this name. See: fedcollab user list"))
    return str(found)


def listed(session: Session, node: Node, person_id: str = "") -> list[TokenData]:
    """The tokens that are good, of one person or of all, the newest first."""
    columns: list[Any] = [getattr(ClientToken, name) for name in ("id", "purpose", "scopes", "created_at", "expires_at", "used_at")]
    query = sa.select(*columns, Member.username).join(Member, Member.person_id == ClientToken.person_id)
    query = query.where(ClientToken.expires_at > node.now(), *([ClientToken.person_id == person_id] if person_id else []))
    rows = session.execute(query.order_by(ClientToken.id.desc())).all()
    return [TokenData(r.id, r.username, r.purpose, r.scopes.split(), r.created_at, r.expires_at, r.used_at) for r in rows]


def revoke(session: Session, node: Node, viewer: Viewer | None, token_id: str, person_id: str = "") -> None:
    """Ends a token with this commit; `person_id` says whose it has to be. Raises NotFound."""
    mine = sa.and_(ClientToken.id == token_id, *([ClientToken.person_id == person_id] if person_id else []))
    owner = session.execute(sa.delete(ClientToken).where(mine).returning(ClientToken.person_id)).scalar_one_or_none()
    if owner is None:
        raise NotFound(N_("There is no such token. See: fedcollab token list"))
    audit.record(session, node.now(), viewer, "token.revoke", owner)


def bearer(session: Session, node: Node, token: str) -> Bearer | None:
    """Who comes with this token; None once it has run out or was revoked, or the account has ended."""
    row = prepared(session, _bearer_query(), {"token": stored(token), "now": node.now()}).one_or_none()
    if row is None:
        return None
    roles = all_roles(row.roles, keeper=row.keeper, inside=row.inside)
    owes = row.new_password_due or (not row.has_factor and factor.compelled(node, roles))
    viewer = Viewer(row.organisation_id, row.person_id, frozenset({MEMBER}), row.name)
    return Bearer(row.id, viewer, frozenset(row.scopes.split()), owes, row.used_at)


@cache
def _bearer_query() -> sa.Select[Any]:
    keeper = Member.person_id.in_(keepers.named()).label("keeper")
    inside = Member.person_id.in_(holding.everybody()).label("inside")
    member: list[Any] = [Member.person_id, Member.roles, keeper, inside, Member.new_password_due]
    account: list[Any] = [*member, Actor.organisation_id, Actor.name, factor.has_one().label("has_factor")]
    query = sa.select(ClientToken.id, ClientToken.scopes, ClientToken.used_at, *account)
    return (
        query.join(Member, Member.person_id == ClientToken.person_id)
        .join(Actor, Actor.id == Member.person_id)
        .where(ClientToken.token_hash == sa.bindparam("token"), ClientToken.expires_at > sa.bindparam("now"), Member.disabled_at.is_(None))
    )


def touch(session: Session, node: Node, token_id: str) -> None:
    """Notes that a token is used; asked for every ten minutes at most."""
    session.execute(sa.update(ClientToken).where(ClientToken.id == token_id).values(used_at=node.now()))
