"""Decides how sign-ins end: their rows, and with them what they had unlocked in the key ring."""

import contextlib
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import Unavailable
from fedcollab.base.session import Session
from fedcollab.sealing import recovery, state, unlocked
from fedcollab.sealing.lessened import lessened
from fedcollab.sealing.sweeping import SESSION, Naming, sweep

from .models import HalfLogin, LoginSession

SIGN_INS: tuple[Any, ...] = (LoginSession, HalfLogin)


def end(session: Session, node: Node, model: Any, *which: sa.ColumnElement[bool]) -> None:
    """Ends sign-ins, whole or half: LoginSession or HalfLogin. A key ring that is busy holds nobody up: what stays in it is under the
    cookie of a session that is dead, and goes with the next minute's chore."""
    hashes = session.scalars(sa.delete(model).where(*which).returning(model.token_hash)).all()
    if hashes and state.is_on(session):
        lessened(session)
        with contextlib.suppress(Unavailable), node.ring.begin() as ring:
            unlocked.lock_ended(ring, hashes)


def end_keys(session: Session, node: Node, person_id: str) -> None:
    """Destroys a person's keys with their account; where the key ring is busy, a minute later."""
    if state.is_on(session):
        with contextlib.suppress(Unavailable), node.ring.begin() as ring:
            recovery.end(session, ring, node, person_id)


def forget_password(session: Session, node: Node, person_id: str) -> None:
    """A password that an older backup has brought back opens no key."""
    if state.is_on(session):
        with node.ring.begin() as ring:
            recovery.forget_password(ring, person_id)


def lock_ended(session: Session, node: Node) -> None:
    """A chore: what sessions had unlocked that are there no more, however they ended."""
    if state.is_on(session):
        sweep(session, node, [NAMED_IN_RING])


def _alive(session: Session) -> list[str]:
    return [SESSION + one for model in SIGN_INS for one in session.scalars(sa.select(model.token_hash))]


NAMED_IN_RING = Naming(SESSION, _alive)
