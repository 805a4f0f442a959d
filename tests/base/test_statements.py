"""Shows that a statement which goes past SQLAlchemy does, answers and raises what it would by way of it."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.actors.models import Actor
from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.base.statements import DRIVER, Lost, part, prepared, put
from fedcollab.federation.models import InboxItem, Partner
from tests.rows import START, memory, node, partner

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODIES = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.lists(TEXT, max_size=3), max_size=4)
BY_URI = sa.select(InboxItem.id, InboxItem.uri, InboxItem.body, InboxItem.seq, InboxItem.attempts).where(
    InboxItem.host == sa.bindparam("host"), InboxItem.state == "waiting", InboxItem.uri == sa.bindparam("uri")
)
FLAGS = sa.select(sa.literal(value=True).label("yes"), Partner.allows, Partner.host.label("host")).where(
    Partner.host == sa.bindparam("host")
)
HOSTS, STATES = (sa.bindparam(name, expanding=True) for name in ("hosts", "states"))
ANY_OF = sa.select(Partner.host).where(Partner.host.in_(HOSTS), Partner.host != sa.bindparam("first"), Partner.state.in_(STATES))
NONE_OF = sa.select(Partner.host).where(Partner.state.in_(("admitted", "left")), Partner.host.not_in(HOSTS), Partner.state.not_in(STATES))
TABLE: Any = InboxItem.__table__
CHANGED = sa.update(TABLE).where(TABLE.c.id == sa.bindparam("item")).values(body={"a": 1}, seq=None, reason=sa.bindparam("why"))


@pytest.fixture
def session() -> Iterator[Session]:
    with memory() as made:
        partner(made, node(), "p.example")
        yield made


def slowly(session: Session, query: Any, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The same by way of SQLAlchemy."""
    return [tuple(row) for row in session.connection().execute(query, values)]


def item(session: Session, **more: Any) -> dict[str, Any]:
    sender = session.scalar(sa.select(Actor.id))
    fixed = dict(host="p.example", uri=f"https://p.example/{new_id(START)}", sender_id=sender, order_key="", state="waiting")
    return fixed | dict(body={}, received_at=START, epoch=None, seq=None) | more


@given(BODIES, st.none() | st.integers(0, 2**62))
def test_what_is_put_is_read_as_it_was_whichever_way(body: dict[str, Any], seq: int | None) -> None:
    with memory() as session:
        partner(session, node(), "p.example")
        row = item(session, body=body, seq=seq)
        put(session, InboxItem, **row)
        values = {"host": "p.example", "uri": row["uri"]}
        found = prepared(session, BY_URI, values).one()
        assert [tuple(found)] == slowly(session, BY_URI, values)
        assert (found.uri, found.body, found.seq, found.attempts) == (row["uri"], body, seq, 0)
        prepared(session, CHANGED, {"item": found.id, "why": "so"})
        assert tuple(prepared(session, BY_URI, values).one())[2:] == ({"a": 1}, None, 0)


def test_truths_lists_and_labels_are_read_by_their_types(session: Session) -> None:
    found = prepared(session, FLAGS, {"host": "p.example"}).one()
    assert [tuple(found)] == slowly(session, FLAGS, {"host": "p.example"})
    assert (found.yes, type(found.allows)) == (True, list)


@given(
    st.lists(st.sampled_from(["p.example", "q.example", "x"]), max_size=3), st.lists(st.sampled_from(["admitted", "blocked"]), max_size=2)
)
def test_a_list_of_values_may_have_any_length(hosts: list[str], states: list[str]) -> None:
    with memory() as session:
        for host in ("p.example", "q.example"):
            partner(session, node(), host)
        for query in (ANY_OF, NONE_OF):
            values = {"hosts": hosts, "states": states, "first": ""}
            assert [tuple(row) for row in prepared(session, query, values)] == slowly(session, query, values)


def test_several_rows_are_put_at_once_and_defaults_are_taken(session: Session) -> None:
    rows = [item(session, seq=number) for number in range(3)]
    put(session, InboxItem, *rows)
    found = session.execute(sa.select(InboxItem.uri, InboxItem.seq, InboxItem.reason, InboxItem.next_try_at).order_by(InboxItem.seq)).all()
    assert [tuple(row) for row in found] == [(row["uri"], row["seq"], "", 0) for row in rows]


def test_what_is_missing_or_twice_is_said_as_the_toolkit_says_it(session: Session) -> None:
    row = item(session)
    put(session, InboxItem, **row)
    with part(session), pytest.raises(sa.exc.IntegrityError):
        put(session, InboxItem, **row)
    nothing = prepared(session, BY_URI, {"host": "p.example", "uri": "x"})
    assert (nothing.first(), nothing.one_or_none(), nothing.all()) == (None, None, [])
    with pytest.raises(sa.exc.NoResultFound):
        nothing.one()
    put(session, InboxItem, **item(session))
    with pytest.raises(sa.exc.MultipleResultsFound):
        prepared(session, sa.select(InboxItem.id)).one_or_none()
    with pytest.raises(KeyError):
        prepared(session, BY_URI, {"host": "p.example"})
    with pytest.raises(sa.exc.IntegrityError):
        prepared(session, sa.update(TABLE).values(state=None))


def fail(session: Session, row: dict[str, Any]) -> None:
    with part(session):
        put(session, InboxItem, **row)
        raise ValueError("stop")


def test_a_part_that_fails_leaves_nothing_and_the_rest_stays(session: Session) -> None:
    kept, gone = item(session), item(session)
    put(session, InboxItem, **kept)
    with pytest.raises(ValueError, match="stop"):
        fail(session, gone)
    assert session.scalars(sa.select(InboxItem.uri)).all() == [kept["uri"]]


def lose(session: Session) -> None:
    with part(session):
        session.info[DRIVER].execute("ROLLBACK")
        raise ValueError


def test_a_part_under_which_the_transaction_went_says_that_nothing_may_go_on(session: Session) -> None:
    with pytest.raises(Lost):
        lose(session)
    session.info[DRIVER].execute("BEGIN")  # for the fixture's own end
