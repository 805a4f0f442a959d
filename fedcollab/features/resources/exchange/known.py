"""Decides when an entry says what the library has already: the same number, the same address, or the same title, year and authors."""

import hashlib
from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.base.database import Database
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.features.resources.models import Resource

from .matching import folded

PART = 2_000  # resources that are compared in one look


def keys(title: str, authors: Iterable[str], year: int | None, identifier: str, source: str) -> list[str]:
    """What makes an entry the same as another, each way of being so as one text."""
    people = sorted(folded(name) for name in authors)
    said = "\n".join([folded(title), str(year or ""), *people])
    found = ["title:" + hashlib.sha256(said.encode(errors="replace")).hexdigest()]
    if identifier:
        kind, _, number = identifier.partition(":")
        found.append(f"{kind}:{number.replace('-', '').replace(' ', '').upper()}")
    if source:
        found.append("at:" + source.partition("://")[2].removeprefix("www.").rstrip("/"))
    return found


async def find(database: Database, viewer: Viewer, wanted: set[str]) -> dict[str, str]:
    """{key: resource} of those that the viewer sees, read in parts."""
    found: dict[str, str] = {}
    after = ""
    while True:
        part, after = await database.read(_part, viewer, wanted, after)
        found |= {key: resource_id for key, resource_id in part.items() if key not in found}
        if not after:
            return found


def _part(session: Session, viewer: Viewer, wanted: set[str], after: str) -> tuple[dict[str, str], str]:
    rows = prepared(session, _query(), policy.asked_by(viewer) | {"after": after}).all()
    found = {key: row.id for row in rows for key in keys(row.title, row.authors, row.year, row.identifier, row.source) if key in wanted}
    return found, rows[-1].id if len(rows) == PART else ""


@cache
def _query() -> sa.Select[Any]:
    columns: list[Any] = [getattr(Resource, name) for name in ("id", "title", "authors", "year", "identifier", "source")]
    query = sa.select(*columns).where(policy.visible(Resource), Resource.deleted_at.is_(None), Resource.id > sa.bindparam("after"))
    return query.order_by(Resource.id).limit(PART)
