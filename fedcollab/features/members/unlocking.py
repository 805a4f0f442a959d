"""Decides what a password opens beside the account: its person's keys, for the session that it was typed into, as long as that lasts."""

from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.passwords import Tried
from fedcollab.base.session import Session
from fedcollab.federation.words import Spoken
from fedcollab.sealing import crossing, people, recovery, state, unlocked, words
from fedcollab.sealing.lessened import lessened
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.people import PersonKey
from fedcollab.sealing.person_models import CURRENT, WAITING

from .models import Member


class Keys(NamedTuple):
    """What somebody's own page says of their keys: the one in use or the one that waits, its words, whether this browser has unlocked
    it and a paper opens it; whether an older key has a paper that would bring it back, and whether they had one and have none now; since
    when they have locked their access."""

    key: PersonKey | None
    words: Spoken | None
    unlocked: bool
    paper: bool
    may_come_back: bool
    lost: bool = False
    away: int | None = None

    @property
    def waits(self) -> bool:
        return self.key is not None and self.key.state == WAITING


@dataclass(frozen=True, eq=False)
class Said:
    """What somebody has typed with a new password: its unlock key, that of the old one where they gave it, and their recovery code.
    `reset`: a one-time link let them in, not the old password."""

    new: bytes = field(repr=False)
    old: bytes | None = field(default=None, repr=False)
    code: bytes | None = field(default=None, repr=False)
    reset: bool = False


def right(session: Session, node: Node, person_id: str, hashed: str, tried: Tried, token: str) -> bool:
    """After a right password that went with this hash: keeps a renewed form of it, makes the person's first key where cases are on, and
    unlocks their keys for the browser whose cookie is `token`, a half one until it has given its code. Whether a key is open now."""
    if tried.renewed is not None:
        same = sa.and_(Member.person_id == person_id, Member.password_hash == hashed)
        session.execute(sa.update(Member).where(same).values(password_hash=tried.renewed.hashed))
    if tried.lasting is None or not state.is_on(session):
        return False
    with node.ring.begin() as ring:
        keys = people.opened(ring, person_id, tried.unlock) if tried.unlock is not None else []
        if tried.renewed is not None:
            people.reseal(ring, keys, tried.renewed.unlock, tried.unlock)
        else:
            people.settle(ring, person_id, tried.lasting)
        return _unlock(session, ring, node, person_id, token, keys, tried.lasting)


def first(session: Session, node: Node, person_id: str, token: str, unlock_key: bytes) -> None:
    """The same for somebody who joins."""
    if state.is_on(session):
        with node.ring.begin() as ring:
            _unlock(session, ring, node, person_id, token, [], unlock_key)


def move(session: Session, node: Node, half: str, token: str) -> None:
    """What a browser has unlocked that owed its code is the whole session's."""
    if state.is_on(session):
        with node.ring.begin() as ring:
            unlocked.unlock(ring, token, unlocked.held(ring, half), node.now())
            unlocked.lock(ring, half)


def changed(session: Session, node: Node, person_id: str, token: str, said: Said) -> None:
    """In the unit that sets another password: keys that the old one, the code or this session opens go under the new one. After a reset
    without the code there is a new key, which waits for a keeper. Raises Refused for a code that does not open the key."""
    if not state.is_on(session):
        return
    with node.ring.begin() as ring:
        if said.code is not None:
            keys = recovery.take_over(session, ring, node, person_id, said.code, said.new)
        else:
            by_old = people.opened(ring, person_id, said.old) if said.old is not None else []
            opened = {private.public.kid: private for private in (*unlocked.held(ring, token), *by_old)}
            keys = list(opened.values())
            people.reseal(ring, keys, said.new, said.old)
            if said.reset and not keys and people.listed(session, person_id):
                keys = [recovery.begin_anew(session, ring, node, person_id, said.new)]
        _unlock(session, ring, node, person_id, token, keys, said.new)


def settle(session: Session, node: Node, person_id: str, unlock_key: bytes) -> None:
    """Once another password is set for good: the one before opens nothing."""
    if state.is_on(session):
        with node.ring.begin() as ring:
            people.settle(ring, person_id, unlock_key)


