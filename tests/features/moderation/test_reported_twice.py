"""Shows that pressing the button twice makes one report."""

from fedcollab.base.clock import DAY
from fedcollab.features.discussions.moderation import flags, records
from tests.features.moderation.conftest import Home
from tests.features.moderation.elsewhere import Elsewhere


def test_the_same_report_again_is_one_report_and_another_is_another(here: Home) -> None:
    there = Elsewhere(here.session, here.node)
    assert there.announce(there.create()) == ""
    post_id = str(here.session.connection().exec_driver_sql("SELECT id FROM post").scalar_one())
    first = here.do(flags.make, here.daan, post_id, reason="rude", text="Look.")
    assert here.do(flags.make, here.daan, post_id, reason="rude", text="Look. ") == first
    made = {first, here.do(flags.make, here.mona, post_id, reason="rude", text="Look.")}
    made.add(here.do(flags.make, here.daan, post_id, reason="harm", text="Look."))
    here.clock.at += DAY
    made.add(here.do(flags.make, here.daan, post_id, reason="rude", text="Look."))
    assert len(made) == 4
    assert len(records.queue(here.session, here.mona)[0].reports) == 4
