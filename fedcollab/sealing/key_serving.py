"""Decides how a member's node gets the box of a case key, and a case key's document that it lacks: by a signed GET of its Organization,
and nobody else learns that there is one. Whoever asks for the same again and again has a reader answer, and holds up nobody who writes."""

import orjson
import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.viewer import partner
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.federation.authenticate import authenticate
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.views import document_answer

from . import case_boxes, consents, handing, room_chain, room_history, rooms, texts
from .casekeys import CaseKey
from .keeper_tasks import BOX_TO_MAKE, is_waiting, wait
from .room_models import RoomKey
from .room_state import Room


async def get_box(request: web.Request) -> web.Response:
    """A member's box of a case key. 404 for whoever is not inside from that epoch on, and where there is none."""
    kernel, asked = request.app[KERNEL], request.match_info
    found = await authenticate(kernel, request, b"")
    of = found.actor, asked["ck"], asked["kid"]
    box = await kernel.database.read(handed, kernel.node, *of) or await kernel.database.write(hand_out, kernel.node, *of)
    if box is None:
        raise NotFound()
    return web.Response(body=box, content_type="application/octet-stream", headers={"Cache-Control": "no-store"})


async def get_key(request: web.Request) -> web.Response:
    """The activity that proves a case key's document, for whoever it concerns."""
    kernel = request.app[KERNEL]
    found = await authenticate(kernel, request, b"")
    answer = document_answer(await kernel.database.read(_document, kernel.node, found.actor, request.match_info["ck"]))
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def get_messages(request: web.Request) -> web.Response:
    """A page of the messages under a case key, for a member that may have it."""
    kernel = request.app[KERNEL]
    found = await authenticate(kernel, request, b"")
    of = found.actor, request.match_info["ck"], request.query.get("after", "")[:36]
    page = await kernel.database.read(handed_on, kernel.node, *of) or await kernel.database.write(hand_on, kernel.node, *of)
    return web.Response(body=orjson.dumps(page), content_type="application/json", headers={"Cache-Control": "no-store"})


def hand_on(session: Session, node: Node, to: ActorData, ck: str, after: str) -> dict[str, object]:
    """What was written under a case key, if `to` is inside from its epoch on; on record. Raises NotFound."""
    room_id, page = _written(session, node, to, ck, after)
    if not room_chain.is_said(session, node, room_id, to.uri, "room.history", room_id):
        room_chain.add(session, node, room_id, partner(to.organisation_id), "room.history", room_id)
    return page


def handed_on(session: Session, node: Node, to: ActorData, ck: str, after: str) -> dict[str, object] | None:
    """The same where it is on record already, for a reader; None where it is to be written. Raises NotFound."""
    room_id, page = _written(session, node, to, ck, after)
    return page if room_chain.is_said(session, node, room_id, to.uri, "room.history", room_id) else None


def _written(session: Session, node: Node, to: ActorData, ck: str, after: str) -> tuple[str, dict[str, object]]:
    room_id, room, key = _key(session, node, ck)
    handing.entitled(room, to.uri, key)
    if not consents.is_delivered(session, room.id):
        raise NotFound
    return room_id, room_history.written(session, room_id, ck, after, consents.held_back(session, to.id))


def hand_out(session: Session, node: Node, to: ActorData, ck: str, kid: str) -> bytes | None:
    """The box for their key `kid`, if `to` is inside with it from the epoch on; on record. Where nobody here has made one yet, a keeper is
    told. Raises NotFound."""
    room_id, box = _box(session, node, to, ck, kid)
    if box is None:
        wait(session, node, BOX_TO_MAKE, room_id)
    elif not room_chain.is_said(session, node, room_id, to.uri, "room.box", ck):
        room_chain.add(session, node, room_id, partner(to.organisation_id), "room.box", ck)
    return box


def handed(session: Session, node: Node, to: ActorData, ck: str, kid: str) -> bytes | None:
    """The same where it is on record already, for a reader; None where something is to be written. Raises NotFound, also where a keeper was
    told before."""
    room_id, box = _box(session, node, to, ck, kid)
    if box is None and is_waiting(session, BOX_TO_MAKE, room_id):
        raise NotFound
    return box if box is not None and room_chain.is_said(session, node, room_id, to.uri, "room.box", ck) else None


def _box(session: Session, node: Node, to: ActorData, ck: str, kid: str) -> tuple[str, bytes | None]:
    room_id, room, key = _key(session, node, ck)
    if kid not in handing.entitled(room, to.uri, key) or not consents.is_delivered(session, room.id):
        raise NotFound
    return room_id, case_boxes.get(node, ck, kid)


def _document(session: Session, node: Node, to: ActorData, ck: str) -> dict[str, object]:
    room_id, room, _ = _key(session, node, ck)
    handing.shown(room, to.uri, ck)
    query = sa.select(RoomKey.activity).where(RoomKey.room_id == room_id, RoomKey.ck == ck)
    found = session.execute(query).scalar_one()
    if not found:
        raise NotFound
    return found


def _key(session: Session, node: Node, ck: str) -> tuple[str, Room, CaseKey]:
    """(room's row, room, case key). Raises NotFound, also for what is no name at all."""
    try:
        row = session.execute(sa.select(RoomKey.room_id).where(RoomKey.ck == texts.named(ck))).first()
    except Refused:
        row = None
    if row is None:
        raise NotFound
    room = rooms.by_row(session, node, row.room_id)
    key = room.key(ck)
    if key is None:
        raise NotFound
    return row.room_id, room, key


ROUTES = (
    web.get("/rooms/keys/{ck}/boxes/{kid}", get_box),
    web.get("/rooms/keys/{ck}/messages", get_messages),
    web.get("/rooms/keys/{ck}", get_key),
)
