"""Decides what the three printed sheets are: made by a keeper, tried before they count, and any two of them the way back to the
organisation's key where no keeper can open it. Their use is on record and every keeper is told."""

from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import Conflict, Forbidden, N_, NotFound, Refused
from fedcollab.base.model import aliased
from fedcollab.base.session import Session

from . import boxes, keepers, opening, organisation, people, wraps
from .boxes import Private
from .keeping_models import CURRENT, OLD, Keeper, RecoveryKey
from .papers import Sheet, box_under_sheets, make_sheets, open_with_sheets
from .shut import Shut
from .sweeping import Naming

NOT_NEEDED = N_("Other keepers hold the organisation’s key. Ask one of them to hand it to you, and leave the sheets where they are.")
OTHER_SET = N_("These two sheets do not open the key. Are both from the newest set? Its date stands on each sheet.")


@dataclass(frozen=True)
class SheetsData:
    """The set of today: its name, when and by whom it was made, tried, used."""

    kid: str
    at: int
    by: str
    tried_at: int | None
    used_at: int | None
    used_by: str


def state(session: Session) -> SheetsData | None:
    """The set that opens the key today; None where there is none."""
    maker, user = aliased(Actor), aliased(Actor)
    columns = (
        RecoveryKey.kid,
        RecoveryKey.at,
        maker.name.label("by"),
        RecoveryKey.tried_at,
        RecoveryKey.used_at,
        user.name.label("used_by"),
    )
    query = sa.select(*columns).join(maker, maker.id == RecoveryKey.by_id).outerjoin(user, user.id == RecoveryKey.used_by_id)
    row = session.execute(query.where(RecoveryKey.state == CURRENT)).one_or_none()
    return None if row is None else SheetsData(row.kid, row.at, row.by, row.tried_at, row.used_at, row.used_by or "")


def make(session: Session, node: Node, viewer: Viewer, mine: Private, instead_of: str) -> tuple[Sheet, Sheet, Sheet]:
    """Three fresh sheets, to be shown once, made by a keeper at work (`mine` is their unlocked key). `instead_of` is the name of the set
    that they have seen, empty for none: those sheets open nothing from now on. Raises Refused; Conflict where another set is there, as for
    a page that is loaded again."""
    before = state(session)
    if (before.kid if before else "") != instead_of:
        raise Conflict(N_("A new set of sheets was made meanwhile. Look at the page again before you make another one."))
    keys = organisation.opened(session, node, mine)
    made, papers, now = boxes.generate(), make_sheets(), node.now()
    kid = made.public.kid
    with node.ring.begin() as ring:
        for pair, sealed in box_under_sheets(made, papers).items():
            wraps.put_sheet(ring, kid, pair, sealed, now)
        organisation.hand(node, keys, [made.public])
    session.execute(sa.update(RecoveryKey).where(RecoveryKey.state == CURRENT).values(state=OLD))
    row = dict(kid=kid, document=made.public.document(), state=CURRENT, at=now, by_id=viewer.person_id)
    session.execute(sa.insert(RecoveryKey).values(row))
    audit.record(session, now, viewer, "sheets.make", kid)
    return papers


def end_old(session: Session, node: Node) -> None:
    """Destroys what sheets open that were made anew since. A unit of its own, after the new ones are stored for good, and a chore."""
    for kid in session.scalars(sa.delete(RecoveryKey).where(RecoveryKey.state == OLD).returning(RecoveryKey.kid)).all():
        with node.ring.begin() as ring:
            organisation.take_away(session, node, kid)
            wraps.destroy(ring, wraps.SHEETS + kid, node.now())


def try_two(session: Session, node: Node, viewer: Viewer, one: Sheet, other: Sheet) -> None:
    """A keeper has typed two sheets from the paper: they count as tried once they open the organisation's key. Raises Refused."""
    organisation.opened(session, node, _recovered(session, node, one, other))
    tried = sa.update(RecoveryKey).where(RecoveryKey.state == CURRENT)
    session.execute(tried.values(tried_at=node.now()))
    audit.record(session, node.now(), viewer, "sheets.try", _set(session).kid)


def use(session: Session, node: Node, viewer: Viewer, one: Sheet, other: Sheet) -> None:
    """Gives the organisation's keys to a keeper who does not hold them, by two sheets; for when no other keeper can. Raises Forbidden
    for who was not named, Refused."""
    if not keepers.is_named(session, viewer.person_id):
        raise Forbidden(N_("An admin has to name you a keeper first."))
    if opening.state(organisation.facts(session, node)) != opening.SHUT:
        raise Refused(NOT_NEEDED)
    key = people.current(session, viewer.person_id)
    if key is None:
        raise Refused(N_("You have no key of your own yet. Sign in with your password first."))
    organisation.hand(node, organisation.opened(session, node, _recovered(session, node, one, other)), [key.public])
    now = node.now()
    session.execute(sa.update(Keeper).where(Keeper.person_id == viewer.person_id).values(kid=key.kid, since=now))
    used = sa.update(RecoveryKey).where(RecoveryKey.state == CURRENT)
    session.execute(used.values(used_at=now, used_by_id=viewer.person_id))
    audit.record(session, now, viewer, "sheets.use", _set(session).kid)


def _recovered(session: Session, node: Node, one: Sheet, other: Sheet) -> Private:
    kid = _set(session).kid
    with node.ring.look() as ring:
        found = wraps.sheet_boxes(ring, kid)
    try:
        return open_with_sheets(found, kid, one, other)
    except Shut:
        raise Refused(OTHER_SET) from None


def _set(session: Session) -> SheetsData:
    found = state(session)
    if found is None:
        raise NotFound(N_("No sheets have been made yet."))
    return found


def _named(session: Session) -> list[str]:
    return [wraps.SHEETS + kid for kid in session.scalars(sa.select(RecoveryKey.kid).where(RecoveryKey.state == CURRENT))]


NAMED_IN_RING = Naming(wraps.SHEETS, _named)
