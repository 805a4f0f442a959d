"""What a partner says of its files, and through whom it came."""

import sqlalchemy as sa

from fedcollab.files import service
from fedcollab.files.models import File
from fedcollab.files.service import Attachment
from tests import rows

URI = "https://far.example/files/1"
SAID = Attachment(URI, "guide.pdf", "application/pdf", 9, "a" * 64)


def test_what_its_own_organisation_has_told_us_stays_first_hand_whichever_group_passes_it_on() -> None:
    with rows.memory() as session:
        node = rows.node()
        rows.home(session, node)
        far, group = rows.organisation(session, "far.example"), rows.organisation(session, "host.example", path="/groups/1")
        through = sa.select(File.through_id).where(File.uri == URI)
        made = service.learn(session, node, far, SAID)
        assert service.learn(session, node, far, SAID, through_id=group) == made
        assert session.scalar(through) is None


def test_what_came_through_a_group_is_had_through_the_group_that_passed_it_on_last() -> None:
    with rows.memory() as session:
        node = rows.node()
        rows.home(session, node)
        far = rows.organisation(session, "far.example")
        groups = [rows.organisation(session, "host.example", path=f"/groups/{number}") for number in (1, 2)]
        for group in groups:
            service.learn(session, node, far, SAID, through_id=group)
            assert session.scalar(sa.select(File.through_id).where(File.uri == URI)) == group
