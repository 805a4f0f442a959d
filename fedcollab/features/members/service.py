"""Decides how accounts come, change and end: invitations, passwords, one-time links, disabling in one action."""

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.viewer import ADMIN, GIVEN, GUEST, KEEPER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, MINUTE
from fedcollab.base.crypto import new_token, stored
from fedcollab.base.errors import Conflict, Gone, N_, NotFound, Refused
from fedcollab.base.i18n import LANGUAGES, time_zones
from fedcollab.base.markup import as_html, plain
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.federation import follows, profiles
from fedcollab.sealing import keepers, leaving, recovery

from . import ending, factor, unlocking
from .models import ClientToken, HalfLogin, Invitation, LoginLink, LoginSession, Member, Notice
from .sessions import ABSOLUTE, IDLE, begin, chosen, start_session

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
ROW_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INVITATION_USED = N_("This invitation was used already or is too old. Ask your admin for a new one.")
INVITATION, LINK = 7 * DAY, 15 * MINUTE
SHORTEST, LONGEST, LONGEST_SUMMARY = 12, 200, 2000


@dataclass(frozen=True)
class MemberData:
    """An account as plain values."""

    person_id: str
    username: str
    name: str
    summary: str
    roles: list[str]
    language: str
    time_zone: str
    disabled_at: int | None
    second_factor: bool
    keeper: bool
    works_for: str = ""

    @property
    def all_roles(self) -> list[str]:
        """The roles that admins gave, and whether they were named a keeper, which is no admin's to give."""
        return [*self.roles, KEEPER] if self.keeper else self.roles


def check_password(password: str, *names: str) -> None:
    """Raises Refused for a password of fewer than 12 or more than 200 characters, or one that is a name."""
    if len(password) < SHORTEST:
        raise Refused(N_("A password has at least %(least)s characters. Four words make a good one."), least=SHORTEST)
    if len(password) > LONGEST:
        raise Refused(N_("A password has at most %(most)s characters. Four words make a good one."), most=LONGEST)
    if password.lower() in {name.lower() for name in names} or len(set(password)) < 4:
        raise Refused(N_("This password is easy to guess. Four words make a good one."))


def check_username(session: Session, node: Node, username: str) -> None:
    """Raises Refused for other letters, Conflict where the name is taken: somebody's row id is theirs alone, for `find` takes both."""
    if not USERNAME.fullmatch(username):
        raise Refused(N_("The name to sign in with may have small letters a to z, digits, dots and hyphens, at most 40."))
    if ROW_ID.fullmatch(username) or actors.by_username(session, node, username):
        raise Conflict(N_("This name is taken. Choose another."))


def check_roles(roles: list[str]) -> None:
    """Raises Refused for no role, an unknown one, and the keeper's, which admins don't give."""
    if KEEPER in roles:
        raise Refused(N_("Keepers are named by keepers, on the page Keepers."))
    if not roles or set(roles) - set(GIVEN):
        raise Refused(N_("Choose at least one of the roles listed."))


def add_member(
    session: Session,
    node: Node,
    viewer: Viewer | None,
    *,
    username: str,
    name: str,
    roles: list[str],
    password_hash: str = "",
    language: str = "",
) -> MemberData:
    """A new account with its Person actor and signed document. Raises Refused, Conflict."""
    check_roles(roles)
    person_id = _add(session, node, username, name, roles, password_hash, language)
    follows.tell_people(session, node)
    audit.record(session, node.now(), viewer, "member.add", person_id)
    return find(session, username)


def add_guest(
    session: Session, node: Node, viewer: Viewer | None, *, username: str, name: str, works_for: str, password_hash: str, language: str
) -> MemberData:
    """The account of somebody of an organisation without a node (`works_for`), who is a guest and never more; partners are told nothing.
    Raises Refused, Conflict."""
    person_id = _add(session, node, username, name, [GUEST], password_hash, language, works_for)
    audit.record(session, node.now(), viewer, "member.guest", person_id)
    return find(session, username)


def _add(
    session: Session, node: Node, username: str, name: str, roles: list[str], password_hash: str, language: str, works_for: str = ""
) -> str:
    check_username(session, node, username)
    person = actors.create_own(session, node, PERSON, username=username, name=plain(name, 100) or username, works_for=works_for)
    profiles.document(session, node, person)
    row = dict(person_id=person.id, username=username, password_hash=password_hash, roles=sorted(set(roles)), language=language)
    session.execute(sa.insert(Member).values(**row, created_at=node.now()))
    return person.id


