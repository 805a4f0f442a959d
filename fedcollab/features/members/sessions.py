"""Decides how long somebody stays signed in: 12 hours without use, 30 days at most; ended at once when the account is disabled."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import GUEST, Viewer, all_roles
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, HOUR, MINUTE
from fedcollab.base.crypto import new_token, stored
from fedcollab.base.model import aliased
from fedcollab.base.passwords import Tried
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.sealing import holding, keepers

from . import ending, factor, unlocking
from .devices import device
from .models import HalfLogin, LoginSession, Member, Notice

IDLE, ABSOLUTE, SEEN_EVERY = 12 * HOUR, 30 * DAY, 10 * MINUTE
HALF = 10 * MINUTE


@dataclass(frozen=True)
class SignedIn:
    """Who a session belongs to, and what their next page needs."""

    viewer: Viewer
    language: str
    time_zone: str
    new_password_due: bool
    factor_due: bool
    notices: list[str]
    seen_at: int
    asked_at: int | None


@dataclass(frozen=True)
class SessionData:
    """One signed-in browser, as its owner sees it."""

    token_hash: str
    created_at: int
    seen_at: int
    agent: str


def start_session(session: Session, node: Node, person_id: str, agent: str, *, given: bool = True) -> str:
    """A new session's token, for its cookie; of the browser's `agent` only its kind is kept. `given`: the person gave their password, and
    the second factor where one is on."""
    token, now = new_token(), node.now()
    row = dict(token_hash=stored(token), person_id=person_id, created_at=now, seen_at=now, agent=device(agent))
    row |= dict(asked_at=now if given else None)
    session.execute(sa.insert(LoginSession).values(row))
    return token


class OwesCode(str):
    """A token that is no session yet: its browser still owes the code of the second factor."""

    __slots__ = ()


def begin(session: Session, node: Node, person_id: str, agent: str, *, given: bool) -> str:
    """A session's token for somebody who gave a password (`given`) or used a link; with a second factor, one that owes its code."""
    if not factor.is_on(session, person_id):
        return start_session(session, node, person_id, agent, given=given)
    token = OwesCode(new_token())
    row = dict(token_hash=stored(token), person_id=person_id, expires_at=node.now() + HALF, given=given)
    session.execute(sa.insert(HalfLogin).values(row))
    return token


def sign_in(session: Session, node: Node, person_id: str, hashed: str, agent: str, tried: Tried | None = None) -> str:
    """As `begin`, for somebody whose password went with this hash, and with what it opens; empty where it was changed or the account
    disabled meanwhile."""
    if not still(session, person_id, hashed):
        return ""
    token = begin(session, node, person_id, agent, given=True)
    if tried is not None:
        unlocking.right(session, node, person_id, hashed, tried, token)
    return token


def still(session: Session, person_id: str, hashed: str) -> bool:
    """Whether this is the hash of the account's password yet, and the account is not disabled."""
    same = sa.and_(Member.person_id == person_id, Member.password_hash == hashed, Member.disabled_at.is_(None))
    return session.execute(sa.select(Member.person_id).where(same)).first() is not None


def owes_code(session: Session, node: Node, token: str) -> str:
    """The person whose code this browser owes; empty for none, or once its ten minutes are over."""
    good = sa.and_(HalfLogin.token_hash == stored(token), HalfLogin.expires_at > node.now(), Member.disabled_at.is_(None))
    query = sa.select(HalfLogin.person_id).join(Member, Member.person_id == HalfLogin.person_id).where(good)
    return session.execute(query).scalar_one_or_none() or ""


def finish(session: Session, node: Node, token: str, code: str, agent: str) -> str:
    """A session's token for the browser that gives the code which it owes; empty for another code. The code is used up with this."""
    person_id = owes_code(session, node, token)
    if not person_id or not factor.takes(session, node, person_id, code):
        return ""
    return whole(session, node, token, person_id, agent)


def whole(session: Session, node: Node, token: str, person_id: str, agent: str) -> str:
    """A session's token for a half login whose person has given the second factor too; the half one ends. Empty where it has ended."""
    ended = sa.delete(HalfLogin).where(HalfLogin.token_hash == stored(token), HalfLogin.expires_at > node.now())
    given = session.execute(ended.returning(HalfLogin.given)).scalar_one_or_none()
    if given is None:
        return ""
    made = start_session(session, node, person_id, agent, given=given)
    unlocking.move(session, node, token, made)
    return made


def given_again(session: Session, node: Node, person_id: str, token: str) -> bool:
    """Notes that the person has just given in this session all that they sign in with; whether the session is there still."""
    mine = sa.and_(LoginSession.token_hash == stored(token), LoginSession.person_id == person_id)
    noted = sa.update(LoginSession).where(mine).values(asked_at=node.now())
    return session.execute(noted.returning(LoginSession.token_hash)).first() is not None


def chosen(session: Session, token: str) -> None:
    """The password that was due after a one-time link has been chosen: all was given in this session since it began."""
    mine = sa.and_(LoginSession.token_hash == stored(token), LoginSession.asked_at.is_(None))
    session.execute(sa.update(LoginSession).where(mine).values(asked_at=LoginSession.created_at))


def signed_in(session: Session, node: Node, token: str) -> SignedIn | None:
    """Whose session this is, unless it ran out or the account is disabled."""
    now = node.now()
    values = {"token": stored(token), "used_after": now - IDLE, "created_after": now - ABSOLUTE}
    row = prepared(session, _signed_in_query(), values).one_or_none()
    if row is None:
        return None
    roles = all_roles(row.roles, keeper=row.keeper, inside=row.inside)
    viewer = Viewer("" if GUEST in roles else row.organisation_id, row.person_id, roles, row.name)
    due = not row.has_factor and factor.compelled(node, viewer.roles)
    notices = (row.notices or "").splitlines()
    return SignedIn(viewer, row.language, row.time_zone, row.new_password_due, due, notices, row.seen_at, row.asked_at)


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
    columns: list[Any] = [
        Member.person_id,
        Actor.organisation_id,
        Member.roles,
        Member.person_id.in_(keepers.named()).label("keeper"),
        Member.person_id.in_(holding.everybody()).label("inside"),
        Actor.name,
        Member.language,
        Member.time_zone,
        Member.new_password_due,
        factor.has_one().label("has_factor"),
        notices.label("notices"),
        LoginSession.seen_at,
        LoginSession.asked_at,
    ]
    query = sa.select(*columns)
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
    """The person has read for whom one-time links and tokens were made, and whose second factor was reset."""
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


def end(session: Session, node: Node, person_id: str, token_hash: str) -> None:
    """Ends one session of a person."""
    ending.end(session, node, LoginSession, LoginSession.person_id == person_id, LoginSession.token_hash == token_hash)


def credentials(session: Session, username: str) -> tuple[str, str]:
    """(person id, password hash) of an account that may sign in, empty for others; the hash is compared outside the transaction."""
    row = session.execute(
        sa.select(Member.person_id, Member.password_hash).where(Member.username == username, Member.disabled_at.is_(None))
    ).one_or_none()
    return (row.person_id, row.password_hash) if row else ("", "")
