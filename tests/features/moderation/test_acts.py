"""Shows what moderators do at home: a post goes and comes back, a conversation ends and goes on, each with its reason told to all."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer, partner
from fedcollab.features.discussions import reading, service
from fedcollab.features.discussions.moderation import acting, records

from .conftest import Home
from .elsewhere import Elsewhere


def brief(activities: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(type, reason) of what was sent about posts and conversations."""
    return [(a["type"], a.get("summary", "")) for a in activities if a["type"] in ("Create", "Update", "Delete", "Undo", "Lock")]


def test_a_removed_post_is_empty_for_all_but_its_author_and_moderators(here: Home) -> None:
    posted = here.thread()
    here.do(service.edit, here.daan, posted.post_id, text="more words of daan")
    here.do(acting.remove, here.mona, posted.post_id, "It names somebody.")
    strangers = [Viewer(here.daan.organisation_id, "another", frozenset({"member"})), partner(here.partner_id), Viewer()]
    for viewer in strangers:
        for post in here.seen(viewer, posted.thread_id):
            assert (post.html, post.removed) == ("", "It names somebody.")
        assert reading.revisions(here.session, viewer, posted.post_id) == []
        assert [t.title for t in reading.threads(here.session, viewer, _group(here, posted))] in ([None], [])
    for viewer in (here.daan, here.mona):
        assert here.seen(viewer, posted.thread_id)[0].html == "<p>more words of daan</p>"
        assert len(reading.revisions(here.session, viewer, posted.post_id)) == 1
    document = service.document(here.session, posted.post_id)
    assert document["type"] == "Tombstone"
    assert "words" not in str(document)
    here.do(acting.restore, here.mona, posted.post_id, "It was somebody else.")
    assert here.seen(strangers[0], posted.thread_id)[0].html == "<p>more words of daan</p>"
    assert service.document(here.session, posted.post_id)["content"] == "<p>more words of daan</p>"
    assert reading.threads(here.session, strangers[0], _group(here, posted))[0].title == "A question"


def _group(here: Home, posted: service.Posted) -> str:
    return str(here.session.scalar(sa.text("SELECT group_id FROM thread WHERE id = :id"), {"id": posted.thread_id}))


def test_the_group_passes_on_who_removed_and_restored_what_and_why_and_the_text_again(here: Home) -> None:
    posted = here.thread()
    here.do(service.edit, here.daan, posted.post_id, text="better words")
    here.delivered()
    here.do(acting.remove, here.mona, posted.post_id, "It names somebody.")
    [delete] = here.sent()
    assert (delete["type"], delete["object"], delete["summary"]) == ("Delete", posted.uri, "It names somebody.")
    assert delete["actor"].endswith("/people/" + here.mona.person_id)
    here.delivered()
    here.do(acting.restore, here.mona, posted.post_id, "It did not.")
    undo, create, update = here.sent()
    assert (undo["type"], undo["object"]["id"], undo["summary"]) == ("Undo", delete["id"], "It did not.")
    assert (create["type"], update["type"], update["object"]["content"]) == ("Create", "Update", "<p>better words</p>")
    assert here.record()[-2:] == ["post.remove", "post.restore"]


def test_what_was_not_sent_yet_when_it_was_removed_is_not_sent_until_it_is_restored(here: Home) -> None:
    posted = here.thread()
    assert "Create" in [a["type"] for a in here.sent()]
    here.do(acting.remove, here.mona, posted.post_id, "It names somebody.")
    assert "Create" not in [a["type"] for a in here.sent()]
    here.do(acting.restore, here.mona, posted.post_id, "It did not.")
    assert [a["type"] for a in here.sent()][-3:] == ["Delete", "Undo", "Create"]


def test_an_act_done_twice_is_one_act_and_its_undoing_too(here: Home) -> None:
    posted = here.thread()
    here.delivered()
    for work in (acting.remove, acting.remove, acting.restore, acting.restore):
        here.do(work, here.mona, posted.post_id, "Because.")
    for work in (acting.lock, acting.lock, acting.unlock, acting.unlock):
        here.do(work, here.mona, posted.thread_id, "Because.")
    assert [a["type"] for a in here.sent()] == ["Delete", "Undo", "Create", "Lock", "Undo"]
    assert [e.kind for e in records.log(here.session, here.daan, posted.thread_id)] == ["lock", "remove"]


def test_only_moderators_act_and_always_say_why(here: Home) -> None:
    posted = here.thread()
    before = here.record()
    for work, subject in ((acting.remove, posted.post_id), (acting.lock, posted.thread_id)):
        assert "Only moderators" in here.no(work, here.daan, subject, "Because.")
        assert "Say why" in here.no(work, here.mona, subject, " \u200b ")
    assert "nothing here" in here.no(acting.remove, here.mona, "none", "Because.")
    assert here.record() == before
    here.do(acting.remove, here.mona, posted.post_id, "Because.")
    assert here.record()[-1] == "post.remove"


