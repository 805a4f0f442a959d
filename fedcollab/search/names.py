"""Decides how people, organisations and groups are found by their names: our own and our partners', as long as they are there. Guests of
a case are not: that an officer or a lawyer works with us is for those on the case to know."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import GREEN, Audience
from fedcollab.actors.models import GROUP, ORGANIZATION, OWN, PARTNER, PERSON, Actor
from fedcollab.base.markup import first_words
from fedcollab.base.session import Session

from . import index
from .index import Entry

KINDS = {PERSON: "person", ORGANIZATION: "organisation", GROUP: "group"}
PATHS = {PERSON: "/people/", ORGANIZATION: "/organisations/", GROUP: "/groups/"}
SUMMARY = 2000  # characters of what somebody says of themselves
FOUND = (OWN, PARTNER)


def named(session: Session, actor_id: str) -> None:
    """Brings the index up to date with an actor: made, renamed, or gone."""
    row = session.execute(sa.select(Actor).where(Actor.id == actor_id)).one_or_none()
    if row is None or row.kind not in KINDS:
        return
    made = entry(session, row)
    if made is None:
        index.remove(session, KINDS[row.kind], actor_id)
    else:
        index.put(session, made)


def entry(session: Session, actor: Any) -> Entry | None:
    """What an actor is found by; None for who is not."""
    if actor.disabled_at is not None or actor.works_for or (actor.kind != GROUP and actor.known not in FOUND):
        return None
    audience_id, label = None, GREEN
    if actor.kind == GROUP:
        audience = session.execute(sa.select(Audience.id, Audience.label).where(Audience.group_id == actor.id)).one_or_none()
        if audience is None:
            return None
        audience_id, label = audience
    return Entry(
        kind=KINDS[actor.kind],
        subject_id=actor.id,
        audience_id=audience_id,
        label=label,
        organisation_id=actor.organisation_id,
        posted_at=actor.created_at,
        path=PATHS[actor.kind] + actor.id,
        title=actor.name,
        text=first_words(actor.summary, SUMMARY),
    )
