"""Shows that the record's chain holds as written, and that any entry changed, taken out or swapped is found."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.access import audit
from fedcollab.access.models import AuditEntry, AuditHead
from fedcollab.access.viewer import Viewer
from fedcollab.base.session import Session
from tests.rows import memory

TEXT = st.text(max_size=20)
VIEWERS = st.one_of(st.none(), st.builds(Viewer, organisation_id=TEXT, person_id=TEXT))
ENTRIES = st.lists(st.tuples(st.integers(0, 2**62), VIEWERS, TEXT, TEXT), min_size=1, max_size=8)


def fill(session: Session, entries: list[tuple[int, Viewer | None, str, str]]) -> None:
    for entry in entries:
        audit.record(session, *entry)


@given(ENTRIES)
def test_a_chain_holds_as_it_was_written(entries: list[tuple[int, Viewer | None, str, str]]) -> None:
    with memory() as session:
        assert audit.verify(session) == audit.Verdict(0, None)
        fill(session, entries)
        assert audit.verify(session) == audit.Verdict(len(entries), None)
        newest = audit.newest(session)
        assert [entry.seq for entry in newest] == list(range(len(entries), 0, -1))
        assert [(e.at, e.action, e.subject) for e in reversed(newest)] == [(at, action, subject) for at, _, action, subject in entries]


@given(ENTRIES, st.data())
def test_a_changed_entry_is_found(entries: list[tuple[int, Viewer | None, str, str]], data: st.DataObject) -> None:
    with memory() as session:
        fill(session, entries)
        seq = data.draw(st.integers(1, len(entries)))
        column = data.draw(st.sampled_from(["at", "actor_id", "action", "subject", "prev", "hash"]))
        old = session.execute(sa.select(getattr(AuditEntry, column)).where(AuditEntry.seq == seq)).scalar_one()
        new = data.draw((st.integers(0, 2**62) if column == "at" else TEXT).filter(lambda value: value != old))
        session.execute(sa.update(AuditEntry).where(AuditEntry.seq == seq).values({column: new}))
        assert audit.verify(session).broken_at == seq


@given(ENTRIES, st.data())
def test_an_entry_that_was_taken_out_is_found_the_last_one_too(
    entries: list[tuple[int, Viewer | None, str, str]], data: st.DataObject
) -> None:
    with memory() as session:
        fill(session, entries)
        gone = data.draw(st.sets(st.integers(1, len(entries)), min_size=1))
        session.execute(sa.delete(AuditEntry).where(AuditEntry.seq.in_(gone)))
        assert audit.verify(session).broken_at is not None


@given(ENTRIES.filter(lambda found: len(found) > 1), st.data())
def test_two_entries_that_were_swapped_are_found(entries: list[tuple[int, Viewer | None, str, str]], data: st.DataObject) -> None:
    with memory() as session:
        fill(session, entries)
        one = data.draw(st.integers(1, len(entries) - 1))
        other = data.draw(st.integers(one + 1, len(entries)))
        for old, new in ((one, -1), (other, one), (-1, other)):
            session.execute(sa.update(AuditEntry).where(AuditEntry.seq == old).values(seq=new))
        assert audit.verify(session).broken_at == one


@given(ENTRIES, st.one_of(st.tuples(st.just("seq"), st.integers(-5, 100)), st.tuples(st.just("hash"), TEXT)))
def test_a_head_that_was_changed_or_taken_away_is_found(
    entries: list[tuple[int, Viewer | None, str, str]], change: tuple[str, object]
) -> None:
    with memory() as session:
        fill(session, entries)
        if change == ("seq", len(entries)):
            session.execute(sa.delete(AuditHead))
        else:
            session.execute(sa.update(AuditHead).values(dict([change])))
        assert audit.verify(session).broken_at == len(entries) + 1


def test_a_long_chain_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    with memory() as session:
        fill(session, [(n, None, "act", str(n)) for n in range(10)])
        assert audit.verify(session) == audit.Verdict(10, None)
        session.execute(sa.update(AuditEntry).where(AuditEntry.seq == 7).values(subject="x"))
        assert audit.verify(session) == audit.Verdict(7, 7)


@given(ENTRIES, st.data())
def test_the_newest_entries_are_read_alone_and_a_change_among_them_is_found(
    entries: list[tuple[int, Viewer | None, str, str]], data: st.DataObject
) -> None:
    with memory() as session:
        fill(session, entries)
        newest = data.draw(st.integers(1, len(entries) + 2))
        assert audit.verify(session, newest=newest) == audit.Verdict(len(entries), None)
        seq = data.draw(st.integers(1, len(entries)))
        session.execute(sa.update(AuditEntry).where(AuditEntry.seq == seq).values(action="x" * 30))
        assert audit.verify(session, newest=newest).broken_at == (seq if seq > len(entries) - newest else None)
        assert audit.verify(session).broken_at == seq
