"""Decides what a referral to an organisation without a node is here: the same as any, but that its preview stays with us, for whoever has
the link and the code, and that the answer is given on our own pages."""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, EPOCH, MICROSECONDS, iso
from fedcollab.base.errors import BadRequest, N_, Refused
from fedcollab.base.session import Session
from fedcollab.sealing import consents

from . import boxing, service
from .models import Referral
from .preview import Preview
from .service import Founded, HandOver, Keys
from .states import ACCEPTED, IN_PROGRESS, RECIPIENT, REJECTED, REVOKED, SENDER, Word
from .words import CHOICES

TRIES = 10  # wrong codes, of however many people: then the link is good for nothing
DAYS = 30  # that a link can be good for, and that one which nobody has answered is kept beyond its day
TOO_FAR = N_("Choose a day within the next 30 days: until then their link is good.")


def is_too_far(deadline: str, today: str) -> bool:
    """Whether a day is so far off that nobody would remember who has the link."""
    return deadline > (date.fromisoformat(today) + timedelta(days=DAYS)).isoformat()


def good_until(deadline: str) -> int:
    """When a link ends: with the day by which an answer is asked for, by the clock of Greenwich."""
    of = date.fromisoformat(deadline) - EPOCH.date()
    return of // timedelta(seconds=1) * MICROSECONDS + DAY


def offer(session: Session, node: Node, viewer: Viewer, keys: Keys, hand_over: HandOver) -> Founded:
    """Keeps a referral: its room with what is handed over, and its preview, whose key is for the link of whoever is asked."""
    if not hand_over.outside or list(hand_over.preview.problems()):
        raise BadRequest
    made = service.founded(session, node, viewer, keys, hand_over, "")
    whom = dict(organisation_id=None, outside=hand_over.outside, invitation="", kid="", preview=made.sealed.ct)
    service.keep(session, node, viewer, hand_over, made, **whom)
    return made


def found(session: Session, referral_id: str) -> Any:
    """The row of one that goes outside; None for any other id."""
    there = sa.and_(Referral.id == referral_id, Referral.organisation_id.is_(None))
    return session.execute(sa.select(Referral.__table__).where(there)).one_or_none()


def is_good(session: Session, row: Any) -> bool:
    """Whether one waits for an answer still, and may be shown: no consent for it has ended, nobody has guessed at its code."""
    return row.state == IN_PROGRESS and row.tries < TRIES and consents.all_hold(session, row.room)


def count(session: Session, row: Any) -> int:
    """Counts a try at the code before it is looked at, so that many at once are not more than so many one by one: the tries left, or
    -1 where there was none."""
    there = sa.and_(Referral.id == row.id, Referral.tries < TRIES)
    tried = session.execute(sa.update(Referral).where(there).values(tries=Referral.tries + 1).returning(Referral.tries)).scalar()
    return -1 if tried is None else TRIES - tried


def forget_tries(session: Session, row: Any) -> None:
    """The code was right."""
    session.execute(sa.update(Referral).where(Referral.id == row.id).values(tries=0))


def preview(session: Session, node: Node, row: Any, key: bytes) -> Preview:
    """What is seen before the answer. Raises Shut."""
    return boxing.opened(row.preview, key, service.header_of(session, node, row))


def accept(session: Session, node: Node, viewer: Viewer, row: Any) -> None:
    """Their yes. Raises Answered."""
    service.check_may(row, RECIPIENT, ACCEPTED)
    service.say(session, node, row, Word(node.now(), ACCEPTED, RECIPIENT))
    service.drop_preview(session, node, row)
    service.on_record(session, node, row, viewer, "referral.accept")


def decline(session: Session, node: Node, row: Any, reason: str) -> None:
    """Their no, with its reason. Raises Answered, Refused."""
    service.check_may(row, RECIPIENT, REJECTED)
    if reason not in CHOICES:
        raise Refused(N_("Choose the reason. The other organisation sees it, and nothing else."))
    service.say(session, node, row, Word(node.now(), REJECTED, RECIPIENT, reason))
    service.on_record(session, node, row, None, "referral.decline")
    service.end_sent(session, node, None, row)


def lapse(session: Session, node: Node, viewer: Viewer | None, row: Any) -> None:
    """Nobody can answer it any more, for its consent, its room or its link has ended: it is taken back with that; `viewer` is None where
    nobody has ended it."""
    service.check_may(row, SENDER, REVOKED)
    service.say(session, node, row, Word(node.now(), REVOKED, SENDER))
    service.on_record(session, node, row, viewer, "referral.take_back")
    service.end_sent(session, node, None, row)


def unconsented(session: Session) -> list[Any]:
    """Those whose consent has ended: what was given on it is nobody's to read any more."""
    kept = sa.and_(
        Referral.organisation_id.is_(None), Referral.state.not_in((REJECTED, REVOKED)), Referral.room.in_(consents.rooms_ended())
    )
    mine = session.execute(sa.select(Referral.__table__).where(kept).order_by(Referral.id)).all()
    return [row for row in mine if not consents.all_hold(session, row.room)]


def unanswered(session: Session, node: Node) -> list[Any]:
    """Those whose day was over so long ago that nobody takes them back any more: who was asked is not kept for that."""
    waits = sa.and_(Referral.organisation_id.is_(None), Referral.state == IN_PROGRESS)
    over = sa.and_(waits, Referral.deadline < iso(node.now() - DAYS * DAY)[:10])
    return list(session.execute(sa.select(Referral.__table__).where(over).order_by(Referral.id)))


def shut_links(session: Session, _node: Node, _made_at: int) -> None:
    """In a node that comes out of a backup no link is good any more (the guests' own end too): whoever sent it sees that."""
    waits = sa.and_(Referral.organisation_id.is_(None), Referral.state == IN_PROGRESS)
    session.execute(sa.update(Referral).where(waits).values(tries=TRIES))
