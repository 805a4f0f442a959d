"""Decides how passkeys come and go as a second factor, and which answer of one counts: once, for its own person, counting on."""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import MINUTE, new_id
from fedcollab.base.crypto import stored
from fedcollab.base.errors import Conflict, N_, NotFound, Refused
from fedcollab.base.markup import plain
from fedcollab.base.session import Session

from . import factor, service, sessions
from .ceremony import NOT_IT, Made
from .models import HalfLogin, LoginSession, Passkey

SignIn = type[LoginSession] | type[HalfLogin]
GOOD_FOR = 5 * MINUTE
MOST, LONGEST_NAME = 10, 60
BACKWARDS = N_(
    "This passkey counts backwards, as a copy of it would. It was refused, and the admins were told. Use a code, then remove the passkey."
)


@dataclass(frozen=True)
class PasskeyData:
    """A passkey as its owner sees it."""

    id: str
    name: str
    created_at: int
    used_at: int | None


@dataclass(frozen=True)
class Known:
    """What an answer is held against."""

    id: str
    public_key: bytes = field(repr=False)


def challenge(session: Session, node: Node, model: SignIn, token: str) -> bytes:
    """What a passkey is to answer in this browser, signed in whole or half, within five minutes; one asked before counts no more. Raises
    Refused where the browser is not signed in any more."""
    made = os.urandom(32)
    values = dict(challenge=urlsafe_b64encode(made).decode(), challenge_ends_at=node.now() + GOOD_FOR)
    asked = sa.update(model).where(model.token_hash == stored(token)).values(values).returning(model.token_hash)
    if session.execute(asked).first() is None:
        raise Refused(NOT_IT)
    return made


def take_challenge(session: Session, node: Node, model: SignIn, token: str) -> bytes:
    """What was asked in this browser, which counts no more with that, whatever the answer is worth; empty for nothing, or too long ago."""
    mine = sa.and_(model.token_hash == stored(token), model.challenge_ends_at > node.now(), model.challenge != "")
    asked = session.scalars(sa.select(model.challenge).where(mine)).first()
    if asked is None:
        return b""
    taken = sa.update(model).where(mine, model.challenge == asked).values(challenge="", challenge_ends_at=0)
    return urlsafe_b64decode(asked) if session.execute(taken.returning(model.token_hash)).first() is not None else b""


def listed(session: Session, person_id: str) -> list[PasskeyData]:
    """A person's passkeys, the oldest first."""
    columns = (Passkey.id, Passkey.name, Passkey.created_at, Passkey.used_at)
    rows = session.execute(sa.select(*columns).where(Passkey.person_id == person_id).order_by(Passkey.created_at, Passkey.id))
    return [PasskeyData(*row) for row in rows]


def credentials(session: Session, person_id: str) -> list[str]:
    """What the devices call a person's passkeys."""
    return list(session.scalars(sa.select(Passkey.credential).where(Passkey.person_id == person_id).order_by(Passkey.created_at)))


def known(session: Session, person_id: str, credential: str) -> Known | None:
    """This person's passkey of that name; None for everybody else's, and for one that was removed."""
    query = sa.select(Passkey.id, Passkey.public_key).where(Passkey.person_id == person_id, Passkey.credential == credential)
    row = session.execute(query).one_or_none()
    return Known(row.id, row.public_key) if row else None


def add(session: Session, node: Node, viewer: Viewer, name: str, made: Made, keep_token: str) -> list[str]:
    """Keeps a new passkey; all other sessions end. Answers recovery codes, to be shown once, where the person had no second factor before.
    Raises Refused, Conflict."""
    called, first = _name(name), not factor.is_on(session, viewer.person_id)
    if len(listed(session, viewer.person_id)) >= MOST:
        raise Refused(N_("There are %(most)s passkeys already. Remove one that is not needed any more."), most=MOST)
    if session.scalars(sa.select(Passkey.id).where(Passkey.credential == made.credential)).first() is not None:
        raise Conflict(N_("This passkey is known already."))
    row = dict(id=new_id(node.now()), person_id=viewer.person_id, credential=made.credential, public_key=made.public_key)
    session.execute(sa.insert(Passkey).values(**row, counter=made.counter, name=called, created_at=node.now()))
    codes = factor.new_codes(session, node, viewer.person_id) if first else []
    factor.end_others(session, node, viewer.person_id, keep_token)
    audit.record(session, node.now(), viewer, "member.passkey_add", viewer.person_id)
    return codes


def _name(said: str) -> str:
    called = plain(said, LONGEST_NAME)
    if not called:
        raise Refused(N_("Give the passkey a name, so that you know it again: the device that keeps it, say."))
    return called


def rename(session: Session, viewer: Viewer, passkey_id: str, name: str) -> None:
    """Gives a passkey another name. Raises Refused, NotFound."""
    mine = sa.and_(Passkey.id == passkey_id, Passkey.person_id == viewer.person_id)
    if session.execute(sa.update(Passkey).where(mine).values(name=_name(name)).returning(Passkey.id)).first() is None:
        raise NotFound()


def remove(session: Session, node: Node, viewer: Viewer, passkey_id: str, keep_token: str) -> None:
    """A passkey is good no more; all other sessions end. Raises NotFound; Refused where somebody who has to have a second factor would be
    left without one."""
    mine = sa.and_(Passkey.id == passkey_id, Passkey.person_id == viewer.person_id)
    if session.execute(sa.delete(Passkey).where(mine).returning(Passkey.id)).first() is None:
        raise NotFound()
    if factor.compelled(node, viewer.roles) and not factor.is_on(session, viewer.person_id):
        raise Refused(N_("With your roles you cannot do without a second factor, and this is your last one. Set up another one first."))
    factor.forget_codes(session, viewer.person_id)
    factor.end_others(session, node, viewer.person_id, keep_token)
    audit.record(session, node.now(), viewer, "member.passkey_remove", viewer.person_id)


def takes(session: Session, node: Node, person_id: str, passkey_id: str, counter: int) -> str:
    """Notes that a passkey was used, whose answer was believed: empty, or why it does not count after all. One that has not counted on may
    be a copy: that is on record and told, so the unit is to be kept."""
    mine = sa.and_(Passkey.id == passkey_id, Passkey.person_id == person_id)
    on = sa.or_(Passkey.counter < counter, sa.and_(Passkey.counter == 0, sa.literal(counter) == 0))
    used = sa.update(Passkey).where(mine, on).values(counter=counter, used_at=node.now()).returning(Passkey.id)
    if session.execute(used).first() is not None:
        return ""
    if session.scalars(sa.select(Passkey.id).where(mine)).first() is None:
        return NOT_IT
    service.tell(session, person_id, node.now())
    audit.record(session, node.now(), Viewer(person_id=person_id), "member.passkey_backwards", person_id)
    return BACKWARDS


def sign_in(session: Session, node: Node, half: str, answer: tuple[str, str, int], agent: str) -> tuple[str, str]:
    """(a session's token, why not) for the browser whose passkey was believed; `answer` is person, passkey and what it counted."""
    why = takes(session, node, *answer)
    made = "" if why else sessions.whole(session, node, half, answer[0], agent)
    return made, why or ("" if made else NOT_IT)
