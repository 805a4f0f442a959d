"""Decides how our people's keys are made, kept under a password and published: the first as it is, a later one signed by the one before.

The private halves lie in the key ring alone; the unlock key that seals them comes of the password and of the node's own key
(base/passwords.py) and is stored nowhere."""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.canonical import canonical
from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import follows

from . import wraps
from .locked import BEFORE, TAG, lock, unlock
from .pairs import PersonPrivate, PersonPublic, generate
from .person_models import CURRENT, OLD, WAITING, PersonKeyRow
from .shut import Shut
from .sweeping import Naming
from .texts import written

BOX = BEFORE + len(generate().to_bytes()) + TAG  # bytes of a key under a password
NEXT = "next key"  # what a key signs for the one that follows it


class PersonKey(NamedTuple):
    """A person's public halves, ours or another node's. `state` is `current` or `waiting` (see person_models.py), `first_hand` whether
    their own organisation has said so, `confirmed_at` when somebody here has compared its words."""

    kid: str
    person_id: str
    public: PersonPublic
    state: str
    prev: str
    first_hand: bool
    at: int
    confirmed_at: int | None


class Readmitted(NamedTuple):
    """Whose word stands behind a key that no key before it has signed: the name of whoever compared words with its person, and when."""

    by: str
    at: int


def current(session: Session, person_id: str) -> PersonKey | None:
    """The key to which something may be sealed for a person, ours or another node's; None where they have none, or where theirs waits
    for somebody to vouch for it."""
    return next((key for key in listed(session, person_id) if key.state == CURRENT), None)


def listed(session: Session, person_id: str) -> list[PersonKey]:
    """All keys of a person, the newest first."""
    return [_key(row) for row in prepared(session, _all_of(), {"person": person_id})]


@cache
def _all_of() -> sa.Select[Any]:
    mine = sa.select(PersonKeyRow.__table__).where(PersonKeyRow.person_id == sa.bindparam("person"))
    return mine.order_by(PersonKeyRow.at.desc(), PersonKeyRow.id.desc())


def readmitted(session: Session, person_ids: Iterable[str]) -> dict[str, Readmitted]:
    """{person id: by whom, when} of those among these people whose key in use is a later one that somebody here has vouched for after
    comparing words, a keeper of ours or, for another node's person, one of our people: to be shown to everyone on a case of theirs."""
    found = prepared(session, _readmitted(), {"people": list(person_ids)})
    return {row.person_id: Readmitted(row.name, row.confirmed_at) for row in found}


@cache
def _readmitted() -> sa.Select[Any]:
    columns: list[Any] = [PersonKeyRow.person_id, Actor.name, PersonKeyRow.confirmed_at]
    said = sa.select(*columns).join(Actor, Actor.id == PersonKeyRow.confirmed_by)
    before = PersonKeyRow.__table__.alias()
    later = sa.exists().where(before.c.person_id == PersonKeyRow.person_id, before.c.at < PersonKeyRow.at)
    return said.where(PersonKeyRow.person_id.in_(sa.bindparam("people", expanding=True)), PersonKeyRow.state == CURRENT, later)


def make(
    session: Session,
    ring: sa.Connection,
    node: Node,
    person_id: str,
    unlock_key: bytes,
    *,
    signed_by: PersonPrivate | None = None,
) -> PersonPrivate:
    """A new key for a person of ours, sealed under their password (`unlock_key`, 32 bytes). The first one is in use and published at
    once, so is one `signed_by` the key in use; any other waits for a keeper, and until then the person has none. Writes no record."""
    private, before, uri = generate(), listed(session, person_id), actors.by_id(session, person_id).uri
    prev = next((key for key in before if key.state == CURRENT), None)
    follows_it = prev is not None and signed_by is not None and signed_by.public.kid == prev.kid
    state = CURRENT if follows_it or not before else WAITING
    give_up(session, ring, node, person_id)
    retire(session, ring, person_id)
    document = said(uri, private.public, signed_by if follows_it else None)
    insert(session, person_id, private.public, document, state, node.now(), prev=prev.kid if prev and follows_it else "")
    kid = private.public.kid
    wraps.put_secret(ring, kid, person_id, lock(unlock_key, private.to_bytes(), by_password(kid)), b"", node.now())
    tell(session, node, person_id)
    return private


def give_up(session: Session, ring: sa.Connection, node: Node, person_id: str) -> None:
    """A key that waits for a keeper is not waited for any more: nothing was ever sealed to it, so it goes for good."""
    mine = sa.and_(PersonKeyRow.person_id == person_id, PersonKeyRow.state == WAITING)
    for kid in session.scalars(sa.delete(PersonKeyRow).where(mine).returning(PersonKeyRow.kid)).all():
        wraps.destroy(ring, wraps.PERSON + kid, node.now())


def retire(session: Session, ring: sa.Connection, person_id: str) -> None:
    """The key in use is so no more; it opens what was sealed to it before."""
    mine = sa.and_(PersonKeyRow.person_id == person_id, PersonKeyRow.state == CURRENT)
    for kid in session.scalars(sa.update(PersonKeyRow).where(mine).values(state=OLD).returning(PersonKeyRow.kid)).all():
        wraps.change_secret(ring, kid, state=OLD)


