"""Shows what becomes of a post: kept with what it said before, taken away for good, sent to whom it may go, refused in words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import PERSON
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.features.discussions import drafts, groups, progress, reading, service
from fedcollab.features.discussions.models import Draft, Post, PostRevision
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.models import ACCEPTED, Follow
from tests.rows import START, Hands, home, memory, node, partner, quick_keys, refused


@dataclass
class Room:
    """A node with two members, ilse (admin) and daan, and a partner that follows it."""

    session: Session
    node: Node
    clock: Hands
    ilse: Viewer
    daan: Viewer
    partner_id: str

    def group(self, label: str = "TLP:GREEN", slug: str = "leads", **more: Any) -> actors.ActorData:
        return groups.create(self.session, self.node, self.ilse, slug=slug, name="Leads", label=label, **more)

    def thread(self, group_id: str, text: str = "first") -> service.Posted:
        self.clock.at += 1
        return service.post_thread(self.session, self.node, self.ilse, group_id, title="A question", text=text)

    def no(self, work: Any, *args: Any, **kwargs: Any) -> str:
        return refused(self.session, work, self.session, self.node, *args, **kwargs)

    def sent(self) -> list[str]:
        """Types of the activities that wait for the partner, the group's own documents left out."""
        query = "SELECT a.body FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE d.state = 'waiting' ORDER BY d.seq"
        bodies = [json.loads(body) for body in self.session.scalars(sa.text(query))]
        return [body["object"]["type"] for body in bodies if body["type"] == "Announce"]


@pytest.fixture
def room() -> Iterator[Room]:
    clock = Hands()
    with memory() as session, quick_keys():
        here = node(clock)
        me = home(session, here)
        people = [actors.create_own(session, here, PERSON, username=name, name=name.title()) for name in ("ilse", "daan")]
        there = partner(session, here, "p.example")
        row = dict(id="f", uri="f", follower_id=there.organisation_id, target_id=me.id, state=ACCEPTED, created_at=START)
        session.execute(sa.insert(Follow).values(row))
        viewers = [Viewer(me.id, p.id, frozenset({"member", *extra}), p.name) for p, extra in zip(people, (["admin"], []), strict=True)]
        yield Room(session, here, clock, *viewers, there.organisation_id)


def test_an_edit_keeps_what_was_said_before_and_tells_the_partners(room: Room) -> None:
    posted = room.thread(room.group().id)
    for text in ("second", "third", "third"):
        room.clock.at += 1
        service.edit(room.session, room.node, room.ilse, posted.post_id, text=text)
    found = [html for _, html in reading.revisions(room.session, room.daan, posted.post_id)]
    assert found == ["<p>second</p>", "<p>first</p>"]
    [post] = reading.posts(room.session, room.daan, posted.thread_id)
    assert (post.html, bool(post.edited_at)) == ("<p>third</p>", True)
    document = service.document(room.session, posted.post_id)
    assert (document["content"], document["name"], document["source"]["content"]) == ("<p>third</p>", "A question", "third")
    assert room.sent() == ["Create", "Update", "Update"], "one that changes nothing is told to nobody"


def test_a_deleted_post_is_gone_with_its_history_and_a_tombstone_says_so(room: Room) -> None:
    posted = room.thread(room.group().id, "a secret word")
    service.edit(room.session, room.node, room.ilse, posted.post_id, text="another secret word")
    room.clock.at += 1
    service.delete(room.session, room.node, room.ilse, posted.post_id)
    assert room.session.execute(sa.select(Post.html, Post.source)).one() == ("", "")
    assert room.session.execute(sa.select(PostRevision.id)).first() is None
    document = service.document(room.session, posted.post_id)
    assert (document["type"], document["id"]) == ("Tombstone", posted.uri)
    assert "secret" not in repr(document)
    [post] = reading.posts(room.session, room.ilse, posted.thread_id)
    assert (post.deleted_at, post.html) == (room.clock.at, "")
    assert room.sent() == ["Delete"], "what still waited is never sent"
    assert "secret" not in repr(room.session.execute(sa.text("SELECT body FROM activity")).all())
    for work, more in ((service.edit, {"text": "x"}), (service.delete, {})):
        assert "nothing here" in room.no(work, room.ilse, posted.post_id, **more)


