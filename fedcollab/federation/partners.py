"""Decides which nodes are heard: the allow-list, its states, and the strangers that knocked."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import Block
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import FOREIGN, ORGANIZATION, OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.clock import new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import Conflict, N_, NotFound, Refused
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import (
    ADMITTED,
    APPLIED,
    BLOCKED,
    DROPPED,
    EARLY,
    LEFT,
    NOT_THERE,
    OUTSIDE,
    PARKED,
    REFUSED,
    SUSPENDED,
    WAITING,
    Application,
    Delivery,
    InboxItem,
    Partner,
    is_open,
)

STRANGERS = 100
FOR_KEYS, FOR_SILENCE = "keys", "away"  # why a partner is suspended, where no admin has done it
MOVES = {  # state -> the states it may go to
    APPLIED: (ADMITTED, REFUSED, BLOCKED),
    ADMITTED: (SUSPENDED, BLOCKED, LEFT),
    SUSPENDED: (ADMITTED, BLOCKED, LEFT),
    REFUSED: (ADMITTED, BLOCKED),
    BLOCKED: (ADMITTED, LEFT),
    LEFT: (ADMITTED, BLOCKED),
    OUTSIDE: (BLOCKED, LEFT),
}


class PartnerData(NamedTuple):
    """A partner as plain values; `waiting` and `parked` count its deliveries."""

    id: str
    organisation_id: str
    host: str
    uri: str
    name: str
    state: str
    last_seq: int
    attempts: int
    next_try_at: int
    last_success_at: int | None
    last_error_at: int | None
    last_error: str
    suspended_for: str
    paused_at: int | None
    checked_at: int | None
    allows: list[str]
    vouched_keys: str


COLUMNS: tuple[Any, ...] = (
    Partner.id,
    Partner.organisation_id,
    Partner.host,
    Actor.uri,
    Actor.name,
    Partner.state,
    Partner.last_seq,
    Partner.attempts,
    Partner.next_try_at,
    Partner.last_success_at,
    Partner.last_error_at,
    Partner.last_error,
    Partner.suspended_for,
    Partner.paused_at,
    Partner.checked_at,
    Partner.allows,
    Partner.vouched_keys,
)


def listed(session: Session) -> list[PartnerData]:
    """All partners, whatever their state, by name."""
    found = session.execute(sa.select(*COLUMNS).join(Actor, Actor.id == Partner.organisation_id).order_by(Actor.name, Partner.id))
    return [PartnerData(*row) for row in found]


def find(session: Session, key: str) -> PartnerData:
    """A partner by host, node address, organisation's id or row id. Raises NotFound."""
    query = sa.select(*COLUMNS).join(Actor, Actor.id == Partner.organisation_id)
    row = session.execute(query.where(sa.or_(Partner.host == _host(key), Actor.uri == key, Partner.id == key))).one_or_none()
    if row is None:
        raise NotFound(N_("No partner has this address. List them: fedcollab partner list. Add one: fedcollab partner add ADDRESS"))
    return PartnerData(*row)


def _host(key: str) -> str:
    """The host in a node's address, or the key itself."""
    return key.split("://", 1)[-1].rstrip("/")


def by_host(session: Session, host: str) -> PartnerData | None:
    row = session.execute(sa.select(*COLUMNS).join(Actor, Actor.id == Partner.organisation_id).where(Partner.host == host)).one_or_none()
    return PartnerData(*row) if row else None


def talks_with(session: Session, host: str, about: str = "") -> bool:
    """Whether things (of the feature `about`) are queued for this host: an admitted partner, or one suspended for now."""
    query = sa.select(Partner.allows).where(Partner.host == host, Partner.state.in_((ADMITTED, SUSPENDED)))
    allows = session.execute(query).scalar_one_or_none()
    return allows is not None and (not about or about in allows)


def permitted(session: Session, organisation_id: str) -> tuple[frozenset[str] | None, bool]:
    """The features that an organisation may take part in, None for all that hear it, and whether it is a server outside. Raises Refused
    for one that is blocked: what came in before that has no effect any more."""
    row = prepared(session, _permitted_query(), {"organisation": organisation_id}).one_or_none()
    if row is not None and row.state == BLOCKED:
        raise Refused(reason="the partner was blocked")
    if row is None or row.state == OUTSIDE:
        return (None, True) if row is not None else (frozenset(), False)
    return frozenset(row.allows), False


@cache
def _permitted_query() -> sa.Select[Any]:
    columns: list[Any] = [Partner.state, Partner.allows]
    return sa.select(*columns).where(Partner.organisation_id == sa.bindparam("organisation"))


def taking_part(session: Session, feature: str) -> list[str]:
    """The admitted partners' organisations that may take part in a feature."""
    rows = session.execute(sa.select(Partner.organisation_id, Partner.allows).where(Partner.state == ADMITTED).order_by(Partner.id))
    return [row.organisation_id for row in rows if feature in row.allows]


class Standing(NamedTuple):
    """How this node stands to an organisation. `approved`: its own, or a partner that its admin has admitted, one suspended too."""

    approved: bool
    blocked: bool


