"""Shows that what moderators did after a backup stands where that one comes back: what they removed, hid or locked, and what they undid."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from fedcollab.backup import erasures
from fedcollab.features.discussions import service
from fedcollab.features.discussions.erased import ERASURES
from fedcollab.features.discussions.moderation import acting

from .conftest import Home

WHY = "It names somebody."


def restored(here: Home, *happens: Callable[[], object]) -> int:
    """Things happen, after each of which a newer backup is made; then the older one comes back. How much was taken away again."""
    noted = []
    with here.session.connection().begin_nested() as later:
        for one in happens:
            one()
            noted.append(ERASURES.listed(here.session, here.clock.at - 3600_000_000))
        later.rollback()
    return sum(erasures.replay(here.session, here.node, [ERASURES], {"posts": names}) for names in noted)


def stands(here: Home, posted: service.Posted) -> tuple[str | None, str | None, bool]:
    """(why the post is removed, why its conversation is locked, whether its text is deleted)."""
    words = "SELECT p.removed, t.locked, p.deleted_at IS NOT NULL FROM post p JOIN thread t ON t.id = p.thread_id WHERE p.id = :id"
    row = here.session.execute(sa.text(words), {"id": posted.post_id}).one()
    return row[0], row[1], bool(row[2])


@pytest.mark.rule("P11")
def test_what_was_removed_and_locked_stays_so_and_nobody_is_told_twice(here: Home) -> None:
    posted = here.thread()
    here.delivered()
    taken = restored(
        here,
        lambda: here.do(acting.remove, here.mona, posted.post_id, WHY),
        lambda: here.do(acting.lock, here.mona, posted.thread_id, "It is settled."),
    )
    assert taken == 2
    assert stands(here, posted) == (WHY, "It is settled.", False)
    assert here.sent() == []


@pytest.mark.rule("P11")
def test_what_was_undone_after_a_newer_backup_is_undone_and_what_was_deleted_is_deleted(here: Home) -> None:
    posted = here.thread()
    other = here.do(service.post_reply, here.daan, posted.thread_id, text="more words")
    taken = restored(
        here,
        lambda: here.do(acting.remove, here.mona, posted.post_id, WHY),
        lambda: here.do(acting.restore, here.mona, posted.post_id, "It was a mistake."),
        lambda: here.do(service.delete, here.daan, other.post_id),
    )
    assert taken == 3
    assert stands(here, posted)[0] is None
    assert stands(here, other)[2]


def test_an_act_in_a_group_that_the_older_backup_does_not_know_is_passed_over(here: Home) -> None:
    posted = here.thread()

    def elsewhere() -> None:
        later = here.group(slug="later")
        made = here.do(service.post_thread, here.daan, later.id, title="New", text="words")
        here.do(acting.remove, here.mona, made.post_id, WHY)

    assert restored(here, elsewhere) == 0
    assert stands(here, posted) == (None, None, False)
    here.do(acting.remove, here.mona, posted.post_id, WHY)
    assert stands(here, posted)[0] == WHY
