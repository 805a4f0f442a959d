"""Decides which parts of people's records each of our people needs to know in a case: who opens it all of them, others what somebody gives
them who knows it."""

from collections.abc import Iterable

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Forbidden, N_
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.sealing import holding, room_chain
from fedcollab.sealing.lessened import lessened
from fedcollab.sealing.room_models import RoomPerson

from . import codes
from .grounds import PARTS
from .models import CaseNeed

UNKNOWN = N_("You can give others only what you need to know yourself.")


def known(session: Session, room_id: str, person_id: str) -> frozenset[str]:
    """The parts that a person needs to know, as `arriving.Look` takes them."""
    query = sa.select(CaseNeed.part).where(CaseNeed.room_id == room_id, CaseNeed.person_id == person_id)
    return frozenset(session.scalars(query))


def everybody(session: Session, room_id: str) -> dict[str, frozenset[str]]:
    """{person id: what they need to know} of our people on the case, and of none who was: an account that ended has left its rows."""
    on_it = sa.exists().where(RoomPerson.room_id == room_id, RoomPerson.person_id == CaseNeed.person_id, RoomPerson.until.is_(None))
    query = sa.select(CaseNeed.person_id, CaseNeed.part).where(CaseNeed.room_id == room_id, on_it)
    found: dict[str, set[str]] = {}
    for row in session.execute(query):
        found.setdefault(row.person_id, set()).add(row.part)
    return {person_id: frozenset(parts) for person_id, parts in found.items()}


def somebody(session: Session, room_id: str) -> bool:
    """Whether one of us on the case knows a part; guests don't count, for they give nobody anything."""
    known_by = everybody(session, room_id)
    return any(one.person_id in known_by for one in holding.ours(session, room_id))


def begin(session: Session, node: Node, viewer: Viewer, room_id: str, people: Iterable[str]) -> None:
    """Those who are on the case first know all parts: nobody else could give them one."""
    for person_id in people:
        _put(session, node, viewer, room_id, person_id, PARTS)


def give(session: Session, node: Node, viewer: Viewer, room_id: str, person_id: str, parts: Iterable[str]) -> None:
    """What one of us on the case needs to know from now on, in the place of what it was; on record. Parts that the giver does not know stay
    as they are. Raises BadRequest for what is no part, or nobody on the case; Forbidden for a part that the giver does not know."""
    wanted, mine, theirs = frozenset(parts), known(session, room_id, viewer.person_id), known(session, room_id, person_id)
    if not all(map(is_part, wanted)) or person_id not in {one.person_id for one in holding.assigned(session, room_id)}:
        raise BadRequest
    if any(not covers(mine, part) for part in wanted - theirs):
        raise Forbidden(UNKNOWN)
    gone = frozenset(part for part in theirs - wanted if covers(mine, part))
    if gone:
        where = sa.and_(CaseNeed.room_id == room_id, CaseNeed.person_id == person_id, CaseNeed.part.in_(sorted(gone)))
        session.execute(sa.delete(CaseNeed).where(where))
        lessened(session)
    _put(session, node, viewer, room_id, person_id, wanted - theirs)
    if gone or wanted - theirs:
        room_chain.add(session, node, room_id, viewer, "case.need", person_id)


def forget(session: Session, room_id: str, person_id: str) -> None:
    """Whoever is no longer on a case needs to know nothing of it."""
    session.execute(sa.delete(CaseNeed).where(CaseNeed.room_id == room_id, CaseNeed.person_id == person_id))
    lessened(session)


def is_part(part: str) -> bool:
    """Whether this names a part, of everybody or of one person by their code."""
    code, _, name = part.rpartition("/")
    return name in PARTS and (not code or codes.CODE.fullmatch(code) is not None)


def covers(known: frozenset[str], part: str) -> bool:
    """Whether somebody who knows these parts knows this one too."""
    return part in known or part.rpartition("/")[2] in known


def _put(session: Session, node: Node, viewer: Viewer, room_id: str, person_id: str, parts: Iterable[str]) -> None:
    there = known(session, room_id, person_id)
    rows = [dict(room_id=room_id, person_id=person_id, part=part, by_id=viewer.person_id, at=node.now()) for part in sorted(parts)]
    if fresh := [row for row in rows if row["part"] not in there]:
        put(session, CaseNeed, *fresh)