def reseal(ring: sa.Connection, keys: Iterable[PersonPrivate], unlock_key: bytes, before_it: bytes | None = None) -> None:
    """Puts keys under another password. The box under the one before (`before_it` is its unlock key, where that is known) stays beside
    until `settle`: the ring is written before the commit that changes the password, which may yet fail, and once more after that."""
    for private in keys:
        kid, found = private.public.kid, wraps.secret(ring, private.public.kid)
        boxes = _boxes(found.by_password) if found else []
        known = [box for box in boxes if before_it is not None and opened_one(box, before_it, by_password(kid)) is not None]
        before = (known or boxes or [b""])[0]
        wraps.change_secret(ring, kid, by_password=lock(unlock_key, private.to_bytes(), by_password(kid)) + before)


def settle(ring: sa.Connection, person_id: str, unlock_key: bytes) -> None:
    """The password of this unlock key is the one, so boxes under others beside it go."""
    for one in wraps.secrets_of(ring, person_id):
        mine = [box for box in _boxes(one.by_password) if opened_one(box, unlock_key, by_password(one.kid)) is not None]
        if mine and mine[0] != one.by_password:
            wraps.change_secret(ring, one.kid, by_password=mine[0])


def insert(
    session: Session,
    person_id: str,
    public: PersonPublic,
    document: dict[str, Any],
    state: str,
    at: int,
    *,
    prev: str = "",
    first_hand: bool = True,
) -> None:
    """Writes down a key's public halves; it is the newest of the person's."""
    at = newest(session, person_id, at)
    row = dict(id=new_id(at), person_id=person_id, kid=public.kid, public=public.raw, signing=public.signing)
    session.execute(sa.insert(PersonKeyRow).values(**row, state=state, document=document, prev=prev, first_hand=first_hand, at=at))


def newest(session: Session, person_id: str, now: int) -> int:
    """A time by which a key is the newest of a person's, whatever a clock that was set back says."""
    before = session.scalar(sa.select(sa.func.max(PersonKeyRow.at)).where(PersonKeyRow.person_id == person_id))
    return now if before is None else max(now, before + 1)


def opened(ring: sa.Connection, person_id: str, unlock_key: bytes) -> list[PersonPrivate]:
    """All of a person's keys, old ones too, that this unlock key opens."""
    every = ((one.kid, box) for one in wraps.secrets_of(ring, person_id) for box in _boxes(one.by_password))
    found = (opened_one(box, unlock_key, by_password(kid)) for kid, box in every)
    return list({private.public.kid: private for private in found if private is not None}.values())


def said(person_uri: str, public: PersonPublic, signed_by: PersonPrivate | None) -> dict[str, Any]:
    """What a node publishes of a person's key: it, and the signature of the one before over it."""
    document: dict[str, Any] = {"key": public.document()}
    if signed_by is not None:
        signature = signed_by.sign(NEXT, statement(person_uri, public, signed_by.public.kid))
        document |= {"prev": signed_by.public.kid, "signature": written(signature)}
    return document


def statement(person_uri: str, public: PersonPublic, prev: str) -> bytes:
    """What the key before signs."""
    return canonical({"person": person_uri, "key": public.document(), "prev": prev})


def published(session: Session, person_id: str) -> dict[str, object] | None:
    """What stands in the Person's document under `fc:personKey`; None where they have no key in use."""
    mine = sa.and_(PersonKeyRow.person_id == person_id, PersonKeyRow.state == CURRENT)
    return session.execute(sa.select(PersonKeyRow.document).where(mine)).scalar_one_or_none()


def tell(session: Session, node: Node, person_id: str) -> None:
    """Writes a person's document anew with the key that is in use now, or without one, and tells partners."""
    follows.tell_profile(session, node, actors.by_id(session, person_id), **{ap.PERSON_KEY: published(session, person_id)})


def tell_again(session: Session, node: Node, _made_at: int) -> None:
    """What a node that comes out of a backup does: partners may know newer keys of its people, of which nothing is here any more. They
    hear which ones are in use, and have words compared where those are others."""
    mine = sa.exists().where(PersonKeyRow.person_id == Actor.id)
    for person_id in session.scalars(sa.select(Actor.id).where(mine, Actor.known == OWN, Actor.disabled_at.is_(None))).all():
        tell(session, node, person_id)


def by_password(kid: str) -> str:
    """What a box under the password is bound to."""
    return f"person key {kid} by password"


def by_code(kid: str) -> str:
    """What a box under the recovery code is bound to."""
    return f"person key {kid} by code"


def _boxes(by_password: bytes) -> list[bytes]:
    """The one under the password, and behind it the one before where that may be it yet."""
    return [by_password[at : at + BOX] for at in range(0, len(by_password), BOX)]


def opened_one(box: bytes, key: bytes, purpose: str) -> PersonPrivate | None:
    """What is in a box under a key; None where it does not open, or there is none."""
    try:
        return PersonPrivate.from_bytes(unlock(key, box, purpose))
    except Shut:
        return None


def _key(row: Any) -> PersonKey:
    public = PersonPublic(row.public, row.signing)
    return PersonKey(row.kid, row.person_id, public, row.state, row.prev, row.first_hand, row.at, row.confirmed_at)


def _ours(session: Session) -> list[str]:
    mine = sa.select(PersonKeyRow.kid).join(Actor, Actor.id == PersonKeyRow.person_id).where(Actor.known == OWN)
    return [wraps.PERSON + kid for kid in session.scalars(mine)]


NAMED_IN_RING = Naming(wraps.PERSON, _ours)
