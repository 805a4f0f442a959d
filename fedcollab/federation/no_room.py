"""Decides what becomes of what a partner brings where enough of it is kept: it stays with its sender, nothing is lost, the rest goes on.

Its number is remembered without its text, so that its partner's stream is not asked for it again and again, nor counted as heard beyond it
(asking is acknowledging). Once there is room that goes, and it comes: by its sender's next try, or as a gap in the stream."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import NoRoom
from fedcollab.base.session import Session

from .intake import once
from .kernel import Kernel
from .models import NO_ROOM, InboxItem, is_open
from .registry import Registry

AUTHOR = "author"  # what is kept of it instead of its text
AGAIN = 600  # seconds after which its sender may try it again
REASON = "no room is left for what this partner stores here"


async def check(kernel: Kernel, row: dict[str, Any]) -> None:
    """For an inbox item that is about to be stored. Raises NoRoom, where it is remembered as not taken in."""
    host, activity = row["host"], row["body"]
    if not kernel.registry.measured(activity):
        return
    full, known = await kernel.database.read(_look, kernel.node, kernel.registry, host, activity)
    if full:
        await kernel.database.write(remember, [(row, full)])
        raise NoRoom(reason=REASON, retry_after=AGAIN)
    if known:
        await kernel.database.write(_forget, InboxItem.host == host, InboxItem.uri == row["uri"])


def _look(session: Session, node: Node, registry: Registry, host: str, activity: dict[str, Any]) -> tuple[str, bool]:
    known = sa.select(InboxItem.state).where(InboxItem.host == host, InboxItem.uri == activity["id"])
    state = session.execute(known).scalar_one_or_none()
    if state not in (None, NO_ROOM):
        return "", False  # it is here: whoever sends it again has not heard so
    return registry.full(session, node, host, activity), state is not None


@dataclass
class Waiting:
    """What was not taken in of an author's host in a thread, that another host may have brought; by row ids."""

    host: str
    thread: str
    author: str
    items: list[int] = field(default_factory=list)


def remember(session: Session, rows: list[tuple[dict[str, Any], str]]) -> None:
    """That these came, (item, its author's host), and nothing of them."""
    bare = [row | dict(body={AUTHOR: author}, state=NO_ROOM, reason=REASON) for row, author in rows]
    session.connection().execute(once(session.connection().dialect.name), bare)


def waiting(session: Session) -> list[Waiting]:
    """All that was not taken in."""
    found: dict[tuple[str, str, str], Waiting] = {}
    for row in session.execute(sa.select(InboxItem.id, InboxItem.host, InboxItem.order_key, InboxItem.body).where(_open())):
        which = (row.host, row.order_key, str(row.body.get(AUTHOR, row.host)))
        found.setdefault(which, Waiting(*which)).items.append(row.id)
    return list(found.values())


def forget(session: Session, one: Waiting) -> None:
    """There is room for it again."""
    _forget(session, InboxItem.id.in_(one.items))


def _forget(session: Session, *which: sa.ColumnElement[bool]) -> None:
    session.execute(sa.delete(InboxItem).where(_open(), *which))


def _open() -> sa.ColumnElement[bool]:
    return is_open(InboxItem, NO_ROOM)
