"""Measures what a page of 50 posts of a sealed group costs, beside opening and rendering the same posts, alone and among 1,000 messages."""

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import AMBER
from fedcollab.actors.node import Node
from fedcollab.base import markup
from fedcollab.base.session import Session
from fedcollab.features.rooms import acting, filing, opening, reading, units
from fedcollab.features.rooms.entries import Group, Reply, Thread
from fedcollab.sealing import messages
from fedcollab.sealing.holding import Opened
from fedcollab.sealing.room_models import SealedMessage
from tests.features.cases.desks import Office, office

from .table import Row

TEXT = "She called from the **station** and is on her way to the house. " * 8
ROUNDS, MANY = 7, 1_000
TIMES_FLOOR, GROWTH = 4.0, 1.25


def measure(root: Path) -> Iterator[Row]:
    """Processor time of the node and of the browser that asks it, in one process; the best of some rounds counts."""
    page, floor, among = asyncio.run(_measured(root / "group"))
    yield Row("a page of 50 sealed posts", page * 1e6, "CPU-us", floor * 1e6)
    yield Row("a page of 50 sealed posts, times its floor", page / floor, "times", 1.0, TIMES_FLOOR)
    yield Row(f"the same page among {MANY} messages, times alone", among / page, "times", 1.0, GROWTH)


async def _measured(root: Path) -> tuple[float, float, float]:
    async with office(root) as at:
        room = await at.unlocked("noor", acting.begin, AMBER, Group(at=1, name="A group"))
        row = await at.unlocked("noor", units.at_once, room, filing.says, lambda _: Thread(at=1, title="A question", text=TEXT))
        found: reading.Conversation = await at.unlocked("noor", units.at_once, room, reading.conversation, row, 1)
        await at.unlocked("noor", partial(_say, number=reading.POSTS - 1, place=found.place), room)
        path = f"/sealed/{room}/threads/{row}"
        page = await _asked(at, path)
        floor = min([await at.site.kernel.database.read(_bare, found.here.opened) for _ in range(ROUNDS)])
        await at.unlocked("noor", partial(_say, number=MANY - reading.POSTS, place=""), room)
        return page, floor, await _asked(at, path)


def _say(session: Session, node: Node, viewer: Any, keys: Any, room: str, *, number: int, place: str) -> None:
    here = units.at_once(session, node, viewer, keys, room, units.opens)
    for one in range(number):
        entry = Reply(at=one, thread=place, text=TEXT) if place else Thread(at=one, title=f"Question {one}", text=TEXT)
        opening.add(session, node, here, entry)


async def _asked(at: Office, path: str) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        status, page = await at["noor"].get(path)
        best = min(best, time.process_time() - begun)
        assert (status, page.count("<article")) == (200, reading.POSTS)
    return best


def _bare(session: Session, opened: Opened) -> float:
    """What no page can do without: the rows, each opened, its text rendered."""
    begun = time.process_time()
    query = sa.select(SealedMessage.uri, SealedMessage.body, SealedMessage.ck).where(SealedMessage.room_id == opened.room_id)
    rows = session.execute(query.order_by(SealedMessage.id.desc()).limit(reading.POSTS)).all()
    keys = [opened.person.public]
    for row in rows:
        markup.render(messages.open_sealed(messages.kept(row.body, row.uri), opened.secrets[row.ck], keys).content["text"])
    return time.process_time() - begun