def begin_anew(session: Session, node: Node, person_id: str, token: str, made: Tried) -> None:
    """For somebody whose password is right and opens nothing, and who has no paper either: a key that waits for a keeper."""
    assert made.lasting is not None, "a wrong password gets no further"
    crossing.check(session, person_id)
    with node.ring.begin() as ring:
        unlocked.lock(ring, token)
        unlocked.unlock(ring, token, [recovery.begin_anew(session, ring, node, person_id, made.lasting)], node.now())


def take_over(session: Session, node: Node, person_id: str, token: str, made: Tried, code: bytes) -> None:
    """By the paper, for somebody who is signed in with their password. Raises Refused."""
    assert made.lasting is not None, "a wrong password gets no further"
    crossing.check(session, person_id)
    with node.ring.begin() as ring:
        keys = recovery.take_over(session, ring, node, person_id, code, made.lasting)
        unlocked.lock(ring, token)
        unlocked.unlock(ring, token, keys, node.now())


def set_code(session: Session, node: Node, viewer: Viewer, token: str, code: bytes) -> None:
    """A new paper for what this browser has unlocked. Raises Locked where that is nothing any more."""
    crossing.check(session, viewer.person_id)
    with node.ring.begin() as ring:
        recovery.set_code(session, ring, node, viewer, _held(ring, token), code)


def renew(session: Session, node: Node, viewer: Viewer, token: str, made: Tried) -> None:
    """A new key signed by the one in use. This browser goes on with it; all others of the same person have only the one before, so they
    are locked and ask for the password. Raises Locked, Refused."""
    assert made.lasting is not None, "a wrong password gets no further"
    crossing.check(session, viewer.person_id)
    with node.ring.begin() as ring:
        before = _held(ring, token)
        private = recovery.renew(session, ring, node, viewer.person_id, before, made.lasting)
        unlocked.lock_person(ring, viewer.person_id)
        unlocked.unlock(ring, token, [*before, private], node.now())
    lessened(session)


def lock(session: Session, node: Node, token: str) -> None:
    """Locks this browser's keys, which its person asks for."""
    with node.ring.begin() as ring:
        unlocked.lock(ring, token)
    lessened(session)


def is_open(session: Session, node: Node, token: str) -> bool:
    """Whether this browser has unlocked anything."""
    if not state.is_on(session):
        return False
    with node.ring.look() as ring:
        return bool(unlocked.held(ring, token))


def has_key(session: Session, person_id: str) -> bool:
    """Whether a person has ever had a key, so that a paper may open it."""
    return bool(people.listed(session, person_id))


def shown(session: Session, node: Node, person_id: str, token: str) -> Keys:
    """What a person's own page says."""
    listed = people.listed(session, person_id)
    key = next((one for one in listed if one.state in (CURRENT, WAITING)), None)
    if not state.is_on(session) or (key is None and not listed):
        return Keys(None, None, unlocked=False, paper=False, may_come_back=False)
    spoken = words.of_one(actors.by_id(session, person_id).uri, key.public) if key else None
    with node.ring.look() as ring:
        held = {private.public.kid for private in unlocked.held(ring, token)}
        paper = key is not None and recovery.has_code(ring, key.kid)
        older = any(recovery.has_code(ring, one.kid) for one in listed if key is None or one.kid != key.kid)
    away = next((one.at for one in crossing.listed(session) if one.person_id == person_id), None)
    return Keys(key, spoken, key is not None and key.kid in held, paper, older, lost=key is None, away=away)


def _unlock(
    session: Session, ring: sa.Connection, node: Node, person_id: str, token: str, keys: list[PersonPrivate], unlock_key: bytes
) -> bool:
    """Unlocks a person's keys for a browser, unless they have locked their access; somebody who has never had one gets their first."""
    if crossing.is_locked(session, person_id):
        return False
    if not keys and not people.listed(session, person_id):
        keys = [people.make(session, ring, node, person_id, unlock_key)]
        audit.record(session, node.now(), Viewer(person_id=person_id), "key.make", person_id)
    unlocked.unlock(ring, token, keys, node.now())
    return bool(keys)


def _held(ring: sa.Connection, token: str) -> list[PersonPrivate]:
    found = unlocked.held(ring, token)
    if not found:
        raise unlocked.Locked
    return found