def test_only_its_author_changes_a_post_and_who_may_not_see_it_does_not_learn_of_it(room: Room) -> None:
    posted = room.thread(room.group("TLP:AMBER+STRICT").id)
    for work, more in ((service.edit, {"text": "x"}), (service.delete, {})):
        assert "Only its author" in room.no(work, room.daan, posted.post_id, **more)
        for other in (Viewer(), Viewer(room.partner_id, "someone")):
            assert "nothing here" in room.no(work, other, posted.post_id, **more)
    assert "text is empty" in room.no(service.edit, room.ilse, posted.post_id, text=" ")
    assert [p.html for p in reading.posts(room.session, room.ilse, posted.thread_id)] == ["<p>first</p>"]
    with pytest.raises(NotFound):
        reading.own_post(room.session, room.daan, posted.post_id)


@pytest.mark.rule("P7")
def test_what_is_ours_alone_is_in_no_activity_at_all(room: Room) -> None:
    group = room.group("TLP:AMBER+STRICT")
    posted = room.thread(group.id)
    service.post_reply(room.session, room.node, room.daan, posted.thread_id, text="and more")
    service.edit(room.session, room.node, room.ilse, posted.post_id, text="changed")
    service.delete(room.session, room.node, room.ilse, posted.post_id)
    assert room.session.execute(sa.text("SELECT count(*) FROM activity")).scalar_one() == 0
    assert reading.groups(room.session, Viewer(room.partner_id)) == []
    assert room.thread(room.group("TLP:GREEN", "shared").id)
    assert room.sent() == ["Create"]


@pytest.mark.parametrize("label", ["TLP:AMBER", "TLP:RED"])
def test_a_group_that_would_need_sealing_is_refused_with_what_to_choose(room: Room, label: str) -> None:
    said = room.no(groups.create, room.ilse, slug="leads", name="Leads", label=label)
    assert "is for what is sealed: a case, or a sealed group. Here choose TLP:" in said
    assert reading.groups(room.session, room.ilse) == []
    assert room.group()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "green"}, "must be one of"),
        ({"slug": "Leads"}, "small letters, digits and hyphens"),
        ({"slug": ""}, "small letters, digits and hyphens"),
        ({"slug": "ilse"}, "already"),
        ({"slug": "organisation"}, "already"),
        ({"name": " \u202e "}, "Give the group a name"),
    ],
)
def test_a_wrong_group_is_refused_in_words(room: Room, change: dict[str, str], words: str) -> None:
    values = {"slug": "leads", "name": "Leads", "label": "TLP:GREEN"} | change
    assert words in room.no(groups.create, room.ilse, **values)
    assert "admins and moderators" in room.no(groups.create, room.daan, slug="leads", name="Leads", label="TLP:GREEN")


def test_a_draft_is_kept_one_a_place_and_forgotten_when_it_was_sent_or_emptied(room: Room) -> None:
    group = room.group()
    for text in ("half a", "half a word"):
        drafts.save_draft(room.session, room.node, room.ilse, group.id, title="T", text=text)
    drafts.save_draft(room.session, room.node, room.daan, group.id, title="", text="another's")
    assert reading.draft(room.session, room.ilse, group.id) == ("T", "half a word")
    posted = room.thread(group.id)
    assert reading.draft(room.session, room.ilse, group.id) == ("T", "half a word"), "a tool sent something else meanwhile"
    service.post_thread(room.session, room.node, room.ilse, group.id, title="T", text="half a word", once=new_id())
    assert reading.draft(room.session, room.ilse, group.id) == ("", "")
    assert reading.draft(room.session, room.daan, group.id) == ("", "another's")
    drafts.save_draft(room.session, room.node, room.daan, posted.thread_id, title="", text="an answer")
    service.post_reply(room.session, room.node, room.daan, posted.thread_id, text="an answer", once=new_id())
    drafts.save_draft(room.session, room.node, room.daan, group.id, title=" ", text=" ")
    assert room.session.execute(sa.select(Draft.text)).all() == []


def test_a_form_sent_twice_is_one_post_and_anothers_id_takes_nothing_over(room: Room) -> None:
    posted, once = room.thread(room.group().id), new_id()
    first = service.post_reply(room.session, room.node, room.daan, posted.thread_id, text="one", once=once)
    assert service.post_reply(room.session, room.node, room.daan, posted.thread_id, text="one", once=once) == first
    assert first.post_id == once
    for odd in ("", "x", once.upper() + "/..", "0" * 36):
        made = service.post_reply(room.session, room.node, room.daan, posted.thread_id, text="one", once=odd)
        assert made.post_id not in ("", odd)


