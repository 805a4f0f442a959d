"""Shows that whatever is asked about what waits passes by nothing that is done: that is nearly all, and the more the longer a node runs."""

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.base.statements import DRIVER
from fedcollab.federation import catchup, delivery, inbox, lanes, outbox, partners, queue, retention, streams
from fedcollab.federation.partners import PartnerData
from tests.rows import Hands, home, memory, node, partner

OF_ALL = re.compile(r"(SCAN (delivery|inbox_item)\b(?! USING (COVERING )?INDEX ix_\w+_(open|next|first))|delivery_1 \(partner_id=\?\))")
QUESTIONS: dict[str, Callable[[Session, Node, PartnerData], Any]] = {
    "what goes next": lambda s, at, p: delivery.batch(s, p.id, at.now()),
    "who is due": lambda s, at, _p: delivery.lease(s, at.now()),
    "when to look again": lambda s, at, _p: delivery.next_due(s, at.now()),
    "how much waits": lambda s, _at, _p: delivery.counts(s),
    "the admin's lines": lambda s, _at, _p: queue.lines(s),
    "what was given up": lambda s, _at, _p: queue.given_up(s),
    "what is stuck": lambda s, _at, _p: queue.stuck(s),
    "the number in the menu": lambda s, _at, _p: queue.attention(s),
    "send all again": lambda s, at, _p: queue.retry(s, at),
    "put all away": lambda s, at, _p: queue.drop(s, at),
    "process all again": lambda s, _at, _p: queue.retry_arrived(s),
    "put all away that came": lambda s, _at, _p: queue.drop_arrived(s),
    "try all now": lambda s, at, _p: queue.now(s, at),
    "try a partner's now": lambda s, at, p: queue.now(s, at, partner_id=p.id),
    "what a partner confirms": lambda s, at, p: streams.acknowledge(s, at, p.id, (1, 0)),
    "a partnership ends": partners.drop_waiting,
    "a block": lambda s, _at, p: partners.drop_received(s, p),
    "a thing is deleted": lambda s, at, _p: outbox.withhold(s, at, "https://home.example/posts/1", "deleted"),
    "what is ready": lambda s, at, _p: (lanes.ready(s, at.now()), lanes.due(s, at.now()), lanes.early(s, at.now())),
    "is there room": lambda s, _at, p: catchup._full(s, p.host),
}


def plans(session: Session, work: Callable[[], Any]) -> list[str]:
    """How SQLite goes about each statement of some work."""
    driver: sqlite3.Connection = session.info[DRIVER]
    said: list[str] = []
    driver.set_trace_callback(said.append)
    try:
        work()
    finally:
        driver.set_trace_callback(None)
    asked = [words for words in said if words.split()[0] in ("SELECT", "UPDATE", "DELETE")]
    return [row[3] for words in asked for row in driver.execute(f"EXPLAIN QUERY PLAN {words}")]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_about_what_waits_is_answered_by_an_index_of_what_is_not_done(question: str) -> None:
    at = node(Hands())
    with memory() as session:
        home(session, at)
        there = partner(session, at, "p.example")
        found = plans(session, lambda: QUESTIONS[question](session, at, there))
        assert found
        assert [step for step in found if OF_ALL.search(step)] == []


def test_whether_something_before_an_early_one_waits_is_not_asked_of_all_numbers() -> None:
    with memory() as session:
        home(session, node(Hands()))
        found = plans(session, lambda: inbox._behind(session, "p.example", 1, 500))
        [counted, open_] = [step for step in found if "inbox_item" in step]
        assert "seq>? AND seq<?" in counted, "bounded by the gap"
        assert "ix_inbox_item_open" in open_


def test_purging_looks_at_all_only_where_it_begins_with_the_oldest() -> None:
    at = node(Hands())
    with memory() as session:
        home(session, at)
        partner(session, at, "p.example")
        found = [step for step in plans(session, lambda: retention.purge_deliveries(session, at)) if OF_ALL.search(step)]
        assert len(found) == 1, "those that are done, which begin at the oldest number"
