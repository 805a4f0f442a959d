"""Decides which key of a member something is boxed to: the one that the member itself has said in that room. What another one says of the
same key, there or in another room, takes it from nobody."""

import contextlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.base.errors import BadRequest
from fedcollab.base.session import Session

from .boxes import Public
from .casekeys import Member
from .room_activities import parse
from .room_models import MemberKey, RoomFact, RoomKey
from .vouched import Vouch


class Key(NamedTuple):
    """A member's public half, and whose word there is for it where it is one person's."""

    public: Public
    vouch: Vouch | None


def of(session: Session, room_id: str, members: Iterable[Member]) -> dict[str, Key]:
    """{name: key} of those among these members whose keys are known here."""
    columns = (MemberKey.organisation, MemberKey.kid, MemberKey.public, MemberKey.signer, MemberKey.signature)
    rows = {(row.organisation, row.kid): row for row in session.execute(sa.select(*columns).where(MemberKey.room_id == room_id))}
    found = dict[str, Key]()
    for member in members:
        row = rows.get((member.organisation, member.mk))
        key = Key(Public(row.public), Vouch(row.signer, row.signature) if row.signer else None) if row else _said(session, room_id, member)
        if key is not None:
            found[member.mk] = key
    return found


def _said(session: Session, room_id: str, member: Member) -> Key | None:
    """Out of the member's own words, where its key is kept for somebody who has named it before: a key is kept once."""
    mine = sa.and_(RoomFact.room_id == room_id, RoomFact.organisation == member.organisation, RoomFact.kind.in_(("answer", "rekeyed")))
    words = [row.activity for row in session.execute(sa.select(RoomFact.said, RoomFact.activity).where(mine)) if _names(row.said, member)]
    lists = sa.and_(RoomKey.room_id == room_id, RoomKey.organisation == member.organisation)
    for activity in (*words, *session.scalars(sa.select(RoomKey.activity).where(lists))):
        with contextlib.suppress(BadRequest):
            said = parse(activity, member.organisation)
            if said.public is not None and said.public.kid == member.mk:
                return Key(said.public, said.vouch)
    return None


def _names(said: Any, member: Member) -> bool:
    return member.mk in (said.get("mk"), said.get("new"))
