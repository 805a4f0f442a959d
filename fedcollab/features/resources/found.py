"""Decides how a resource is found by the search: by its title, description, authors and codes, under its own label."""

from typing import Any

import sqlalchemy as sa

from fedcollab.base.markup import first_words
from fedcollab.base.session import Session
from fedcollab.search import index
from fedcollab.search.filling import Stock
from fedcollab.search.index import Entry

from .models import Resource

KIND = "resource"
TEXT = 20_000  # characters


def put(session: Session, resource_id: str) -> None:
    """Has a resource found as it stands now."""
    row = session.execute(sa.select(*Resource.__table__.columns).where(Resource.id == resource_id)).one()
    index.put(session, _entry(row))


def remove(session: Session, resource_id: str) -> None:
    """Has it found no more."""
    index.remove(session, KIND, resource_id)


def _entry(row: Any) -> Entry:
    return Entry(
        kind=KIND,
        subject_id=row.id,
        audience_id=row.audience_id,
        label=row.label,
        organisation_id=row.organisation_id,
        posted_at=row.posted_at,
        path=f"/library/{row.id}",
        title=row.title,
        text=first_words(row.html, TEXT),
        names=tuple(filter(None, (*row.authors, row.publisher, row.identifier))),
        language=row.language,
        countries=tuple(row.countries),
        topics=tuple(row.topics),
        year=row.year,
        type=row.kind,
    )


def _stored(session: Session, below: str, number: int) -> list[tuple[str, Entry | None]]:
    query = sa.select(*Resource.__table__.columns).order_by(Resource.id.desc()).limit(number)
    rows = session.execute(query.where(Resource.id < below) if below else query).all()
    return [(row.id, None if row.deleted_at is not None else _entry(row)) for row in rows]


STOCK = Stock("resources", _stored)