UNKNOWN = Standing(approved=False, blocked=False)


def standing(session: Session, uris: Iterable[str]) -> dict[str, Standing]:
    """How this node stands to each of these organisations that it knows, by their ids; the cost grows with the ids, not with the actors."""
    rows = prepared(session, _standing_query(), {"uris": list(uris)}).all()
    return {uri: Standing(bool(approved), blocked is not None) for uri, approved, blocked in rows}


@cache
def _standing_query() -> sa.Select[Any]:
    mine = sa.and_(Actor.kind == ORGANIZATION, Actor.known == OWN)
    approved = sa.or_(mine, Partner.state.in_((ADMITTED, SUSPENDED)))
    columns: list[Any] = [Actor.uri, approved, Block.organisation_id]
    query = sa.select(*columns)
    query = query.outerjoin(Partner, Partner.organisation_id == Actor.id).outerjoin(Block, Block.organisation_id == Actor.id)
    return query.where(Actor.uri.in_(sa.bindparam("uris", expanding=True)))


def known_hosts(session: Session) -> list[str]:
    """The hosts that others could pose as: those of partners that were admitted, also where one is suspended for now."""
    return list(session.scalars(sa.select(Partner.host).where(Partner.state.in_((ADMITTED, SUSPENDED))).order_by(Partner.host)))


def admitted_hosts(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(sa.select(Partner.host).where(Partner.state == ADMITTED)))


def add(session: Session, node: Node, organisation: ActorData, allows: Iterable[str] = ()) -> tuple[PartnerData, bool]:
    """Puts an organisation, whose document was fetched and pinned, on the list as applied; one that is there stays as it is. Answers it
    and whether it is new. Raises Refused where another organisation of the same host is on the list: a host is one partner."""
    there = _from_outside(session, node, organisation, allows) or by_host(session, organisation.host)
    if there is not None and there.organisation_id != organisation.id:
        raise Refused(reason="another organisation of this host is on the list")
    if there is None:
        row = dict(id=new_id(node.now()), organisation_id=organisation.id, host=organisation.host, state=APPLIED, created_at=node.now())
        session.execute(sa.insert(Partner).values(**row, allows=sorted(allows)))
        session.execute(sa.delete(Application).where(Application.host == organisation.host))
    return there or find(session, organisation.host), there is None


def _from_outside(session: Session, node: Node, organisation: ActorData, allows: Iterable[str]) -> PartnerData | None:
    """Whoever was heard from outside, or told of by a group's host, belongs to the organisation which now speaks for their server, with
    what they have written; so does the server's line, where there is one. A block of it stays one, and a later one hides all."""
    mine = sa.and_(Actor.known == FOREIGN, Actor.kind == ORGANIZATION, Actor.host == organisation.host)
    made_up = session.scalar(sa.select(Actor.id).where(mine, Actor.organisation_id == Actor.id))
    if made_up is None:
        return None
    _hand_over(session, made_up, organisation.id)
    row = session.execute(sa.select(Partner.id, Partner.state).where(Partner.organisation_id == made_up)).one_or_none()
    if row is None:
        return None
    state = BLOCKED if row.state == BLOCKED else APPLIED
    values = dict(organisation_id=organisation.id, state=state, decided_at=node.now(), allows=sorted(allows))
    session.execute(sa.update(Partner).where(Partner.id == row.id).values(values))
    return find(session, organisation.host)


def _hand_over(session: Session, made_up: str, organisation_id: str) -> None:
    """Nobody is introduced as of the made-up organisation any more: a block by the host's name has to find the true one."""
    session.execute(sa.update(Actor).where(Actor.id == made_up).values(through_id=None))
    people = sa.update(Actor).where(Actor.organisation_id == made_up, Actor.id != made_up)
    session.execute(people.values(organisation_id=organisation_id))
    for table in policy.tables_of_shared():
        session.execute(sa.update(table).where(table.c.organisation_id == made_up).values(organisation_id=organisation_id))
    free = sa.literal(organisation_id).not_in(sa.select(Block.organisation_id))
    session.execute(sa.update(Block).where(Block.organisation_id == made_up, free).values(organisation_id=organisation_id))


def move(session: Session, node: Node, viewer: Viewer | None, partner: PartnerData, state: str) -> None:
    """Changes a partner's state as far as `MOVES` allows. Raises Conflict otherwise; the same state again is no change."""
    if partner.state == state:
        return
    made_up = state == ADMITTED and session.scalar(sa.select(Actor.known).where(Actor.id == partner.organisation_id)) == FOREIGN
    if state not in MOVES[partner.state] or made_up:
        raise Conflict(
            N_("This is not possible in the partner's present state. Look at the list again."), reason=f"{partner.state} to {state}"
        )
    if state == ADMITTED and partner.suspended_for == FOR_KEYS:
        raise Conflict(N_("Their node shows other keys than those you know. Compare the words with their admin first."))
    mine = sa.update(Partner).where(Partner.id == partner.id)
    fresh = dict(state=state, decided_at=node.now(), attempts=0, next_try_at=0, last_error="", suspended_for="", paused_at=None)
    session.execute(mine.values(fresh))
    session.execute(sa.delete(Block).where(Block.organisation_id == partner.organisation_id))
    if state == BLOCKED:
        block(session, node, viewer, partner.organisation_id)
    wake(session, "delivery")


