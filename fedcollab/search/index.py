"""Decides how something comes into the index, changes in it and goes out: in the commit of the thing, by the feature that owns it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting, prepared
from fedcollab.base.statements import put as put_row

from . import marks, near, store, words
from .models import SearchEntry
from .state import deleted

SINCE = 946_684_800  # 2000: what is said to be older lies there
A_SECOND = 4096  # places


@dataclass(frozen=True)
class Entry:
    """Something to be found. `audience_id` is empty for a name, which members alone find; `path` is where a link to it goes, `text` plain
    text, `names` further words that it is found by (authors), `language` a BCP 47 tag, `countries`, `topics` and `type` codes without
    blanks, `within` the thread of an answer, `author_id` a person's row."""

    kind: str
    subject_id: str
    audience_id: str | None
    label: str
    organisation_id: str
    posted_at: int
    path: str
    title: str = ""
    text: str = ""
    names: tuple[str, ...] = ()
    language: str = ""
    countries: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    year: int | None = None
    type: str = ""
    within: str = ""
    author_id: str | None = None


def put(session: Session, entry: Entry, *, fresh: bool = False) -> None:
    """Puts something in, or brings what is there of it up to date; what is `fresh` was never in."""
    there = None if fresh else _stands(session, entry)
    while (place := _put_instead(session, entry, there)) is None:
        there = _stands(session, entry)  # another unit's, if it was not the place alone that was taken
    text = [token for part in (entry.text, *entry.names) for token in words.tokens(part)]
    store.add(session, place, words.tokens(entry.title), text[: words.MOST], _marks(entry), entry.title, entry.text)
    near.put(session, place, entry.kind, entry.title)


def _stands(session: Session, entry: Entry) -> int | None:
    """Where a thing stands in the index."""
    row = prepared(session, _there(), {"kind": entry.kind, "subject": entry.subject_id}).first()
    return None if row is None else int(row.place)


def _put_instead(session: Session, entry: Entry, there: int | None) -> int | None:
    """Takes out what stands `there`, and answers the place of the row that is put in for it, None where it could not be."""
    if there is not None:
        _take(session, there)
        deleted(session)
    slot = _slot(entry.posted_at)
    place = there if there is not None and slot <= there < slot + A_SECOND else _free(session, slot)
    return place if _put_at(session, entry, place) else None


def _put_at(session: Session, entry: Entry, place: int) -> bool:
    """False where another unit of PostgreSQL's, which was not seen, has taken the place or put the same thing in meanwhile; SQLite runs one
    at a time."""
    if not store.is_postgres(session):
        put_row(session, SearchEntry, **_row(entry, place))
        return True
    made = inserting("postgresql", SearchEntry).values(**_row(entry, place)).on_conflict_do_nothing()
    return session.connection().execute(made.returning(SearchEntry.place)).first() is not None


def remove(session: Session, kind: str, subject_id: str) -> None:
    """Takes something out; what is not in stays out."""
    there = prepared(session, _there(), {"kind": kind, "subject": subject_id}).first()
    if there is not None:
        _take(session, there.place)
        deleted(session)


def relabel(session: Session, audience_id: str, before: str, label: str) -> None:
    """All of an audience that was under one label is under a narrower one."""
    mine = sa.and_(SearchEntry.audience_id == audience_id, SearchEntry.label == before)
    session.execute(sa.update(SearchEntry).where(mine).values(label=label))


def _take(session: Session, place: int) -> None:
    prepared(session, _delete(), {"at": place})
    store.take(session, place)
    near.take(session, place)


def _row(entry: Entry, place: int) -> dict[str, Any]:
    same = ("kind", "subject_id", "label", "organisation_id", "posted_at", "path", "year", "type", "within", "author_id")
    codes = dict(language=marks.base(entry.language), countries=" ".join(entry.countries), topics=" ".join(entry.topics))
    return dict(place=place, audience_id=entry.audience_id or None, **codes, **{name: getattr(entry, name) for name in same})


def _marks(entry: Entry) -> list[str]:
    found = [*marks.of_sight(entry.audience_id or None, entry.label), marks.mark(marks.KIND, entry.kind)]
    found.append(marks.short(marks.ORGANISATION, entry.organisation_id))
    single = ((marks.LANGUAGE, marks.base(entry.language)), (marks.YEAR, entry.year or ""), (marks.TYPE, entry.type))
    found += [marks.mark(kind, value) for kind, value in single if value]
    found += [marks.mark(marks.TOPIC, one) for one in entry.topics] + [marks.mark(marks.COUNTRY, one) for one in entry.countries]
    return list(dict.fromkeys(found))


def _slot(posted_at: int) -> int:
    return max(0, posted_at // MICROSECONDS - SINCE) * A_SECOND


def _free(session: Session, slot: int) -> int:
    """The first place of this second that nobody has; of a later one where all are taken."""
    while True:
        last = prepared(session, _last(), {"first": slot, "beyond": slot + A_SECOND}).scalar_one()
        if last is None or last + 1 < slot + A_SECOND:
            return slot if last is None else int(last) + 1
        slot += A_SECOND


@cache
def _there() -> sa.Select[Any]:
    columns: list[Any] = [SearchEntry.place]
    return sa.select(*columns).where(SearchEntry.kind == sa.bindparam("kind"), SearchEntry.subject_id == sa.bindparam("subject"))


@cache
def _last() -> sa.Select[Any]:
    within = sa.and_(SearchEntry.place >= sa.bindparam("first"), SearchEntry.place < sa.bindparam("beyond"))
    return sa.select(sa.func.max(SearchEntry.place)).where(within)


@cache
def _delete() -> sa.Delete:
    return sa.delete(SearchEntry).where(SearchEntry.place == sa.bindparam("at"))
