"""Shows that what was decided against others does not come back with an older backup, whatever they were when that was made."""

import pytest
import sqlalchemy as sa

from fedcollab.admin import partners as deciding
from fedcollab.admin.partners import end_again, ended_since
from fedcollab.backup import erasures
from fedcollab.base.session import Session
from fedcollab.federation import partners
from fedcollab.federation.models import ADMITTED, BLOCKED, LEFT, SUSPENDED
from tests.rows import START, Hands, home, memory, node, organisation, partner

PARTS = (erasures.Part("partners", ended_since, end_again),)
HOST = "friend.example"


@pytest.mark.rule("R15")
@pytest.mark.parametrize(
    ("then", "since"),
    [(ADMITTED, SUSPENDED), (ADMITTED, BLOCKED), (ADMITTED, LEFT), (SUSPENDED, BLOCKED), (SUSPENDED, LEFT), (LEFT, BLOCKED)],
)
def test_a_partner_is_what_it_was_made_since_the_backup(then: str, since: str) -> None:
    here = node(Hands())

    def at_backup(session: Session) -> None:
        home(session, here)
        partner(session, here, HOST, ADMITTED)
        if then != ADMITTED:
            deciding.change(session, here, None, HOST, then)

    with memory() as session:
        at_backup(session)
        before = here.now()
        deciding.change(session, here, None, HOST, since)
        listed = erasures.listed(session, PARTS, before)
    with memory() as session:
        at_backup(session)
        assert erasures.replay(session, here, PARTS, listed) == 1
        assert partners.find(session, HOST).state == since
        assert erasures.replay(session, here, PARTS, listed) == 0


@pytest.mark.rule("R15")
def test_an_introduced_organisation_that_was_hidden_since_stays_hidden() -> None:
    here = node(Hands())

    def at_backup(session: Session) -> None:
        home(session, here)
        them = organisation(session, "far.example", known="introduced")
        host = partner(session, here, HOST).organisation_id
        session.execute(sa.text("UPDATE actor SET through_id = :host WHERE id = :id"), {"id": them, "host": host})

    with memory() as session:
        at_backup(session)
        deciding.block(session, here, None, "far.example")
        listed = erasures.listed(session, PARTS, START)
        deciding.unblock(session, here, None, "far.example")
        assert erasures.listed(session, PARTS, START) == {"partners": []}
    with memory() as session:
        at_backup(session)
        assert erasures.replay(session, here, PARTS, listed) == 1
        assert [one.blocked for one in partners.introduced(session)] == [True]
        assert erasures.replay(session, here, PARTS, listed) == 0