def drop_waiting(session: Session, node: Node, partner: PartnerData) -> None:
    """What has not come to a partner whose partnership ends is never sent, and stays on record as dropped."""
    waiting = sa.update(Delivery).where(Delivery.partner_id == partner.id, is_open(Delivery, *NOT_THERE))
    session.execute(waiting.values(state=DROPPED, done_at=node.now(), error="the partnership has ended"))


def drop_received(session: Session, partner: PartnerData) -> None:
    """What came from a partner that is blocked and has not had its effect yet never has."""
    undone = is_open(InboxItem, WAITING, EARLY, PARKED)
    waiting = sa.update(InboxItem).where(InboxItem.host == partner.host, undone)
    session.execute(waiting.values(state=REFUSED, body={}, reason="the partner was blocked"))


@dataclass(frozen=True)
class Introduced:
    """An organisation that is no partner of ours: a group's host, `through`, vouches for its people in its groups."""

    id: str
    uri: str
    host: str
    name: str
    through: str
    blocked: bool


def introduced(session: Session, key: str = "") -> list[Introduced]:
    """All of them by name, or those with this row id, organisation's id, host or node address."""
    through, partner = aliased(Actor), sa.exists().where(Partner.organisation_id == Actor.id)
    query = (
        sa.select(Actor.id, Actor.uri, Actor.host, Actor.name, through.name, Block.organisation_id.is_not(None))
        .join(through, through.id == Actor.through_id)
        .outerjoin(Block, Block.organisation_id == Actor.id)
        .where(Actor.kind == ORGANIZATION, ~partner)
    )
    if key:
        query = query.where(sa.or_(Actor.id == key, Actor.uri == key, Actor.host == _host(key)))
    return [Introduced(*row) for row in session.execute(query.order_by(Actor.name, Actor.id))]


def block_introduced(session: Session, node: Node, viewer: Viewer | None, organisation: Introduced) -> None:
    """Hides what an introduced organisation's people write, on record."""
    block(session, node, viewer, organisation.id)
    audit.record(session, node.now(), viewer, "organisation.block", organisation.host)


def unblock_introduced(session: Session, node: Node, viewer: Viewer | None, organisation: Introduced) -> None:
    """Shows it again, on record."""
    session.execute(sa.delete(Block).where(Block.organisation_id == organisation.id))
    audit.record(session, node.now(), viewer, "organisation.unblock", organisation.host)


def block(session: Session, node: Node, viewer: Viewer | None, organisation_id: str) -> None:
    """Hides an organisation's words on this node, be it a partner or one introduced by a host."""
    session.execute(sa.delete(Block).where(Block.organisation_id == organisation_id))
    session.execute(
        sa.insert(Block).values(organisation_id=organisation_id, at=node.now(), by_id=viewer.person_id or None if viewer else None)
    )


def knock(session: Session, node: Node, host: str, actor_uri: str) -> None:
    """Counts a stranger: one line a host, at most 100 of them. The hundred and first takes the place of the one that knocked once and
    longest ago: whoever invents hosts pushes out inventions, not somebody who knocks again. Where all knock again, it is not counted."""
    now = node.now()
    there = session.execute(
        sa.update(Application).where(Application.host == host).values(times=Application.times + 1, last_at=now).returning(Application.host)
    )
    if there.first() is None and (_counted(session) < STRANGERS or _sweep(session)):
        session.execute(sa.insert(Application).values(host=host, actor_uri=actor_uri[:500], first_at=now, last_at=now))


def _counted(session: Session) -> int:
    return session.execute(sa.select(sa.func.count()).select_from(Application)).scalar_one()


def _sweep(session: Session) -> bool:
    once = sa.select(Application.host).where(Application.times == 1).order_by(Application.last_at, Application.host).limit(1)
    return session.execute(sa.delete(Application).where(Application.host.in_(once)).returning(Application.host)).first() is not None


def applications(session: Session) -> list[dict[str, object]]:
    """Strangers that knocked, newest first."""
    columns = (Application.host, Application.actor_uri, Application.times, Application.first_at, Application.last_at)
    return [dict(row._mapping) for row in session.execute(sa.select(*columns).order_by(Application.last_at.desc()))]


def speaks(session: Session, partner: PartnerData, now: int) -> None:
    """A partner that reaches us is awake: what waits for it is tried at once."""
    if partner.next_try_at > now:
        again = sa.case((Partner.resync_at.is_not(None), now), else_=None)
        session.execute(sa.update(Partner).where(Partner.id == partner.id).values(next_try_at=0, attempts=0, resync_at=again))
        wake(session, "delivery")
        wake(session, "catchup")
