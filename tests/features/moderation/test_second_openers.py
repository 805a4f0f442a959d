"""Shows that a conversation's title is its opener's alone: whoever answers without saying to what gets no hold of it."""

import pytest
import sqlalchemy as sa

from fedcollab.actors.service import ActorData
from fedcollab.features.discussions.moderation import acting
from fedcollab.federation import activitystreams as ap
from tests.features.moderation.conftest import Home
from tests.features.moderation.elsewhere import Elsewhere, person

SECOND = "https://host.example/posts/p2"


def wild(there: Elsewhere, other: ActorData) -> ap.Document:
    """A Note in the conversation that answers nothing, as it says."""
    note = {"id": SECOND, "type": "Note", "attributedTo": other.uri, "content": "<p>other words</p>", "context": there.context}
    return ap.activity("Create", there.fresh(), other.uri, note | {"audience": there.group.uri}, context=there.context)


def titles(here: Home) -> list[tuple[str, bool]]:
    return [(title, bool(untitled)) for title, untitled in here.session.execute(sa.text("SELECT title, untitled FROM thread"))]


@pytest.mark.parametrize("way", ["deleted", "removed", "hidden"])
def test_an_answer_that_names_nothing_takes_no_title_with_it_when_it_goes(here: Home, way: str) -> None:
    there = Elsewhere(here.session, here.node)
    other = person(here.session, there.host, "mallory")
    assert there.announce(there.create()) == ""
    assert there.announce(wild(there, other)) == ""
    if way == "deleted":
        gone = {"id": SECOND, "type": "Tombstone", "context": there.context}
        assert there.announce(ap.activity("Delete", there.fresh(), other.uri, gone)) == ""
    elif way == "removed":
        assert there.announce(there.act("Delete", SECOND), by=there.moderator) == ""
    else:
        post_id = here.session.scalar(sa.text("SELECT id FROM post WHERE uri = :uri"), {"uri": SECOND})
        here.do(acting.remove, here.mona, str(post_id), "why")
    assert titles(here) == [("A question", False)]
    assert there.announce(there.deletion()) == ""
    assert titles(here) == [("", True)], "the opener's own deletion takes it"


def test_nobody_gives_a_new_title_to_a_conversation_whose_opener_is_gone(here: Home) -> None:
    there = Elsewhere(here.session, here.node)
    assert there.announce(there.create()) == ""
    assert there.announce(there.deletion()) == ""
    assert there.announce(wild(there, person(here.session, there.host, "mallory"))) == ""
    assert titles(here) == [("", True)]


def test_an_opener_that_comes_after_its_answers_gives_the_title_still(here: Home) -> None:
    there = Elsewhere(here.session, here.node)
    late = there.create("https://host.example/posts/p3", type="Note", name="", inReplyTo=there.post)
    assert there.announce(late) == ""
    assert titles(here) == [("", False)]
    assert there.announce(there.create()) == ""
    assert titles(here) == [("A question", False)]