def test_reading_goes_on_where_it_was_left_and_never_back(room: Room) -> None:
    posted = room.thread(room.group().id)
    for place, expected in ((3, 3), (1, 3), (7, 7)):
        progress.mark_read(room.session, room.daan, posted.thread_id, place)
        assert reading.around(room.session, room.daan, posted.thread_id).read_place == expected
    assert reading.around(room.session, room.ilse, posted.thread_id).read_place == 1, "nobody else's reading moves it"


def test_a_thread_is_marked_unread_until_its_last_post_was_seen(room: Room) -> None:
    group = room.group()
    posted = room.thread(group.id)

    def unread(viewer: Viewer) -> list[bool]:
        return [thread.unread for thread in reading.newest(room.session, viewer)]

    assert unread(room.daan) == [True]
    progress.mark_read(room.session, room.daan, posted.thread_id, 1)
    assert unread(room.daan) == [False]
    service.post_reply(room.session, room.node, room.ilse, posted.thread_id, text="second")
    assert unread(room.daan) == [True]


def test_what_somebody_wrote_is_not_new_to_them_unless_something_before_it_still_is(room: Room) -> None:
    group = room.group()
    posted = room.thread(group.id)

    def unread(viewer: Viewer) -> bool:
        return reading.newest(room.session, viewer)[0].unread

    assert not unread(room.ilse)
    service.post_reply(room.session, room.node, room.daan, posted.thread_id, text="second")
    assert unread(room.ilse)
    assert unread(room.daan), "the opener is still new to its answerer"
    service.post_reply(room.session, room.node, room.ilse, posted.thread_id, text="third, the second unseen")
    assert reading.around(room.session, room.ilse, posted.thread_id).read_place == 1


def test_an_organisation_admitted_later_sees_what_comes_after_unless_history_is_open(room: Room) -> None:
    closed, opened = room.group("TLP:GREEN", "closed"), room.group("TLP:GREEN", "opened", history=True)
    before = [room.thread(group.id).thread_id for group in (closed, opened)]
    room.clock.at += DAY
    late = partner(room.session, room.node, "late.example").organisation_id
    groups.admit_partner(room.session, room.node, late)
    after = [room.thread(group.id).thread_id for group in (closed, opened)]
    seen = {t.id for group in (closed, opened) for t in reading.threads(room.session, Viewer(late), group.id)}
    assert seen == {before[1], *after}
    groups.expel_partner(room.session, room.node, late)
    assert reading.groups(room.session, Viewer(late)) == []


def test_who_is_inside_a_group_is_said_in_its_signed_document(room: Room) -> None:
    group = room.group()
    document = reading.group(room.session, room.daan, group.id).document
    inside = {one.uri: (one.people, one.stranger, one.blocked) for one in groups.inside(room.session, document)}
    assert inside == {"https://home.example/actor": (2, False, False), "https://p.example/actor": (0, False, False)}
    odd: Any = {ap.MEMBERS: [{"id": "https://x.example/actor", ap.PEOPLE: -1}, {"id": 7}, "x", None, {"id": "u", ap.PEOPLE: 10**9}]}
    assert [(one.uri, one.people, one.stranger) for one in groups.inside(room.session, odd)] == [
        ("https://x.example/actor", 0, True),
        ("u", 0, True),
    ]
    for wrong in (None, {}, {ap.MEMBERS: "x"}):
        assert groups.inside(room.session, wrong) == []


def test_what_stands_around_a_thread_is_what_each_part_says_by_itself_and_each_persons_own(room: Room) -> None:
    thread_id = room.thread(room.group().id).thread_id
    drafts.save_draft(room.session, room.node, room.ilse, thread_id, title="", text="half a")
    for viewer, own in ((room.ilse, ("half a", 1)), (room.daan, ("", 0)), (Viewer(room.partner_id), ("", 0))):
        found = reading.around(room.session, viewer, thread_id)
        assert found.thread == reading.thread_row(room.session, viewer, thread_id)
        assert found.group == reading.group(room.session, viewer, found.thread.group_id)
        assert (found.draft, found.read_place) == own
    for viewer in (Viewer(), Viewer("others", "someone")):
        with pytest.raises(NotFound):
            reading.around(room.session, viewer, thread_id)
