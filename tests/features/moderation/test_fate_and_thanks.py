"""Shows that an author is told of their own words that did not arrive, and not of others' thanks."""

import sqlalchemy as sa

from fedcollab.features.discussions import fate, thanks
from tests.features.moderation.conftest import Home


def test_thanks_that_did_not_arrive_are_no_post_that_did_not_arrive(here: Home) -> None:
    made = here.thread()
    here.delivered()
    here.do(thanks.thank, here.mona, made.post_id)
    here.do(thanks.unthank, here.mona, made.post_id)
    for state in ("waiting", "refused", "parked"):
        here.session.execute(sa.text("UPDATE delivery SET state = :s, status = 400 WHERE state <> 'done'"), {"s": state})
        posts = here.seen(here.daan, made.thread_id)
        [found] = fate.of(here.session, here.daan, posts, here.clock.at).values()
        assert (found.all, found.have, found.late) == (1, 1, [])
        assert fate.undelivered(here.session, here.daan) == []
    here.session.execute(sa.text("UPDATE delivery SET state = 'refused', status = 400"))
    [found] = fate.of(here.session, here.daan, here.seen(here.daan, made.thread_id), here.clock.at).values()
    assert (found.all, found.have, [one.given_up for one in found.late]) == (1, 0, [True])
    assert [one.post_id for one in fate.undelivered(here.session, here.daan)] == [made.post_id]