def find(session: Session, key: str) -> MemberData:
    """A member by the name to sign in with, whatever its capitals, or by person id. Raises NotFound."""
    row = session.execute(_query().where(sa.or_(Member.username == key.lower(), Member.person_id == key))).one_or_none()
    if row is None:
        raise NotFound(N_("There is no member of this name. See: fedcollab user list"))
    return MemberData(*row)


def listed(session: Session) -> list[MemberData]:
    """All members by name, disabled ones last."""
    return [MemberData(*row) for row in session.execute(_query().order_by(Member.disabled_at.is_not(None), Actor.name, Actor.id))]


def _query() -> sa.Select[Any]:
    columns: tuple[Any, ...] = (
        Member.person_id,
        Member.username,
        Actor.name,
        Actor.summary,
        Member.roles,
        Member.language,
        Member.time_zone,
        Member.disabled_at,
        factor.has_one(),
        Member.person_id.in_(keepers.named()),
        Actor.works_for,
    )
    return sa.select(*columns).join(Actor, Actor.id == Member.person_id)


def invite(session: Session, node: Node, viewer: Viewer | None, roles: list[str]) -> str:
    """A token that makes one account with these roles, within 7 days. Raises Refused."""
    check_roles(roles)
    token, now = new_token(), node.now()
    by_id = viewer.person_id or None if viewer else None
    session.execute(
        sa.insert(Invitation).values(
            token_hash=stored(token), roles=sorted(set(roles)), by_id=by_id, created_at=now, expires_at=now + INVITATION
        )
    )
    audit.record(session, now, viewer, "member.invite", ",".join(sorted(roles)))
    return token


def invitation(session: Session, node: Node, token: str) -> list[str]:
    """The roles that an invitation gives. Raises Gone once it is used or too old."""
    return _roles(session, sa.select(Invitation.roles).where(_good(node, token)))


def _good(node: Node, token: str) -> sa.ColumnElement[bool]:
    return sa.and_(Invitation.token_hash == stored(token), Invitation.used_at.is_(None), Invitation.expires_at > node.now())


def _roles(session: Session, query: sa.Executable) -> list[str]:
    roles = session.execute(query).scalar_one_or_none()
    if roles is None:
        raise Gone(INVITATION_USED)
    return list(roles)


def join(
    session: Session,
    node: Node,
    token: str,
    *,
    username: str,
    name: str,
    password_hash: str,
    language: str,
    agent: str,
    unlock_key: bytes = b"",
) -> str:
    """Uses an invitation up and answers a session's token; refused, the invitation stays good. `unlock_key` comes of the password."""
    used = sa.update(Invitation).where(_good(node, token)).values(used_at=node.now())
    roles = _roles(session, used.returning(Invitation.roles))
    made = add_member(session, node, None, username=username, name=name, roles=roles, password_hash=password_hash, language=language)
    started = start_session(session, node, made.person_id, agent)
    if unlock_key:
        unlocking.first(session, node, made.person_id, started, unlock_key)
    return started


def make_link(session: Session, node: Node, viewer: Viewer | None, person_id: str) -> str:
    """A one-time link's token: ends the person's sessions, tells the person and all admins, is on record, opens nothing sealed."""
    person = find(session, person_id)
    if person.disabled_at is not None:
        raise Refused(N_("This account is disabled, so no link can be made for it."))
    token, now = new_token(), node.now()
    _shut_out(session, node, person.person_id)
    by_id = viewer.person_id or None if viewer else None
    session.execute(sa.insert(LoginLink).values(token_hash=stored(token), person_id=person.person_id, by_id=by_id, expires_at=now + LINK))
    tell(session, person.person_id, now)
    audit.record(session, now, viewer, "member.link", person.person_id)
    return token


def _shut_out(session: Session, node: Node, person_id: str) -> None:
    """Ends whatever somebody could be signed in by at this moment: sessions with what they have unlocked, browsers that owe a code, links,
    their tools' tokens."""
    for model in ending.SIGN_INS:
        ending.end(session, node, model, model.person_id == person_id)
    for other in (LoginLink, ClientToken):
        session.execute(sa.delete(other).where(other.person_id == person_id))


