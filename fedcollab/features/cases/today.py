"""Decides what the first page of a case says matters now: what is new since one looked last, how each person is reached, what is to
be done.

When one looked last is read from the record of reads: the last one before this sitting. Nothing more is kept for it.
"""

from dataclasses import dataclass
from itertools import pairwise

import sqlalchemy as sa

from fedcollab.base.clock import HOUR
from fedcollab.base.session import Session
from fedcollab.sealing.chain_models import RoomEntry, RoomWho
from fedcollab.sealing.room_reads import READ

from . import contact_rules
from .contact_rules import Rules
from .desk import Desk
from .shown import PersonShown, Shown, Work
from .tasks import order
from .work import Contact

PAUSE = HOUR  # reads closer together than this are one sitting
BACK = 200  # reads of one's own that are looked through for its beginning
PEOPLE, TASKS = 5, 3  # shown; the rest behind a link
SUPPORTED = "PotentialVictim"


@dataclass(frozen=True, repr=False)
class Reach:
    """How one person is reached: their rules for contact, None where there are none; the day of the last contact."""

    person: PersonShown
    rules: Rules | None
    last: str


@dataclass(frozen=True, repr=False)
class Today:
    """`looked` is when whoever looks did so before (0: never), `fresh` the ids of what others have written since; `more_people` and
    `more_work` how many stand on their own pages alone."""

    looked: int
    fresh: frozenset[str]
    people: tuple[Reach, ...]
    work: tuple[Work, ...]
    more_people: int
    more_work: int


def looked(session: Session, room_id: str, person_id: str) -> int:
    """When somebody looked at a case before this sitting; 0 for never, or longer ago than is looked through."""
    me = sa.select(RoomWho.who).where(RoomWho.room_id == room_id, RoomWho.person_id == person_id).scalar_subquery()
    query = sa.select(RoomEntry.at).where(RoomEntry.room_id == room_id, RoomEntry.action == READ, RoomEntry.who == me)
    times = session.scalars(query.order_by(RoomEntry.at.desc()).limit(BACK)).all()
    return next((before for after, before in pairwise(times) if after - before > PAUSE), 0)


def today(desk: Desk, before: int) -> Today:
    """What matters of a case as it stands."""
    fresh = frozenset(one.id for one in desk.case.timeline if before and one.arrived > before and one.author != desk.look.person)
    people, work = _people(desk), order(desk)
    more = max(0, len(people) - PEOPLE), max(0, len(work) - TASKS)
    return Today(before, fresh, tuple(people[:PEOPLE]), tuple(work[:TASKS]), *more)


def _people(desk: Desk) -> list[Reach]:
    """Those who are supported, and whoever else has rules for contact; whom nobody contacts first, for that is not to be overlooked."""
    rules = {one.code: one for one in contact_rules.rules(desk.case)}
    last = _last(desk.case.timeline)
    meant = [one for one in desk.case.people if one.code in rules or one.role == SUPPORTED]
    found = [Reach(one, rules.get(one.code), last.get(one.code, "")) for one in meant]
    return sorted(found, key=lambda one: one.rules is None or not one.rules.nobody)


def _last(timeline: tuple[Shown, ...]) -> dict[str, str]:
    """{code: the day of the last contact with them} that may be read."""
    found: dict[str, str] = {}
    for one in timeline:
        if isinstance(one.entry, Contact):
            found |= {code: max(found.get(code, ""), one.entry.on) for code in one.entry.people}
    return found
