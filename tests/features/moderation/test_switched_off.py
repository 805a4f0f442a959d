"""Shows that a partner whose discussions were switched off is sent no new words by way of a change either, and deletions still."""

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.features.discussions import service
from fedcollab.features.discussions.moderation import flags
from fedcollab.federation import partners
from fedcollab.federation.models import ADMITTED
from tests.features.moderation.conftest import Home
from tests.features.moderation.elsewhere import Elsewhere


def test_a_change_goes_to_nobody_who_may_not_take_part_and_a_deletion_does(here: Home) -> None:
    there = Elsewhere(here.session, here.node)
    found, _ = partners.add(here.session, here.node, actors.by_id(here.session, there.host), ("discussions",))
    partners.move(here.session, here.node, None, found, ADMITTED)
    made = here.do(service.post_thread, here.daan, there.group.id, title="T", text="one")
    here.do(service.edit, here.daan, made.post_id, text="two")
    assert [one["type"] for one in here.sent()] == ["Create", "Update"]
    here.session.execute(sa.text("UPDATE partner SET allows = '[]' WHERE host = 'host.example'"))
    assert "switched off here" in here.no(service.edit, here.daan, made.post_id, text="for others than them")
    assert there.announce(there.create()) == "", "by a host that was heard until now"
    theirs = str(here.session.scalar(sa.text("SELECT id FROM post WHERE uri = :uri"), {"uri": there.post}))
    assert flags.recipients(here.session, flags.reported(here.session, here.daan, theirs)) == flags.Recipients(None, None)
    here.do(service.delete, here.daan, made.post_id)
    assert [one["type"] for one in here.sent()][-1] == "Delete"
    assert "for others" not in str(here.sent())
