"""Decides what of discussions is found: posts as they stand, an opener by its conversation's title as well; never what was taken away."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.base.markup import LONGEST, first_words
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.search import index
from fedcollab.search.filling import Stock
from fedcollab.search.index import Entry

from .models import Post, Thread

THREAD, POST = "thread", "post"


def follow(session: Session, post_id: str, *, fresh: bool = False) -> None:
    """Brings the index up to date with a post: new (`fresh`), changed, taken away, restored."""
    row = prepared(session, _one(), {"post": post_id}).one()
    entry = _entry(row)
    if entry is None:
        kind, subject_id = _what(row)
        index.remove(session, kind, subject_id)
    else:
        index.put(session, entry, fresh=fresh and entry.kind == POST)  # an opener may come into a conversation that has been found before


def _what(row: Any) -> tuple[str, str]:
    """A conversation's opener stands for it."""
    return (POST, row.id) if row.reply_to else (THREAD, row.thread_id)


def _entry(row: Any) -> Entry | None:
    """What a post is found by; None for one that was deleted, removed or hidden."""
    if row.deleted_at is not None or row.removed is not None or row.hidden is not None or not row.html:
        return None
    kind, subject_id = _what(row)
    return Entry(
        kind=kind,
        subject_id=subject_id,
        audience_id=row.audience_id,
        label=row.label,
        organisation_id=row.organisation_id,
        posted_at=row.posted_at,
        path=f"/threads/{row.thread_id}" if kind == THREAD else f"/posts/{row.id}",
        title=row.title if kind == THREAD and not row.untitled else "",
        text=first_words(row.html, LONGEST),
        language=row.language,
        within=row.thread_id if kind == POST else "",
        author_id=row.author_id,
    )


def _stock(session: Session, below: str, number: int) -> list[tuple[str, Entry | None]]:
    values = {"below": below or "~", "number": number}
    return [(row.id, _entry(row)) for row in prepared(session, _newest(), values)]


@cache
def _one() -> sa.Select[Any]:
    return _rows().where(Post.id == sa.bindparam("post"))


@cache
def _newest() -> sa.Select[Any]:
    return _rows().where(Post.id < sa.bindparam("below")).order_by(Post.id.desc()).limit(sa.bindparam("number"))


def _rows() -> sa.Select[Any]:
    shared: list[Any] = [Post.id, Post.thread_id, Post.audience_id, Post.label, Post.author_id, Post.organisation_id, Post.posted_at]
    state: list[Any] = [Post.reply_to, Post.html, Post.language, Post.deleted_at, Post.removed, Post.hidden, Thread.title, Thread.untitled]
    return sa.select(*shared, *state).join(Thread, Thread.id == Post.thread_id)


STOCK = Stock("posts", _stock)
