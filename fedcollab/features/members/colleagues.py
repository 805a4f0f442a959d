"""Decides who of our people has one of some roles, for features that let them choose among colleagues (feature.COLLEAGUES)."""

import sqlalchemy as sa

from fedcollab.access.viewer import KEEPER
from fedcollab.actors.models import Actor
from fedcollab.base.session import Session
from fedcollab.sealing.keeping_models import Keeper

from .models import Member


def colleagues(session: Session, roles: frozenset[str]) -> list[tuple[str, str]]:
    """(row id, name) of our people with one of these roles, whose account has not ended, by name."""
    query = sa.select(Actor.id, Actor.name, Member.roles, Keeper.person_id.label("keeper")).join(Member, Member.person_id == Actor.id)
    query = query.outerjoin(Keeper, Keeper.person_id == Actor.id).where(Actor.disabled_at.is_(None), Member.disabled_at.is_(None))
    rows = session.execute(query.order_by(Actor.name, Actor.id))
    return [(row.id, row.name) for row in rows if roles & {*row.roles, *([KEEPER] if row.keeper else [])}]
