"""Decides what a signed-in browser has unlocked: its person's keys, sealed in the key ring under a key made of the cookie's value, which is
stored nowhere, so that they outlast a restart, serve every process and die with the session."""

from collections.abc import Iterable

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.viewer import ANYBODY, VIEWER
from fedcollab.actors.node import Node
from fedcollab.base.crypto import stored
from fedcollab.base.errors import N_, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import read_cookie
from fedcollab.federation.kernel import KERNEL

from . import wraps
from .locked import derive
from .locked import lock as sealed_under
from .locked import unlock as opened_with
from .pairs import PersonPrivate
from .person_models import AccessLock
from .shut import Shut


class Locked(Refused):
    """Whoever is signed in has not given the password in this browser, or has locked their keys again. Pages lead to /unlock and back
    (app.py), forms with all that was typed (feature.nothing_lost)."""

    status = 403
    text = N_("Your keys are locked in this browser. Type your password to unlock them, then do this again.")


def unlock(ring: sa.Connection, token: str, keys: Iterable[PersonPrivate], at: int) -> None:
    """Keeps a person's keys for as long as the session lasts whose cookie's value is `token`; one that is there already stays as it is."""
    held_already = set(wraps.unlocked(ring, stored(token)))
    for private in keys:
        kid = private.public.kid
        if kid not in held_already:
            wraps.put_unlocked(ring, stored(token), kid, sealed_under(_key(token), private.to_bytes(), _purpose(kid)), at)


def held(ring: sa.Connection, token: str) -> list[PersonPrivate]:
    """The keys that the browser session with this cookie has unlocked; none where it is locked. In no fixed order: of a person's keys
    the one in use is the one whose kid `people.current` gives. Whether the session is alive has to be known already."""
    found = (_opened(token, kid, box) for kid, box in wraps.unlocked(ring, stored(token)).items())
    return [private for private in found if private is not None]


def lock(ring: sa.Connection, token: str) -> int:
    """Forgets what this browser has unlocked; how many keys that were."""
    return lock_ended(ring, [stored(token)])


def lock_ended(ring: sa.Connection, session_hashes: Iterable[str]) -> int:
    """The same for sessions that end, by the hashes of their cookies."""
    return sum(wraps.lock(ring, session_hash=one) for one in session_hashes)


def lock_person(ring: sa.Connection, person_id: str) -> int:
    """Forgets a person's keys in all their browsers; how many boxes that were. Each asks for the password before it opens anything."""
    return sum(wraps.lock(ring, kid=one.kid) for one in wraps.secrets_of(ring, person_id))


async def unlocked_of(request: web.Request) -> list[PersonPrivate]:
    """The unlocked keys of whoever is signed in (`feature.member_of` before this); asked of the key ring in a reader's thread. Raises
    Locked where there is none."""
    node, token, viewer = request.app[KERNEL].node, read_cookie(request, "session"), request.get(VIEWER, ANYBODY)
    found = await request.app[KERNEL].database.read(_held, node, token, viewer.person_id) if token else []
    if not found:
        raise Locked
    return found


def is_open(session: Session, node: Node, session_hash: str, person_id: str) -> bool:
    """Whether anything is unlocked in a browser, which is known by the hash of its cookie."""
    if _is_locked(session, person_id):
        return False
    with node.ring.look() as ring:
        return bool(wraps.unlocked(ring, session_hash))


def _held(session: Session, node: Node, token: str, person_id: str) -> list[PersonPrivate]:
    if _is_locked(session, person_id):
        return []
    with node.ring.look() as ring:
        return held(ring, token)


def _is_locked(session: Session, person_id: str) -> bool:
    """Somebody has locked their access, also where the key ring was too busy to forget what they had unlocked."""
    return session.execute(sa.select(AccessLock.at).where(AccessLock.person_id == person_id)).first() is not None


def _opened(token: str, kid: str, box: bytes) -> PersonPrivate | None:
    try:
        return PersonPrivate.from_bytes(opened_with(_key(token), box, _purpose(kid)))
    except Shut:  # a box of another session's: nothing that this one can use
        return None


def _key(token: str) -> bytes:
    return derive(token.encode(errors="surrogateescape"), b"", b"fedcollab unlocked 1")


def _purpose(kid: str) -> str:
    return f"unlocked {kid}"
