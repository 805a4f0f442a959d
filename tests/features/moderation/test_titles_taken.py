"""Shows that the title which moderators took away is read in no news about something else in its conversation."""

import sqlalchemy as sa

from fedcollab.features.discussions import fate, service
from fedcollab.features.discussions.moderation import acting
from tests.features.moderation.conftest import Home

REFUSED = """UPDATE delivery SET state = 'refused', status = 400
    WHERE activity_id IN (SELECT id FROM activity WHERE object_uri = :uri)"""


def test_what_did_not_reach_everybody_is_told_without_a_title_that_was_taken_away(here: Home) -> None:
    made = here.thread()
    answer = here.do(service.post_reply, here.daan, made.thread_id, text="words")
    here.session.execute(sa.text(REFUSED), {"uri": answer.uri})
    assert [one.title for one in fate.undelivered(here.session, here.daan)] == ["A question"]
    here.do(acting.remove, here.mona, made.post_id, "The title names a person.")
    assert [(one.post_id, one.title) for one in fate.undelivered(here.session, here.daan)] == [(answer.post_id, None)]
    here.do(acting.restore, here.mona, made.post_id, "It was another one.")
    assert [one.title for one in fate.undelivered(here.session, here.daan)] == ["A question"]
