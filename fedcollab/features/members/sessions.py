"""Decides how long somebody stays signed in: 12 hours without use, 30 days at most; ended at once when the account is disabled."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, HOUR, MINUTE
from fedcollab.base.crypto import new_token, stored
from fedcollab.base.database import prepared

from .devices import device
from .models import LoginSession, Member, Notice

IDLE, ABSOLUTE, SEEN_EVERY = 12 * HOUR, 30 * DAY, 10 * MINUTE


@dataclass(frozen=True)
class SignedIn:
    """Who a session belongs to, and what their next page needs."""

    viewer: Viewer
    language: str
    time_zone: str
    new_password_due: bool
    notices: list[str]
    seen_at: int


@dataclass(frozen=True)
class SessionData:
    """One signed-in browser, as its owner sees it."""

    token_hash: str
    created_at: int
    seen_at: int
    agent: str


def start_session(session: Session, node: Node, person_id: str, agent: str) -> str:
    """A new session's token, for its cookie; of the browser's `agent` only its kind is kept."""
    token, now = new_token(), node.now()
    row = dict(token_hash=stored(token), person_id=person_id, created_at=now, seen_at=now, agent=device(agent))
    session.execute(sa.insert(LoginSession).values(row))
    return token


def sign_in(session: Session, node: Node, person_id: str, hashed: str, agent: str) -> str:
    """A session's token for somebody whose password went with this hash; empty where it was changed or the account disabled meanwhile."""
    same = sa.and_(Member.person_id == person_id, Member.password_hash == hashed, Member.disabled_at.is_(None))
    return start_session(session, node, person_id, agent) if session.execute(sa.select(Member.person_id).where(same)).first() else ""


def signed_in(session: Session, node: Node, token: str) -> SignedIn | None:
    """Whose session this is, unless it ran out or the account is disabled."""
    now = node.now()
    values = {"token": stored(token), "used_after": now - IDLE, "created_after": now - ABSOLUTE}
    row = prepared(session, _signed_in_query(), values).one_or_none()
    if row is None:
        return None
    viewer = Viewer(row.organisation_id, row.person_id, frozenset(row.roles), row.name)
    return SignedIn(viewer, row.language, row.time_zone, row.new_password_due, (row.notices or "").splitlines(), row.seen_at)


@cache
def _signed_in_query() -> sa.Select[Any]:
    """Built once: it runs with every page."""
    about = aliased(Actor)
    notices = (
        sa.select(sa.func.aggregate_strings(about.name, "\n"))
        .join(Notice, Notice.about_id == about.id)
        .where(Notice.person_id == Member.person_id)
        .scalar_subquery()
    )
    query = sa.select(
        Member.person_id,
        Actor.organisation_id,
        Member.roles,
        Actor.name,
        Member.language,
        Member.time_zone,
        Member.new_password_due,
        notices.label("notices"),
        LoginSession.seen_at,
    )
    return (
        query.join(LoginSession, LoginSession.person_id == Member.person_id)
        .join(Actor, Actor.id == Member.person_id)
        .where(LoginSession.token_hash == sa.bindparam("token"), Member.disabled_at.is_(None))
        .where(LoginSession.seen_at > sa.bindparam("used_after"), LoginSession.created_at > sa.bindparam("created_after"))
    )


def touch(session: Session, node: Node, token: str) -> None:
    """Notes that a session is used; asked for every ten minutes at most."""
    session.execute(sa.update(LoginSession).where(LoginSession.token_hash == stored(token)).values(seen_at=node.now()))


def forget_notices(session: Session, person_id: str) -> None:
    """The person has read for whom one-time links were made."""
    session.execute(sa.delete(Notice).where(Notice.person_id == person_id))


def listed(session: Session, person_id: str) -> list[SessionData]:
    """A person's sessions, the latest used first."""
    query = sa.select(LoginSession.token_hash, LoginSession.created_at, LoginSession.seen_at, LoginSession.agent).where(
        LoginSession.person_id == person_id
    )
    return [
        SessionData(row.token_hash, row.created_at, row.seen_at, row.agent)
        for row in session.execute(query.order_by(LoginSession.seen_at.desc()))
    ]


def end(session: Session, person_id: str, token_hash: str) -> None:
    """Ends one session of a person."""
    session.execute(sa.delete(LoginSession).where(LoginSession.person_id == person_id, LoginSession.token_hash == token_hash))


def credentials(session: Session, username: str) -> tuple[str, str]:
    """(person id, password hash) of an account that may sign in, empty for others; the hash is compared outside the transaction."""
    row = session.execute(
        sa.select(Member.person_id, Member.password_hash).where(Member.username == username, Member.disabled_at.is_(None))
    ).one_or_none()
    return (row.person_id, row.password_hash) if row else ("", "")
