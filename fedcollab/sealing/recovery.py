"""Decides what becomes of people's keys when passwords are lost or people leave: the recovery code, a reset, readmission, the end.

A password that somebody else has reset opens nothing: by the recovery code its person takes their key over, without it they get one
that waits until a keeper has compared words with them."""

import contextlib
from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, N_, NotFound, Refused
from fedcollab.base.session import Session

from . import crossing, mending, organisation, people, wraps
from .locked import lock
from .pairs import PersonPrivate
from .papers import code_key, read_code
from .people import PersonKey
from .person_models import CURRENT, OLD, WAITING, PersonKeyRow

WRONG_CODE = N_("This code does not open your key. It may be of an older paper; the newest one alone is good.")


class WrongPaper(Refused):
    """What was typed is no recovery code, or none that opens the key; it says where the slip is."""

    text = WRONG_CODE


class Waiting(NamedTuple):
    """A person of ours who waits to be readmitted, and the key that they have now."""

    person_id: str
    uri: str
    name: str
    key: PersonKey


def read_paper(typed: str) -> bytes:
    """A recovery code as it was typed. Raises WrongPaper."""
    try:
        return read_code(typed)
    except Refused as error:
        wrong = WrongPaper(error.text)
        wrong.values = error.values
        raise wrong from None


def has_code(ring: sa.Connection, kid: str) -> bool:
    """Whether there is a paper that opens this key."""
    found = wraps.secret(ring, kid)
    return found is not None and bool(found.by_code)


def set_code(session: Session, ring: sa.Connection, node: Node, viewer: Viewer, keys: list[PersonPrivate], code: bytes) -> None:
    """From now on this code opens these keys, which are the viewer's and unlocked; the code before opens none of them any more."""
    for private in keys:
        kid = private.public.kid
        wraps.change_secret(ring, kid, by_code=lock(code_key(code), private.to_bytes(), people.by_code(kid)))
    audit.record(session, node.now(), viewer, "key.code", viewer.person_id)


def take_over(session: Session, ring: sa.Connection, node: Node, person_id: str, code: bytes, unlock_key: bytes) -> list[PersonPrivate]:
    """By their code a person takes their key over under a new password; a key that waited meanwhile is given up. Raises WrongPaper where
    the code does not open the last key that was in use."""
    secrets = wraps.secrets_of(ring, person_id)
    found = [people.opened_one(one.by_code, code_key(code), people.by_code(one.kid)) for one in secrets if one.by_code]
    keys = [private for private in found if private is not None]
    last = next((key for key in people.listed(session, person_id) if key.state != WAITING), None)
    if last is None or last.kid not in {private.public.kid for private in keys}:
        raise WrongPaper
    people.reseal(ring, keys, unlock_key)
    people.give_up(session, ring, node, person_id)
    if last.state == OLD:
        _put_in_use(session, person_id, last.kid)
        people.tell(session, node, person_id)
    wraps.change_secret(ring, last.kid, state=CURRENT)
    audit.record(session, node.now(), Viewer(person_id=person_id), "key.recovered", person_id)
    return keys


def begin_anew(session: Session, ring: sa.Connection, node: Node, person_id: str, unlock_key: bytes) -> PersonPrivate:
    """A new key for somebody who has lost both password and code; it waits for a keeper. The ones before open by their code alone."""
    forget_password(ring, person_id)
    private = people.make(session, ring, node, person_id, unlock_key)
    audit.record(session, node.now(), Viewer(person_id=person_id), "key.anew", person_id)
    return private


def renew(
    session: Session, ring: sa.Connection, node: Node, person_id: str, before: list[PersonPrivate], unlock_key: bytes
) -> PersonPrivate:
    """A new key signed by the one in use, which is among `before`, unlocked: for somebody who thinks that another one has read it. No
    paper opens it yet. Raises Refused where the key in use is not there."""
    mine = people.current(session, person_id)
    signer = next((private for private in before if mine and private.public.kid == mine.kid), None)
    if signer is None:
        raise Refused(N_("Only a key in use can be replaced by a new one."))
    private = people.make(session, ring, node, person_id, unlock_key, signed_by=signer)
    audit.record(session, node.now(), Viewer(person_id=person_id), "key.renew", person_id)
    return private


