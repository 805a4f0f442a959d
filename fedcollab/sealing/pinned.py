"""Decides which key of another node's person is used: the first one seen, then what that one has signed; anything else waits for somebody
here who compares words, and until then nothing is sealed to that person.

Their node could lie at first sight, and pages say so. What a group's host has brought counts no more once their own organisation speaks."""

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import INTRODUCED, PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Conflict, N_, NotFound
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap

from . import people
from .pairs import SIGNATURE, PersonPublic, published
from .people import PersonKey
from .person_models import CURRENT, OLD, WAITING, PersonKeyRow
from .texts import read


class Told(NamedTuple):
    """A key as a person's document says it."""

    public: PersonPublic
    prev: str
    signature: bytes
    document: dict[str, Any]


def seen(session: Session, actor_id: str) -> None:
    """Told of each actor in the commit that stores their document: pins a person's key at first sight, follows one that the pinned one has
    signed, and stops the use of any other."""
    columns = (Actor.uri, Actor.kind, Actor.known, Actor.document, Actor.updated_at)
    row = session.execute(sa.select(*columns).where(Actor.id == actor_id)).one_or_none()
    if row is None or row.kind != PERSON or row.known not in (PARTNER, INTRODUCED):
        return
    said = (row.document or {}).get(ap.PERSON_KEY)
    before = people.listed(session, actor_id)
    if before and _says_nothing_new(said, before):
        return
    told, first_hand = _told(said), row.known == PARTNER
    if first_hand and before and not any(key.first_hand for key in before):
        session.execute(sa.delete(PersonKeyRow).where(PersonKeyRow.person_id == actor_id))
        before = []
    if told is None:
        _retire(session, actor_id)
    else:
        _take(session, actor_id, row, told, before, first_hand=first_hand)


def confirm(session: Session, node: Node, viewer: Viewer, person_id: str, kid: str) -> None:
    """Somebody here has compared the words of this key with its person: it is used from now on. Raises NotFound for a person who has no
    such key, Conflict where another one is there meanwhile."""
    last = next((key for key in people.listed(session, person_id) if key.state != OLD), None)
    if last is None or session.scalar(sa.select(Actor.known).where(Actor.id == person_id)) not in (PARTNER, INTRODUCED):
        raise NotFound()
    if last.kid != kid:
        raise Conflict(N_("This person has another key meanwhile. Compare its words."))
    mine = sa.and_(PersonKeyRow.person_id == person_id, PersonKeyRow.kid == kid)
    at = people.newest(session, person_id, node.now())
    said = dict(state=CURRENT, at=at, confirmed_at=node.now(), confirmed_by=viewer.person_id)
    session.execute(sa.update(PersonKeyRow).where(mine).values(said))
    audit.record(session, node.now(), viewer, "key.confirm", person_id)


def _says_nothing_new(said: object, before: list[PersonKey]) -> bool:
    """Whether a document names the key that is known as the newest already: most documents do."""
    key = said.get("key") if isinstance(said, Mapping) else None
    kid = key.get("kid") if isinstance(key, Mapping) else None
    return any(one.kid == kid and one.state != OLD and one.first_hand for one in before)


def _told(said: object) -> Told | None:
    """The key that a document says; None for none, and for what is none: nothing can be sealed to that."""
    if not isinstance(said, Mapping):
        return None
    prev = said.get("prev")
    with contextlib.suppress(BadRequest):
        public = published(said.get("key"))
        signature = read(said["signature"], SIGNATURE, SIGNATURE) if "signature" in said else b""
        kept = {name: said[name] for name in ("key", "prev", "signature") if name in said}
        return Told(public, prev if isinstance(prev, str) else "", signature, kept)
    return None


def _take(session: Session, person_id: str, actor: Any, told: Told, before: list[PersonKey], *, first_hand: bool) -> None:
    current = next((key for key in before if key.state == CURRENT), None)
    trusted = next((key for key in before if key.state != WAITING), None)
    came_back = trusted is not None and trusted.kid == told.public.kid
    state = CURRENT if not before or came_back or (current and _signed(actor.uri, told, current)) else WAITING
    _retire(session, person_id)
    mine = sa.and_(PersonKeyRow.person_id == person_id, PersonKeyRow.kid == told.public.kid)
    again = sa.update(PersonKeyRow).where(mine).values(state=state, first_hand=first_hand).returning(PersonKeyRow.id)
    if state == WAITING:  # whoever compared its words once did so for another time
        again = again.values(confirmed_at=None, confirmed_by=None)
    else:
        again = again.values(at=people.newest(session, person_id, actor.updated_at))
    if session.execute(again).first() is None:
        people.insert(session, person_id, told.public, told.document, state, actor.updated_at, prev=told.prev[:100], first_hand=first_hand)


def _signed(uri: str, told: Told, current: PersonKey) -> bool:
    """Whether the key in use has signed the one that follows it."""
    text = people.statement(uri, told.public, current.kid)
    return told.prev == current.kid and current.public.signed(told.signature, people.NEXT, text)


def _retire(session: Session, person_id: str) -> None:
    """None of a person's keys is in use. One that was never in use, so is newer than all that were, goes; the others stay, to check what
    they have signed."""
    mine = PersonKeyRow.person_id == person_id
    last = session.scalar(sa.select(sa.func.max(PersonKeyRow.at)).where(mine, PersonKeyRow.state != WAITING)) or 0
    session.execute(sa.delete(PersonKeyRow).where(mine, PersonKeyRow.state == WAITING, PersonKeyRow.at > last))
    session.execute(sa.update(PersonKeyRow).where(mine, PersonKeyRow.state != OLD).values(state=OLD))
