"""Decides how what is sealed in a room is read and written by somebody who has opened it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.once import ID
from fedcollab.base.session import Session

from . import acting, consents, messages, people, room_sending, working
from .carried import Carried
from .holding import Opened
from .messages import Place, Sealed
from .pairs import PersonPublic
from .person_models import PersonKeyRow
from .refusals import KeyChanged, KeyNotHere
from .room_models import ERASED, SealedMessage
from .shut import Shut

KEY, AUTHOR, BROKEN, STOPPED = "key", "author", "broken", "stopped"
AT_ONCE = 500  # messages that are named in one query


@dataclass(frozen=True, repr=False)
class Message:
    """A message of a room: when it came here (microseconds), its size as others see it, and its content; None where that cannot be read,
    `lacks` then being "key" (its case key is not here), "author" (the key of whoever wrote it is not), "broken" (it was not sealed by them,
    or changed), "stopped" (the consent that it was given on has ended) or "erased"."""

    id: str
    author: str
    organisation: str
    at: int
    size: int
    content: Mapping[str, Any] | None = field(repr=False)
    lacks: str = ""


class Had(NamedTuple):
    """What somebody has before them of a room: how many messages that are, and the last row that there was; how many messages the room has
    by now."""

    number: int
    last: str
    messages: int


def read(session: Session, opened: Opened) -> list[Message]:
    """All messages of a room, in the order in which they came."""
    return _opened(session, opened, session.execute(_rows(opened)).all())


def since(session: Session, opened: Opened, had: Had) -> list[Message] | None:
    """Those behind what somebody had. None where that is not all that has changed: a clock that went back has put a row before the last
    one, or what a member had made up went, and the true message stands under its name."""
    rows = session.execute(_rows(opened).where(SealedMessage.id > had.last)).all()
    return _opened(session, opened, rows) if had.number + len(rows) == had.messages else None


def named(session: Session, opened: Opened, uris: Iterable[str]) -> list[Message]:
    """Messages of a room by their ids."""
    wanted, rows = sorted(uris), list[Any]()
    for start in range(0, len(wanted), AT_ONCE):
        rows += session.execute(_rows(opened).where(SealedMessage.uri.in_(wanted[start : start + AT_ONCE]))).all()
    return _opened(session, opened, rows)


def _rows(opened: Opened) -> Any:
    columns: list[Any] = [SealedMessage.uri, SealedMessage.author, SealedMessage.organisation, SealedMessage.at, SealedMessage.size]
    columns += [SealedMessage.ck, SealedMessage.state, SealedMessage.body, SealedMessage.id]
    return sa.select(*columns).where(SealedMessage.room_id == opened.room_id).order_by(SealedMessage.id)


def some(session: Session, opened: Opened, ids: Iterable[str]) -> dict[str, Message]:
    """{row id: message} of a room, of these."""
    wanted, rows = sorted(set(ids)), list[Any]()
    for start in range(0, len(wanted), AT_ONCE):
        rows += session.execute(_rows(opened).where(SealedMessage.id.in_(wanted[start : start + AT_ONCE]))).all()
    return {row.id: message for row, message in zip(rows, _opened(session, opened, rows), strict=True)}


def one(session: Session, opened: Opened, uri: str) -> Message | None:
    """One message of a room."""
    return next(iter(_opened(session, opened, session.execute(_rows(opened).where(SealedMessage.uri == uri)).all())), None)


def _opened(session: Session, opened: Opened, rows: Sequence[Any]) -> list[Message]:
    keys = {author: _keys_of(session, author) for author in {row.author for row in rows}}
    stopped = consents.stopped_in(session, opened.room_id)
    return [
        Message(row.uri, row.author, row.organisation, row.at, row.size, *_content(opened, row, keys[row.author], stopped)) for row in rows
    ]


def signers(session: Session, authors: Iterable[str]) -> frozenset[tuple[str, str]]:
    """(person, name of a key that they have or had) of these."""
    whose = sa.select(Actor.uri, PersonKeyRow.kid).join(PersonKeyRow, PersonKeyRow.person_id == Actor.id)
    return frozenset((row.uri, row.kid) for row in session.execute(whose.where(Actor.uri.in_(sorted(set(authors))))))


def _keys_of(session: Session, author: str) -> list[PersonPublic]:
    """The keys that somebody has or had."""
    found = actors.by_uri(session, author)
    return [key.public for key in people.listed(session, found.id)] if found is not None else []


def _content(opened: Opened, row: Any, signers: list[PersonPublic], stopped: frozenset[str]) -> tuple[Mapping[str, Any] | None, str]:
    if row.state == ERASED:
        return None, ERASED
    if row.uri in stopped:
        return None, STOPPED
    secret = opened.secrets.get(row.ck)
    if secret is None:
        return None, KEY
    if not signers:
        return None, AUTHOR
    try:
        return messages.open_sealed(messages.kept(row.body, row.uri), secret, signers).content, ""
    except Shut:
        return None, BROKEN


def seal(session: Session, node: Node, opened: Opened, content: Mapping[str, Any], uri: str = "") -> Sealed:
    """Seals a content under the newest case key. Raises Frozen, Ended, Outside, KeyNotHere, and KeyChanged for a person by name."""
    head = acting.check_open(opened.room)
    secret = opened.secrets.get(head.ck)
    if secret is None:
        raise KeyNotHere
    changed = working.still_reads(session, node, opened.room_id) if opened.label == RED else []
    if changed:
        raise KeyChanged(KeyChanged.text, who=_name(session, changed[0].person))
    author = actors.by_id(session, opened.viewer.person_id).uri
    seen = {who: ck for who, ck in opened.room.seen.items() if who != opened.room.me}
    return messages.seal(secret, opened.person, content, Place(uri or new_uri(node), author, seen))


def _name(session: Session, uri: str) -> str:
    found = actors.by_uri(session, uri)
    return found.name if found is not None else uri


def new_uri(node: Node) -> str:
    """The id of a fresh message."""
    return node.settings.uri(f"/messages/{new_id(node.now())}")


def by_form(session: Session, node: Node, room_id: str, once: str) -> tuple[str, bool]:
    """(the id of the message that a form makes, whether it is in this room already): by the form's own id, so that one that is sent twice
    says it once; a fresh one for a form that has none, or whose id stands elsewhere."""
    uri = node.settings.uri(f"/messages/{once}") if ID.fullmatch(once) else new_uri(node)
    there = session.execute(sa.select(SealedMessage.room_id).where(SealedMessage.uri == uri)).scalar()
    return (uri, there is not None) if there in (None, room_id) else (new_uri(node), False)


def write(session: Session, node: Node, opened: Opened, content: Mapping[str, Any], uri: str = "", *, files: Sequence[Carried] = ()) -> str:
    """Seals a content, keeps and sends it, with sealed files that have come in here; its id, `uri` where that was made before. Raises as
    `seal`."""
    message = seal(session, node, opened, content, uri)
    room_sending.send(session, node, opened.viewer, message, files)
    return message.id