def forget_password(ring: sa.Connection, person_id: str) -> None:
    """The password that a person's keys are sealed under opens them no more; their code does."""
    for one in wraps.secrets_of(ring, person_id):
        wraps.change_secret(ring, one.kid, by_password=b"")


def waiting(session: Session) -> list[Waiting]:
    """Those of our people who wait to be readmitted, the longest first."""
    asked = sa.select(Actor.id, Actor.uri, Actor.name).join(PersonKeyRow, PersonKeyRow.person_id == Actor.id)
    mine = asked.where(PersonKeyRow.state == WAITING, Actor.known == OWN, Actor.disabled_at.is_(None))
    rows = session.execute(mine.order_by(PersonKeyRow.at, PersonKeyRow.id)).all()
    return [Waiting(row.id, row.uri, row.name, key) for row in rows for key in people.listed(session, row.id) if key.state == WAITING]


def how_many_wait(session: Session, _node: Node) -> int | None:
    """How many those are, with those who have locked their access; None for nobody."""
    return len(waiting(session)) + len(crossing.listed(session)) or None


def readmit(session: Session, node: Node, keeper: Viewer, keys: list[PersonPrivate], person_id: str, kid: str) -> None:
    """A keeper has compared the words of this key with its person: it is in use from now on. What was sealed to the one before has to be
    given to it by those who can open it. `keys` are the keeper's, unlocked: an account that somebody else has reset has none in use, and
    lets nobody in, nor does one who was named a keeper and was never handed the organisation's key. Raises NotFound where the key does not
    wait, Conflict where the person has another one meanwhile, Refused for oneself and without either key."""
    found = next((one for one in waiting(session) if one.person_id == person_id), None)
    if found is None:
        raise NotFound()
    if keeper.person_id == person_id:
        raise Refused(N_("Somebody else has to compare the words with you: another keeper."))
    organisation.check_holds(session, keeper.person_id, keys)
    if found.key.kid != kid:
        raise Conflict(N_("This person has another key meanwhile. Compare its words."))
    _put_in_use(session, person_id, kid)
    theirs = sa.and_(PersonKeyRow.person_id == person_id, PersonKeyRow.kid == kid)
    session.execute(sa.update(PersonKeyRow).where(theirs).values(confirmed_at=node.now(), confirmed_by=keeper.person_id))
    people.tell(session, node, person_id)
    mending.readmitted(session, node, person_id)
    audit.record(session, node.now(), keeper, "key.readmit", person_id)


def withdraw(session: Session, node: Node, person_id: str) -> None:
    """Nothing is to be sealed to a person any more; partners are told. Call it while the person's account is there."""
    mine = sa.update(PersonKeyRow).where(PersonKeyRow.person_id == person_id)
    if session.scalars(mine.values(state=OLD).returning(PersonKeyRow.kid)).all():
        people.tell(session, node, person_id)


def end(session: Session, ring: sa.Connection, node: Node, person_id: str) -> None:
    """Destroys a person's keys, and the boxes that they opened; call it last. The public halves stay, to check what was signed."""
    for kid in session.scalars(sa.select(PersonKeyRow.kid).where(PersonKeyRow.person_id == person_id)).all():
        wraps.destroy_held(ring, kid, node.now())
        wraps.destroy(ring, wraps.PERSON + kid, node.now())


def end_left(session: Session, node: Node) -> None:
    """A chore: keys of people whose accounts have ended, where the key ring could not be reached then."""
    ended = sa.select(Actor.id).where(Actor.known == OWN, Actor.disabled_at.is_not(None))
    gone = session.scalars(ended.where(sa.exists().where(PersonKeyRow.person_id == Actor.id))).all()
    with node.ring.look() if gone else contextlib.nullcontext() as look:
        left = [person_id for person_id in gone if look is not None and wraps.secrets_of(look, person_id)]
    if left:
        with node.ring.begin() as ring:
            for person_id in left:
                end(session, ring, node, person_id)


def _put_in_use(session: Session, person_id: str, kid: str) -> None:
    mine = PersonKeyRow.person_id == person_id
    session.execute(sa.update(PersonKeyRow).where(mine, PersonKeyRow.state == CURRENT).values(state=OLD))
    session.execute(sa.update(PersonKeyRow).where(mine, PersonKeyRow.kid == kid).values(state=CURRENT))