def tell(session: Session, about_id: str, now: int) -> None:
    """The person and all admins see on their pages that somebody else opened this account another way."""
    told = {m.person_id for m in admins(session)} | {about_id}
    session.execute(sa.delete(Notice).where(Notice.about_id == about_id))
    session.execute(sa.insert(Notice), [dict(person_id=one, about_id=about_id, at=now) for one in sorted(told)])


def reset_factor(session: Session, node: Node, viewer: Viewer | None, person_id: str) -> None:
    """Takes somebody's second factor away, for a phone that is lost with all recovery codes: ends the person's sessions, tells the
    person and all admins, is on record; their password is asked for as before. Raises Refused where there is none."""
    person = find(session, person_id)
    if not person.second_factor or person.disabled_at is not None:
        raise Refused(N_("There is no second factor to reset."))
    _shut_out(session, node, person.person_id)
    factor.forget(session, person.person_id)
    tell(session, person.person_id, node.now())
    audit.record(session, node.now(), viewer, "member.factor_reset", person.person_id)


def use_link(session: Session, node: Node, token: str, agent: str) -> str:
    """Signs the link's person in, once (with a second factor, as far as its code); a new password is due. Raises Gone."""
    good = sa.and_(LoginLink.token_hash == stored(token), LoginLink.used_at.is_(None), LoginLink.expires_at > node.now())
    person_id = session.execute(
        sa.update(LoginLink).where(good).values(used_at=node.now()).returning(LoginLink.person_id)
    ).scalar_one_or_none()
    if person_id is None:
        raise Gone(N_("This link was used already or is older than 15 minutes. Ask your admin for a new one."))
    session.execute(sa.update(Member).where(Member.person_id == person_id).values(new_password_due=True))
    audit.record(session, node.now(), Viewer(person_id=person_id), "member.link_used", person_id)
    return begin(session, node, person_id, agent, given=False)


def forget_ended(session: Session, node: Node) -> None:
    """Sessions, links, invitations and tokens that have run out are deleted; who still holds one is told the same as before."""
    now = node.now()
    ending.end(session, node, LoginSession, sa.or_(LoginSession.seen_at <= now - IDLE, LoginSession.created_at <= now - ABSOLUTE))
    session.execute(sa.delete(LoginLink).where(LoginLink.expires_at <= now))
    session.execute(sa.delete(Invitation).where(Invitation.expires_at <= now))
    ending.end(session, node, HalfLogin, HalfLogin.expires_at <= now)
    session.execute(sa.delete(ClientToken).where(ClientToken.expires_at <= now))


def end_all(session: Session, _node: Node, _made_at: int) -> None:
    """Ends every session, link, invitation and token: in a node that comes out of a backup some live that were ended since."""
    for model in (LoginSession, HalfLogin, LoginLink, Invitation, ClientToken):
        session.execute(sa.delete(model))


def disable(session: Session, node: Node, viewer: Viewer | None, person_id: str) -> None:
    """Ends an account in one action: its sessions, links, tokens and keys are dead with this commit, and what its sealing key opened is
    destroyed; the organisation's key, where they kept it, is turned. Raises Refused for the last admin."""
    person, now = find(session, person_id), node.now()
    _keep_an_admin(session, person)
    recovery.withdraw(session, node, person.person_id)
    session.execute(sa.update(Member).where(Member.person_id == person.person_id).values(disabled_at=now, password_hash=""))
    session.execute(sa.update(Actor).where(Actor.id == person.person_id).values(disabled_at=now))
    node.named(session, person.person_id)
    _shut_out(session, node, person.person_id)
    session.execute(sa.delete(Notice).where(Notice.person_id == person.person_id))  # nobody will read them
    factor.forget(session, person.person_id)
    follows.tell_people(session, node)
    ending.end_keys(session, node, person.person_id)
    audit.record(session, now, viewer, "member.disable", person.person_id)
    keepers.end(session, node, viewer, person.person_id)
    leaving.end(session, node, viewer, person.person_id)


def disabled_since(session: Session, since: int) -> list[str]:
    """The accounts that were ended since."""
    return list(session.scalars(sa.select(Member.person_id).where(Member.disabled_at >= since).order_by(Member.disabled_at)))


