"""Shows what restoring a post brings back when the record of what was sent is long gone."""

from typing import Any

import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.features.discussions.moderation import acting
from fedcollab.federation import retention
from tests.features.moderation.conftest import Home


def a_long_time(here: Home) -> None:
    """All has arrived, and 50 days have gone by."""
    here.delivered()
    here.session.execute(sa.text("UPDATE delivery SET done_at = :at"), {"at": here.clock.at})
    here.clock.at += 50 * DAY
    for chore in retention.CHORES:
        chore(here.session, here.node)
    assert here.session.execute(sa.text("SELECT count(*) FROM activity WHERE type = 'Announce'")).scalar_one() == 0


def contents(sent: list[dict[str, Any]]) -> list[str]:
    return [one["object"]["content"] for one in sent if one["type"] == "Create"]


def test_an_old_post_of_our_members_comes_back_everywhere_when_it_is_restored(here: Home) -> None:
    made = here.thread()
    a_long_time(here)
    assert acting.comes_back(here.session, here.mona, made.post_id)
    here.do(acting.remove, here.mona, made.post_id, "why")
    assert contents(here.sent()) == []
    here.delivered()
    here.do(acting.restore, here.mona, made.post_id, "why not")
    assert contents(here.sent()) == ["<p>words of daan</p>"]
    here.delivered()
    here.do(acting.remove, here.mona, made.post_id, "again")
    here.do(acting.restore, here.mona, made.post_id, "why not")
    assert contents(here.sent()) == ["<p>words of daan</p>"], "once, from the record that there is again"


def test_moderators_are_told_before_they_remove_what_others_cannot_get_back(here: Home) -> None:
    made = here.thread()
    here.session.execute(sa.text("UPDATE actor SET known = 'partner' WHERE id = :id"), {"id": here.daan.person_id})
    assert acting.comes_back(here.session, here.mona, made.post_id)
    a_long_time(here)
    assert not acting.comes_back(here.session, here.mona, made.post_id)
