"""Decides what goes on record and how tampering shows: an append-only chain of hashes, its head in one row."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.base.canonical import canonical
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared, put

from .models import AuditEntry, AuditHead
from .viewer import Viewer

START = "0" * 64
PAGE = 500
VERIFIED = "audit.verify"


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: the entries read, and the first number at which the chain is broken, or None."""

    entries: int
    broken_at: int | None


def record(session: Session, now: int, viewer: Viewer | None, action: str, subject: str) -> None:
    """Adds one entry; `subject` is an id or a host: never a name, never content."""
    head = prepared(session, _last_link()).one_or_none()
    if head is None:
        put(session, AuditHead, id=1, seq=0, hash=START)
    seq, prev = (head.seq + 1, head.hash) if head else (1, START)
    actor_id = viewer.person_id or viewer.organisation_id or None if viewer else None
    digest = chain(prev, seq, now, actor_id, action, subject)
    put(session, AuditEntry, seq=seq, at=now, actor_id=actor_id, action=action, subject=subject, prev=prev, hash=digest)
    prepared(session, _link_made(), {"number": seq, "digest": digest})


@cache
def _last_link() -> sa.Select[Any]:
    """Whoever writes is alone in it on both databases, so nobody else's entry comes in between."""
    columns: list[Any] = [AuditHead.seq, AuditHead.hash]
    return sa.select(*columns).where(AuditHead.id == 1)


@cache
def _link_made() -> sa.Update:
    head: Any = AuditHead.__table__
    return sa.update(head).where(head.c.id == 1).values(seq=sa.bindparam("number"), hash=sa.bindparam("digest"))


def chain(prev: str, seq: int, at: int, actor_id: str | None, action: str, subject: str) -> str:
    """SHA-256 over the canonical JSON (RFC 8785) of the entry and the hash before it; the time as text, for it exceeds 2**53."""
    return hashlib.sha256(canonical([prev, seq, str(at), actor_id, action, subject])).hexdigest()


def verify(session: Session, newest: int | None = None) -> Verdict:
    """Reads the whole chain, or its `newest` entries, a page at a time, and compares its end with the head."""
    head = session.execute(sa.select(AuditHead.seq, AuditHead.hash)).one_or_none()
    ends = (head.seq, head.hash) if head else (0, START)
    at = max(0, ends[0] - newest) if newest else 0
    prev = session.scalar(sa.select(AuditEntry.hash).where(AuditEntry.seq == at)) if at else START
    for row in _entries(session, at):
        at += 1
        if row.seq != at or row.prev != prev or row.hash != chain(row.prev, row.seq, row.at, row.actor_id, row.action, row.subject):
            return Verdict(at, row.seq)
        prev = row.hash
    return Verdict(at, None if ends == (at, prev) else at + 1)


def _entries(session: Session, last: int) -> Iterator[sa.Row[int, str, str, int, str | None, str, str]]:
    columns = (AuditEntry.seq, AuditEntry.prev, AuditEntry.hash, AuditEntry.at, AuditEntry.actor_id, AuditEntry.action, AuditEntry.subject)
    while True:
        page = session.execute(sa.select(*columns).where(AuditEntry.seq > last).order_by(AuditEntry.seq).limit(PAGE)).all()
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].seq


@dataclass(frozen=True)
class Entry:
    """One entry for reading; `actor` is a row id, never a name."""

    seq: int
    at: int
    actor: str | None
    action: str
    subject: str


@dataclass(frozen=True)
class Wanted:
    """Which entries: of whom (a row id; None for whoever, empty for the command line and the node itself), of which kind ("post" for all
    actions that begin so), from when on and until before when."""

    actor: str | None = None
    kind: str = ""
    since: int | None = None
    until: int | None = None


def newest(session: Session, limit: int = 100, *, wanted: Wanted = Wanted(), before: int | None = None) -> list[Entry]:
    """The newest entries, newest first; those before a number, where one is given."""
    query = sa.select(AuditEntry.seq, AuditEntry.at, AuditEntry.actor_id, AuditEntry.action, AuditEntry.subject)
    query = query.where(*_clauses(wanted), *([AuditEntry.seq < before] if before is not None else []))
    return [
        Entry(row.seq, row.at, row.actor_id, row.action, row.subject)
        for row in session.execute(query.order_by(AuditEntry.seq.desc()).limit(limit))
    ]


def _clauses(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.actor is not None:
        found.append(AuditEntry.actor_id == wanted.actor if wanted.actor else AuditEntry.actor_id.is_(None))
    if wanted.kind:
        found.append(AuditEntry.action.startswith(wanted.kind + ".", autoescape=True))
    if wanted.since is not None:
        found.append(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        found.append(AuditEntry.at < wanted.until)
    return found


def page(session: Session, wanted: Wanted, after: int) -> Sequence[Any]:
    """Whole entries with their links in the chain, oldest first, at most 500: for an export, whose next page begins after the last."""
    query = sa.select(AuditEntry).where(*_clauses(wanted), AuditEntry.seq > after).order_by(AuditEntry.seq).limit(PAGE)
    return session.execute(query).all()


def last_verified(session: Session) -> Entry | None:
    """When the whole chain was read last, and what was found."""
    columns = (AuditEntry.seq, AuditEntry.at, AuditEntry.actor_id, AuditEntry.action, AuditEntry.subject)
    query = sa.select(*columns).where(AuditEntry.action == sa.literal_column(f"'{VERIFIED}'")).order_by(AuditEntry.seq.desc()).limit(1)
    row = session.execute(query).one_or_none()
    return Entry(*row) if row else None