def disable_again(session: Session, node: Node, person_id: str) -> None:
    """Ends an account that has come back with an older backup. Raises Refused where it has ended, or is the last admin's."""
    if find(session, person_id).disabled_at is not None:
        raise Refused()
    disable(session, node, None, person_id)


def admins(session: Session) -> list[MemberData]:
    """The admins whose accounts are not disabled."""
    return [m for m in listed(session) if ADMIN in m.roles and m.disabled_at is None]


def _keep_an_admin(session: Session, person: MemberData) -> None:
    if [m.person_id for m in admins(session)] == [person.person_id]:
        raise Refused(N_("This is the last admin. Make somebody else an admin first."))


def set_roles(session: Session, node: Node, viewer: Viewer | None, person_id: str, roles: list[str]) -> None:
    """Gives a member other roles, from their next page on. Raises Refused for none, an unknown one, the last admin's, and for a guest's:
    whoever becomes a member joins as one, under another account."""
    person = find(session, person_id)
    check_roles(roles)
    if person.works_for:
        raise Refused(N_("A guest stays a guest. Somebody who has become a member of ours is invited as one, and gets another account."))
    if ADMIN not in roles:
        _keep_an_admin(session, person)
    session.execute(sa.update(Member).where(Member.person_id == person.person_id).values(roles=sorted(set(roles))))
    audit.record(session, node.now(), viewer, "member.roles", person.person_id)


def set_profile(session: Session, node: Node, viewer: Viewer, *, name: str, summary: str, language: str, time_zone: str) -> None:
    """Changes an own profile; partners are told. Raises Refused."""
    shown = plain(name, 100)
    if not shown:
        raise Refused(N_("Write the name that others see."))
    if language not in ("", *LANGUAGES):
        raise Refused(N_("Choose one of the languages listed."))
    if time_zone and time_zone not in time_zones():
        raise Refused(N_("Choose one of the time zones listed."))
    session.execute(sa.update(Actor).where(Actor.id == viewer.person_id).values(name=shown, summary=as_html(summary[:LONGEST_SUMMARY])))
    node.named(session, viewer.person_id)
    session.execute(sa.update(Member).where(Member.person_id == viewer.person_id).values(language=language, time_zone=time_zone))
    follows.tell_profile(session, node, actors.by_id(session, viewer.person_id))


def set_password(
    session: Session, node: Node, person_id: str, password_hash: str, keep_token: str = "", said: unlocking.Said | None = None
) -> None:
    """Sets a password; all other sessions of the person end, the tokens of their tools, and what waits for a code after the old one:
    whoever knew the old password may have made any of them. `said` is what their keys are put under it by. Raises Refused for a recovery
    code that does not open them."""
    session.execute(sa.update(Member).where(Member.person_id == person_id).values(password_hash=password_hash, new_password_due=False))
    factor.end_others(session, node, person_id, keep_token)
    if said is not None:
        if said.reset:
            chosen(session, keep_token)
        unlocking.changed(session, node, person_id, keep_token, said)
    session.execute(sa.delete(ClientToken).where(ClientToken.person_id == person_id))
    audit.record(session, node.now(), Viewer(person_id=person_id), "member.password", person_id)


@dataclass(frozen=True)
class PersonData:
    """A person as others see them. `known` says how their key is known; `through` names the host that introduced them."""

    name: str
    summary: str
    known: str
    host: str
    organisation: str
    through: str | None
    disabled_at: int | None
    username: str
    works_for: str


def person(session: Session, person_id: str) -> PersonData:
    """One of ours or of another organisation, unless that one is blocked. Raises NotFound."""
    organisation, through = aliased(Actor), aliased(Actor)
    shown = (Actor.name, Actor.summary, Actor.known, Actor.host, organisation.name, through.name, Actor.disabled_at, Actor.username)
    columns = (*shown, Actor.works_for)
    query = (
        sa.select(*columns)
        .join(organisation, organisation.id == Actor.organisation_id)
        .outerjoin(through, through.id == Actor.through_id)
        .where(Actor.id == person_id, Actor.kind == PERSON, policy.not_blocked(Actor.organisation_id))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    return PersonData(*row)
