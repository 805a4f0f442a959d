"""Decides what of a room goes into a bundle, a part at a time: who was inside by whose keys, what is on record and who vouches for it, and
each message that its maker may read, with what proves it."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.keys import ED25519
from fedcollab.actors.models import Actor, ActorKey
from fedcollab.actors.node import Node
from fedcollab.base.session import Session

from . import bundles, head_telling, messages, people, room_chain, texts
from .bundle_check import KEYS
from .bundles import CASE_KEY, CHECKPOINT, COUNTERSIGNED, ENTRY, HEAD, MESSAGE, ORGANISATION, PERSON, WHY
from .casekeys import CaseKey
from .chain_models import ChainHead, ChainSigned, RoomChain
from .chains import Place
from .facts import of, organisations
from .holding import Opened
from .pairs import PersonPublic
from .room_models import ERASED, RoomKey, SealedFile, SealedMessage
from .shut import Shut

Value = tuple[str, Any]  # kind of line, what it says
PAGE = 50
MARKED, LARGE, BROKEN, KEY = "suspected", "large", "broken", "key"


def around(session: Session, node: Node, opened: Opened, authors: Iterable[str]) -> list[Value]:
    """All that stands before the record and the messages: documents and keys, lists of who was inside, heads and countersignatures."""
    keys = of(opened.room.facts, CaseKey)
    heads = session.scalars(sa.select(ChainHead.document).where(ChainHead.room_id == opened.room_id).order_by(ChainHead.organisation)).all()
    signed = session.scalars(
        sa.select(ChainSigned.document).where(ChainSigned.room_id == opened.room_id).order_by(ChainSigned.organisation, ChainSigned.by)
    ).all()
    people_of = {uri: found for uri in sorted(set(authors)) if (found := actors.by_uri(session, uri)) is not None}
    inside = set().union({opened.room.me}, *map(organisations, keys))
    of_people = {actors.by_id(session, one.organisation_id).uri for one in people_of.values()}
    lists = sa.select(RoomKey.document, RoomKey.activity).where(RoomKey.room_id == opened.room_id).order_by(RoomKey.epoch, RoomKey.ck)
    checkpoint = session.scalar(sa.select(RoomChain.checkpoint).where(RoomChain.room_id == opened.room_id))
    return [
        *((ORGANISATION, value) for uri in sorted(inside | of_people) if (value := _organisation(session, uri))),
        *((PERSON, _person(session, found)) for found in people_of.values()),
        *((CASE_KEY, {"document": row.document} | ({"activity": row.activity} if row.activity else {})) for row in session.execute(lists)),
        *((HEAD, document) for document in heads),
        *((COUNTERSIGNED, document) for document in signed),
        *([(CHECKPOINT, checkpoint)] if checkpoint else []),
    ]


def _organisation(session: Session, uri: str) -> dict[str, Any]:
    """Its signed document, and all keys that it signs or has signed statements by, as we knew them; nothing for one that we don't know."""
    row = session.execute(sa.select(Actor.id, Actor.name, Actor.document).where(Actor.uri == uri)).one_or_none()
    if row is None:
        return {}
    mine = sa.select(ActorKey.uri, ActorKey.public).where(ActorKey.actor_id == row.id, ActorKey.kind == ED25519)
    mine = mine.order_by(ActorKey.created_at.desc(), ActorKey.id).limit(KEYS)
    keys = [{"id": one.uri, "public": one.public} for one in session.execute(mine)]
    return {"id": uri, "name": row.name, "keys": keys} | ({"document": row.document} if row.document else {})


def _person(session: Session, found: actors.ActorData) -> dict[str, Any]:
    document = session.scalar(sa.select(Actor.document).where(Actor.id == found.id))
    organisation = actors.by_id(session, found.organisation_id).uri
    keys = [{"key": key.public.document()} for key in people.listed(session, found.id)[:KEYS]]
    said = {"id": found.uri, "name": found.name, "organisation": organisation, "keys": keys}
    return said | ({"document": document} if document else {})


def entries(session: Session, node: Node, room_id: str, after: Place, last: int) -> list[Value]:
    """Our entries behind a place, up to a number."""
    return [(ENTRY, one.document()) for one in room_chain.page(session, node, room_id, after) if one.seq <= last]


def page(session: Session, opened: Opened, shown: Mapping[str, str], after: str) -> tuple[str, list[Value]]:
    """(where the next page begins, empty after the last; messages). `shown` says of each that may be named why it is left out; empty where
    it is not. What stands in none of it came later."""
    columns = (SealedMessage.id, SealedMessage.uri, SealedMessage.author, SealedMessage.ck, SealedMessage.state, SealedMessage.body)
    marked = sa.exists().where(SealedFile.message_id == SealedMessage.id, SealedFile.marked_at.is_not(None))
    query = sa.select(*columns, marked.label("marked")).where(SealedMessage.room_id == opened.room_id, SealedMessage.id > after)
    rows = session.execute(query.order_by(SealedMessage.id).limit(PAGE)).all()
    signers = {author: _signers(session, author) for author in {row.author for row in rows}}
    found = [(MESSAGE, _message(opened, row, shown[row.uri], signers[row.author])) for row in rows if row.uri in shown]
    return (rows[-1].id if len(rows) == PAGE else ""), found


def _signers(session: Session, author: str) -> list[PersonPublic]:
    found = actors.by_uri(session, author)
    return [key.public for key in people.listed(session, found.id)[:KEYS]] if found is not None else []


def _message(opened: Opened, row: Any, why: str, signers: list[PersonPublic]) -> dict[str, Any]:
    """What proves a message to whoever is shown it; of one that is left out, that there was one. P23: of a message with a file that was
    marked nothing else goes out, whatever else is said of it."""
    secret = opened.secrets.get(row.ck)
    why = MARKED if row.marked else why or (ERASED if row.state == ERASED else KEY if secret is None else "")
    if not why and secret is not None:
        try:
            sealed = messages.kept(row.body, row.uri)
            said = messages.open_sealed(sealed, secret, signers)
        except Shut:
            why = BROKEN
        else:
            signature = texts.written(said.signature)
            value = {"head": orjson.loads(sealed.head), "content": said.content, "kid": said.kid, "signature": signature}
            if bundles.fits(MESSAGE, value):
                return value
            why = LARGE
    return {"id": row.uri, "author": row.author, "why": why if why in WHY else BROKEN}


def end(session: Session, node: Node, room: str, made: bundles.Writer) -> dict[str, Any]:
    """The last line: our Organization signs all the others."""
    return head_telling.prove(session, node, made.end(room, node.actor_uri, node.now()))
