"""Decides how the end of an account is finished whose keys are destroyed already, where its commit failed after that (a kill, a full
disk)."""

import contextlib

import sqlalchemy as sa

from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import part
from fedcollab.sealing import recovery, state, wraps
from fedcollab.sealing.person_models import CURRENT, WAITING, PersonKeyRow

from . import service


def finish(session: Session, node: Node) -> None:
    """A chore: whoever's key in use is destroyed has had their account ended, for nothing else destroys one; it ends now. A key that waited
    and is destroyed was given up."""
    if not state.is_on(session):
        return
    theirs = sa.select(PersonKeyRow.kid, PersonKeyRow.person_id, PersonKeyRow.state).join(Actor, Actor.id == PersonKeyRow.person_id)
    there = session.execute(theirs.where(Actor.known == OWN, Actor.disabled_at.is_(None))).all()
    with node.ring.look() as ring:
        dead = {note.of.removeprefix(wraps.PERSON) for note in wraps.noted(ring, wraps.PERSON, 0) if not note.to_kid}
    gone = [row for row in there if row.kid in dead]
    given_up = [row.kid for row in gone if row.state == WAITING]
    if given_up:
        session.execute(sa.delete(PersonKeyRow).where(PersonKeyRow.kid.in_(given_up)))
    in_use = {row.person_id for row in gone if row.state == CURRENT}
    for person_id in sorted({row.person_id for row in gone if row.state != WAITING}):
        if _ended(session, node, person_id, is_sealed_to=person_id in in_use):
            return


def _ended(session: Session, node: Node, person_id: str, *, is_sealed_to: bool) -> bool:
    """Ends one account; False for the last admin's, which stays and holds up nobody else's end: nothing more is sealed to its key."""
    with contextlib.suppress(Refused), part(session):
        service.disable(session, node, None, person_id)
        return True
    if is_sealed_to:
        recovery.withdraw(session, node, person_id)
    return False
