"""Decides how messages of earlier epochs come to whoever may read them now: asked of a member with their case key's box, page by page."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, NoRoom, NotFound
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce

from . import authors, erased_ahead, messages, room_quotas, rooms
from .casekeys import CaseKey
from .messages import Sealed
from .room_models import ERASED, THERE, RoomKey, SealedMessage

AT_ONCE = 100  # messages of an answer at most
PAGE = 600_000  # bytes of an answer, less than what a fetch takes; one message always fits


@dataclass(frozen=True)
class Page:
    """What a member was told: which messages were new here, and after which one to go on; empty at the end."""

    came: int
    after: str


def written(session: Session, room_id: str, ck: str, after: str, back: Collection[str] = ()) -> dict[str, Any]:
    """A page of a case key's messages after one of them (a row's id), with the documents of those who wrote them; without those held
    `back`, which may be all of a page: only where "after" is empty nothing more comes."""
    found: list[dict[str, Any]] = []
    people: set[str] = set()
    size, last = 0, ""
    for row in session.execute(_page_of(room_id, ck, after)):
        if row.uri in back:
            last = row.id
            continue
        document = messages.kept(row.body, row.uri).document()
        size += len(orjson.dumps(document))
        if found and size > PAGE:
            break
        found.append(document)
        people.add(row.author)
        last = row.id
    known = [actor for uri in sorted(people) if (actor := actors.by_uri(session, uri)) is not None]
    documents = {ap.ident(one): one for author in known for one in announce.introductions(session, author)}
    return {"messages": found, ap.INTRODUCES: list(documents.values()), "after": last}


def _page_of(room_id: str, ck: str, after: str) -> sa.Select[str, str, str, bytes]:
    """By the room, so that one partner's asking walks over no other room's messages."""
    query = sa.select(SealedMessage.id, SealedMessage.uri, SealedMessage.author, SealedMessage.body)
    query = query.where(SealedMessage.room_id == room_id, SealedMessage.ck == ck, SealedMessage.state != ERASED, SealedMessage.id > after)
    return query.order_by(SealedMessage.id).limit(AT_ONCE)


def take(session: Session, node: Node, sender: ActorData, ck: str, answer: object) -> Page:
    """Keeps what a member has answered. Whether its authors wrote it is seen when it is opened: they have signed it inside. Raises
    BadRequest for what is no page, or of another case key, NoRoom where that member has brought as much as it may."""
    if not isinstance(answer, dict) or not isinstance(answer.get("messages"), list) or not isinstance(answer.get("after"), str):
        raise BadRequest(reason="sealing: no page of messages")
    if len(answer["messages"]) > AT_ONCE:
        raise BadRequest(reason="sealing: more messages than a page holds")
    sealed = [messages.parse(document) for document in answer["messages"]]
    key = _key(session, node, ck)
    if any((one.ck, one.room, one.epoch) != (ck, key.room, key.epoch) for one in sealed):
        raise BadRequest(reason="sealing: messages of another case key")
    fresh = {one.id: (one, by) for one in sealed if (by := _author_of(session, key, one))}
    brought = answer.get(ap.INTRODUCES)
    authors.meet_all(session, node, sender, brought if isinstance(brought, list) else [], sorted({one.author for one, _ in fresh.values()}))
    for one, by in fresh.values():
        _keep(session, node, one, by, sender.host)
    return Page(len(fresh), answer["after"])


def _author_of(session: Session, key: CaseKey, message: Sealed) -> str:
    """The organisation that has written it. Nothing for what is here already, also what was erased, which stays as it is; nor for what no
    member of that epoch can have written."""
    wrote = [member.organisation for member in key.members if host_of(member.organisation) == host_of(message.author)]
    there = session.execute(sa.select(SealedMessage.id).where(SealedMessage.uri == message.id)).first()
    alien = not wrote or host_of(message.id) != host_of(message.author)
    return "" if there is not None or alien or erased_ahead.is_noted(session, message.id) else wrote[0]


def _keep(session: Session, node: Node, message: Sealed, organisation: str, host: str) -> None:
    """Nobody's word but that of the `host` that hands it on says whose it is, so that host alone is charged for it. Raises NoRoom."""
    if room_quotas.is_full(session, node, "", room_quotas.VIA + host, rooms.row(session, message.room).id):
        raise NoRoom(reason="no room is left for what this partner hands on")
    rooms.keep(session, node, message, organisation, THERE, room_quotas.VIA + host)


def _key(session: Session, node: Node, ck: str) -> CaseKey:
    row = session.execute(sa.select(RoomKey.room_id).where(RoomKey.ck == ck)).first()
    found = rooms.by_row(session, node, row.room_id).key(ck) if row is not None else None
    if found is None:
        raise NotFound
    return found