def test_moderators_delete_their_own_posts_and_remove_those_of_others(here: Home) -> None:
    posted = here.do(service.post_thread, here.mona, here.group().id, title="A question", text="words of mona")
    assert "your own post" in here.no(acting.remove, here.mona, posted.post_id, "Because.")
    here.do(service.delete, here.mona, posted.post_id)
    assert records.log(here.session, here.daan, posted.thread_id) == []


def test_an_authors_own_deletion_is_one_also_where_it_says_why(here: Home) -> None:
    far = Elsewhere(here.session, here.node)
    assert far.announce(far.create()) == ""
    assert far.announce(far.deletion() | {"summary": "written in haste"}) == ""
    assert here.session.execute(sa.text("SELECT html, removed, deleted_at IS NOT NULL FROM post")).all() == [("", None, True)]


def test_a_removed_post_can_be_deleted_and_not_changed_and_the_reasons_stay(here: Home) -> None:
    posted = here.thread()
    here.do(acting.remove, here.mona, posted.post_id, "It names somebody.")
    assert "removed this post" in here.no(service.edit, here.daan, posted.post_id, text="other")
    here.do(service.delete, here.daan, posted.post_id)
    assert "deleted this post already" in here.no(acting.remove, here.mona, posted.post_id, "Again.")
    assert here.seen(here.daan, posted.thread_id)[0].html == ""
    [entry] = records.log(here.session, here.daan, posted.thread_id)
    assert (entry.kind, entry.reason) == ("remove", "It names somebody.")
    assert ("Delete", "It names somebody.") in brief(here.sent()), "the reason is still told"
    here.do(acting.restore, here.mona, posted.post_id, "Too late.")
    assert here.seen(here.daan, posted.thread_id)[0].html == ""
    assert not [a for a in here.sent() if a["type"] == "Create"]


def test_a_locked_conversation_takes_no_answer_until_it_is_opened(here: Home) -> None:
    posted = here.thread()
    here.do(acting.lock, here.mona, posted.thread_id, "Enough said.")
    assert reading.thread_row(here.session, here.daan, posted.thread_id).locked == "Enough said."
    for viewer in (here.daan, here.mona):
        assert "locked this conversation" in here.no(service.post_reply, viewer, posted.thread_id, text="More.")
    here.do(acting.unlock, here.mona, posted.thread_id, "Go on.")
    here.do(service.post_reply, here.daan, posted.thread_id, text="More.")
    assert len(here.seen(here.daan, posted.thread_id)) == 2


def test_what_is_for_us_alone_is_moderated_and_goes_nowhere(here: Home) -> None:
    posted = here.thread("TLP:AMBER+STRICT")
    sent = len(here.sent())
    here.do(acting.remove, here.mona, posted.post_id, "Not here.")
    here.do(acting.restore, here.mona, posted.post_id, "Here after all.")
    here.do(acting.lock, here.mona, posted.thread_id, "Enough.")
    assert len(here.sent()) == sent
    assert [e.kind for e in records.log(here.session, here.daan, posted.thread_id)] == ["lock", "remove"]


def test_an_author_reads_what_was_done_and_why_until_they_say_so(here: Home) -> None:
    posted = here.thread()
    here.do(acting.remove, here.mona, posted.post_id, "It names somebody.")
    [told] = records.told(here.session, here.daan, fresh=True)
    assert (told.kind, told.reason, told.undone_at) == ("remove", "It names somebody.", None)
    assert records.told(here.session, here.mona) == []
    records.read_by_author(here.session, here.daan, here.clock.at)
    assert records.told(here.session, here.daan, fresh=True) == []
    here.do(acting.restore, here.mona, posted.post_id, "It did not.")
    [told] = records.told(here.session, here.daan, fresh=True)
    assert told.undone_reason == "It did not."
    assert len(records.told(here.session, here.daan)) == 1


def test_in_somebody_elses_group_a_post_is_hidden_on_this_node_alone(here: Home) -> None:
    far = Elsewhere(here.session, here.node, ours=False)
    far.announce(far.create())
    post_id, thread_id = here.session.execute(sa.text("SELECT id, thread_id FROM post WHERE uri = :uri"), {"uri": far.post}).one()
    before = len(here.sent())
    here.do(acting.remove, here.mona, post_id, "Not for our people.")
    assert len(here.sent()) == before, "nobody else hears of it"
    [post] = here.seen(here.daan, thread_id)
    assert (post.html, post.hidden, post.removed) == ("", "Not for our people.", None)
    assert here.seen(here.mona, thread_id)[0].html == "<p>words</p>", "our own moderators can show it again"
    assert [e.kind for e in records.log(here.session, here.daan, thread_id)] == ["hide"]
    assert "keeps the group" in here.no(acting.lock, here.mona, thread_id, "Enough.")
    here.do(acting.restore, here.mona, post_id, "It was meant otherwise.")
    assert here.seen(here.daan, thread_id)[0].html == "<p>words</p>"
    assert here.record()[-2:] == ["post.hide", "post.show"]
