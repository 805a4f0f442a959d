"""Shows that the pages of a stream leave nothing out, whatever lies between: what is too large, not sent or emptied ends no stream."""

import json

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.federation import streams
from fedcollab.federation.models import Activity, Delivery, Partner
from fedcollab.federation.streams import PAGE, PAGE_BYTES
from tests.rows import START, Hands, home, memory, node, partner

LARGE = '{"content":"%s"}' % ("x" * PAGE_BYTES)


def fill(session: Session, bodies: list[str]) -> str:
    """A partner that was sent activities with these bodies; answers its row id."""
    at = node(Hands())
    me, there = home(session, at), partner(session, at, "p.example")
    for seq, body in enumerate(bodies, 1):
        row_id = new_id(START)
        row = dict(id=row_id, uri=f"https://home.example/activities/{row_id}", type="Create", actor_id=me.id, object_uri=str(seq))
        session.execute(sa.insert(Activity).values(**row, order_key="t", body=body, created_at=START))
        session.execute(sa.insert(Delivery).values(partner_id=there.id, seq=seq, activity_id=row_id, order_key="t", state="waiting"))
    session.execute(sa.update(Partner).values(last_seq=len(bodies)))
    return there.id


def heard(session: Session, partner_id: str) -> list[int]:
    """The numbers that somebody gets who asks as our own catch-up does, until a page is empty."""
    since, numbers = (1, 0), list[int]()
    for _ in range(20):
        made = streams.page(session, partner_id, since).document("https://home.example/actor/stream", since)
        newest, entries, more = streams.entries_of(json.loads(made), since)
        if not entries:
            return numbers
        numbers += [seq for seq, _ in entries]
        since = (newest[0], entries[-1][0]) if more else newest
    raise AssertionError("it never ends")


@pytest.mark.parametrize("place", [1, 7, PAGE - 1, PAGE, PAGE + 1])
@pytest.mark.parametrize("between", [LARGE, ""])
def test_one_that_is_left_out_of_a_page_takes_nothing_after_it_along(place: int, between: str) -> None:
    bodies = ["{}"] * (2 * PAGE + 5)
    bodies[place - 1] = between
    with memory() as session:
        partner_id = fill(session, bodies)
        assert heard(session, partner_id) == [seq for seq in range(1, len(bodies) + 1) if seq != place]


@pytest.mark.parametrize("number", [PAGE - 1, PAGE, PAGE + 1])
def test_a_page_says_that_there_is_more_exactly_where_there_is(number: int) -> None:
    with memory() as session:
        partner_id = fill(session, ["{}"] * number)
        found = streams.page(session, partner_id, (1, 0))
        assert (len(found.entries), found.more) == (min(number, PAGE), number > PAGE)


def test_more_than_a_page_of_what_nobody_takes_ends_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PAGE", 4)
    with memory() as session:
        partner_id = fill(session, [*["{}"] * 3, *[LARGE] * 9, "{}"])
        assert heard(session, partner_id) == [1, 2, 3, 13]
