"""Shows that a start among many partners costs what they are, not their square: each one's stream is counted once."""

import sqlite3

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.base.statements import DRIVER
from fedcollab.federation import catchup
from fedcollab.federation.models import InboxItem, Partner
from fedcollab.federation.partners import PartnerData
from tests.rows import START, Hands, home, memory, node, partner


def statements(session: Session, at: Node, **which: str) -> int:
    """How many statements the counting takes."""
    driver: sqlite3.Connection = session.info[DRIVER]
    said: list[str] = []
    driver.set_trace_callback(said.append)
    catchup.listen(session, at, **which)
    driver.set_trace_callback(None)
    return len(said)


def came(session: Session, there: PartnerData, *numbers: int) -> None:
    for seq in numbers:
        row = dict(host=there.host, uri=f"https://{there.host}/{seq}", sender_id=there.organisation_id, order_key="", body={})
        session.execute(sa.insert(InboxItem).values(**row, state="done", received_at=START, epoch=1, seq=seq))


def test_before_one_partner_is_asked_its_stream_alone_is_counted() -> None:
    at = node(Hands())
    with memory() as session:
        home(session, at)
        there = [partner(session, at, f"p{number}.example") for number in range(20)]
        for one in there:
            came(session, one, 1, 2)
        alone = statements(session, at, partner_id=there[3].id)
        heard = {row.id: row.heard_seq for row in session.execute(sa.select(Partner.id, Partner.heard_seq))}
        assert {partner_id for partner_id, seq in heard.items() if seq == 2} == {there[3].id}
        every = statements(session, at)
        assert alone <= 4
        assert every > 20
        assert statements(session, at) <= 1 + 2 * len(there), "nothing is written where nothing has come"
        assert set(session.scalars(sa.select(Partner.heard_seq))) == {2}
