"""Shows that asking a partner for what is missing lets in nobody whom an admin keeps out."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.admin import queue
from fedcollab.base.session import Session
from fedcollab.federation.models import Partner
from tests.rows import home, memory, node, partner, quick_keys, refused


@contextmanager
def one_partner(state: str, why: str) -> Iterator[tuple[Session, Node, queue.Chosen]]:
    with memory() as session, quick_keys():
        at = node()
        home(session, at)
        there = partner(session, at, "p.example")
        session.execute(sa.update(Partner).values(state=state, suspended_for=why))
        yield session, at, queue.Chosen(there.id, there.host)


@pytest.mark.parametrize(
    ("state", "why"), [("suspended", ""), ("suspended", "keys"), ("blocked", ""), ("left", ""), ("applied", ""), ("refused", "")]
)
def test_who_is_kept_out_for_another_reason_than_silence_stays_out(state: str, why: str) -> None:
    with one_partner(state, why) as (session, at, chosen):
        assert "Approve it first" in refused(session, queue.resync, session, at, None, chosen)
        assert session.execute(sa.select(Partner.state, Partner.resync_at)).one() == (state, None)


@pytest.mark.parametrize(("state", "why"), [("admitted", ""), ("suspended", "away")])
def test_who_was_only_silent_is_let_in_and_asked(state: str, why: str) -> None:
    with one_partner(state, why) as (session, at, chosen):
        queue.resync(session, at, None, chosen)
        assert session.execute(sa.select(Partner.state, Partner.resync_at)).one() == ("admitted", at.now())
