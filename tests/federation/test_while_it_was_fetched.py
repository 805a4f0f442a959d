"""Shows that what an admin decides while a partner's document is fetched holds: the answer, whenever it comes, undoes no block."""

import pytest
import sqlalchemy as sa

from fedcollab.access.models import Block
from fedcollab.admin import partners as acts
from fedcollab.base.session import Session
from fedcollab.federation import offers, partners, profiles
from fedcollab.federation.models import BLOCKED, LEFT, SUSPENDED
from tests.rows import Hands, ed_public, ed_signer, home, memory, node, partner


def shown(found: partners.PartnerData) -> profiles.Profile:
    """What the partner's host shows: other keys than those that are pinned."""
    signer = ed_signer(found.uri)
    fresh = {signer.uri: (signer.kind, ed_public(signer))}
    return profiles.Profile(found.uri, "Organization", "o", "O", "", found.host, found.uri + "/inbox", found.uri, fresh, {"id": found.uri})


def state(session: Session, host: str) -> tuple[str, str, int]:
    found = partners.find(session, host)
    blocks = session.scalar(sa.select(sa.func.count()).select_from(Block).where(Block.organisation_id == found.organisation_id))
    return found.state, found.suspended_for, blocks or 0


@pytest.mark.parametrize(("decided", "after"), [(BLOCKED, (BLOCKED, "", 1)), (LEFT, (LEFT, "", 0))])
def test_other_keys_that_come_after_the_decision_change_nothing_of_it(decided: str, after: tuple[str, str, int]) -> None:
    at = node(Hands())
    with memory() as session:
        home(session, at)
        asked = partner(session, at, "p.example")
        acts.change(session, at, None, asked.host, decided)
        offers.compare(session, at, asked, shown(asked))
        assert state(session, asked.host) == after


def test_without_a_decision_other_keys_suspend() -> None:
    at = node(Hands())
    with memory() as session:
        home(session, at)
        asked = partner(session, at, "p.example")
        assert not offers.compare(session, at, asked, shown(asked))
        assert state(session, asked.host) == (SUSPENDED, "keys", 0)
