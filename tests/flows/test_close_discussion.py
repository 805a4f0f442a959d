"""A conversation is closed into a resource, with its contributors named and nobody new reading it."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.actors.models import Actor
from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound, Refused
from fedcollab.features.discussions import groups, reading
from fedcollab.features.discussions import service as discussions
from fedcollab.features.discussions.models import Post
from fedcollab.features.resources import service as library
from fedcollab.features.resources import shelves
from fedcollab.features.resources.record import Record
from fedcollab.flows import close_discussion, discuss_resource
from tests.features.conftest import House
from tests.rows import organisation

CLEAR, GREEN, STRICT = "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER+STRICT"
RECORD = Record(title="What berry adverts promise", kind="Guide", language="en", summary="Three signs.")


async def talk(house: House, label: str = GREEN) -> str:
    """A conversation of two of our people."""
    group = await house.site.group(house.admin, "leads", label)
    posted = await house.site.thread(house.admin, group, "Berry adverts", "What do you *see*?")
    amal = await house.site.member("amal")
    await house.site.write(discussions.post_reply, amal.viewer, posted.thread_id, text="Deposits by mobile money.")
    return posted.thread_id


async def look(house: House, thread_id: str) -> close_discussion.Closing:
    found: close_discussion.Closing = await house.site.kernel.database.read(
        close_discussion.look, house.site.kernel.node, house.admin.viewer, thread_id
    )
    return found


async def rows(house: House, query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = await house.site.kernel.database.read(
        lambda session: [tuple(row) for row in session.execute(sa.text(query))]
    )
    return found


async def test_the_contributors_are_named_and_the_conversation_ends(house: House) -> None:
    thread_id = await talk(house)
    closing = await look(house, thread_id)
    assert [one.name for one in closing.people] == ["Ilse", "Amal"]
    assert "> What do you see ?" in closing.text or "> What do you see?" in closing.text
    named = frozenset(one.id for one in closing.people if one.name == "Amal")
    made = await house.site.write(
        close_discussion.close, house.admin.viewer, thread_id, RECORD, label=GREEN, named=named, lock="Go on in the library.", once=new_id()
    )
    assert await rows(house, f"SELECT authors, label FROM resource WHERE id = '{made}'") == [('["Amal (Meridian Outreach)"]', GREEN)]
    assert await rows(house, f"SELECT locked FROM thread WHERE id = '{thread_id}'") == [("Go on in the library.",)]
    beside = await house.site.kernel.database.read(
        discuss_resource.of_resource, house.admin.viewer, house.site.kernel.node.settings.uri(f"/library/{made}")
    )
    assert [(one.path, one.word) for one in beside] == [(f"/threads/{thread_id}", "The discussion it grew from")]


async def test_a_form_sent_twice_makes_one_resource(house: House) -> None:
    thread_id, once = await talk(house), new_id()
    sent = dict(label=STRICT, named=frozenset[str](), once=once)
    first = await house.site.write(close_discussion.close, house.admin.viewer, thread_id, RECORD, **sent)
    assert await house.site.write(close_discussion.close, house.admin.viewer, thread_id, RECORD, **sent) == first
    assert await rows(house, "SELECT count(*) FROM resource") == [(1,)]


@pytest.mark.parametrize(
    ("talked", "label", "good"), [(STRICT, GREEN, False), (GREEN, CLEAR, False), (STRICT, STRICT, True), (CLEAR, CLEAR, True)]
)
async def test_it_is_no_wider_than_the_conversation(house: House, talked: str, label: str, good: bool) -> None:
    thread_id = await talk(house, talked)
    close = house.site.write(close_discussion.close, house.admin.viewer, thread_id, RECORD, label=label, named=frozenset())
    if good:
        assert await close
    else:
        with pytest.raises(Refused, match="more people"):
            await close
        assert await rows(house, "SELECT count(*) FROM resource") == [(0,)]


async def test_one_post_for_fewer_makes_the_resource_for_fewer(house: House) -> None:
    thread_id = await talk(house, CLEAR)
    await house.site.write(discussions.post_reply, house.admin.viewer, thread_id, text="Among us: no.", label=GREEN)
    assert (await look(house, thread_id)).labels == (STRICT, GREEN)


async def test_a_post_for_fewer_counts_wherever_it_stands_in_a_long_conversation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    thread_id = await talk(house, CLEAR)
    await house.site.write(discussions.post_reply, house.admin.viewer, thread_id, text="Among us: no.", label=GREEN)
    monkeypatch.setattr(close_discussion, "PAGES", 0)  # as if all of it stood on pages that are summed up by hand
    assert (await look(house, thread_id)).labels == (STRICT, GREEN)


async def test_a_conversation_is_not_ended_without_a_reason_and_nothing_is_made(house: House) -> None:
    thread_id = await talk(house)
    with pytest.raises(Refused):
        await house.site.write(close_discussion.close, house.admin.viewer, thread_id, RECORD, label=GREEN, named=frozenset(), lock=" ")
    assert await rows(house, "SELECT count(*) FROM resource") == [(0,)]


async def test_who_may_not_see_the_conversation_closes_nothing(house: House) -> None:
    thread_id = await talk(house, CLEAR)
    stranger = house.site.stranger().viewer
    with pytest.raises(NotFound):
        await house.site.write(close_discussion.close, stranger, thread_id, RECORD, label=STRICT, named=frozenset())
    assert (await house.site.stranger().get(f"/threads/{thread_id}/to-library"))[0] in (302, 303)


async def test_words_of_others_are_not_put_before_organisations_that_are_not_in_the_group(house: House) -> None:
    thread_id = await talk(house)
    before = await look(house, thread_id)
    assert (before.newcomers, "Deposits" in before.text) == ((), True)
    await house.site.write(_newcomer)
    after = await look(house, thread_id)
    assert after.newcomers == ("Casa Ladera",)
    assert "Deposits" in after.text  # our own people's words are ours


def _newcomer(session: Any, node: Any) -> None:
    """An organisation that our library is for, and no group of ours."""
    other = organisation(session, "casa.example")
    session.execute(sa.update(Actor).where(Actor.id == other).values(name="Casa Ladera"))
    policy.admit(session, shelves.ours(session, node, GREEN), other, since=node.now())


async def test_the_page_closes_it_without_script(house: House) -> None:
    thread_id = await talk(house)
    status, body = await house.admin.get(f"/threads/{thread_id}/to-library")
    assert (status, "Berry adverts" in body) == (200, True)
    path = f"/threads/{thread_id}/to-library"
    status, location, _ = await house.admin.post(path, at=path, title="", text="Three signs", label=GREEN, kind="Guide")
    assert (status, location) == (422, "")
    sent = dict(title="Three signs", text="Three signs", label=GREEN, kind="Guide", lock="1", reason="Done")
    status, location, _ = await house.admin.post(path, at=path, **sent)
    assert (status, location.startswith("/library/")) == (303, True)


async def test_a_resource_is_talked_of_where_everybody_may_see_it(house: House) -> None:
    thread_id = await talk(house)
    green = await house.site.write(close_discussion.close, house.admin.viewer, thread_id, RECORD, label=GREEN, named=frozenset())
    ours = await house.site.write(close_discussion.close, house.admin.viewer, thread_id, RECORD, label=STRICT, named=frozenset())
    await house.site.group(house.admin, "us", STRICT)
    await house.site.group(house.admin, "all", CLEAR)
    topics = [
        await house.site.kernel.database.read(discuss_resource.look, house.site.kernel.node, house.admin.viewer, one)
        for one in (green, ours)
    ]
    assert [sorted(group.actor.username for group, _ in topic.groups) for topic in topics] == [["leads", "us"], ["us"]]
    group_id = topics[0].groups[0][0].actor.id
    said = dict(title="About it", text="Is it right?", once=new_id())
    made = await house.site.write(discuss_resource.begin, house.admin.viewer, green, group_id, **said)
    assert await house.site.write(discuss_resource.begin, house.admin.viewer, green, group_id, **said) == made
    uri = house.site.kernel.node.settings.uri(f"/threads/{made}")
    beside = await house.site.kernel.database.read(discuss_resource.of_thread, house.admin.viewer, uri)
    assert [one.path for one in beside] == [f"/library/{green}"]
    everywhere = next(
        group.actor.id
        for group in await house.site.kernel.database.read(reading.groups, house.admin.viewer)
        if group.actor.username == "all"
    )
    with pytest.raises(Refused, match="Choose one of the groups"):
        await house.site.write(discuss_resource.begin, house.admin.viewer, green, everywhere, title="x", text="y", once="")


@pytest.mark.rule("P7")
async def test_the_address_of_what_we_say_among_ourselves_stands_in_no_record(house: House) -> None:
    thread_id = await talk(house, STRICT)
    made = await house.site.write(close_discussion.close, house.admin.viewer, thread_id, RECORD, label=STRICT, named=frozenset())
    ours = await house.site.group(house.admin, "us", STRICT)
    inside = await house.site.group(house.admin, "partners", GREEN)
    wide = (await house.site.write(library.add, house.admin.viewer, RECORD, label=GREEN)).id
    said = dict(title="About it", text="Is it right?")
    begun = await house.site.write(discuss_resource.begin, house.admin.viewer, wide, ours, **said, once=new_id())
    query = "SELECT id, discussion FROM resource ORDER BY id"
    assert await rows(house, query) == sorted([(made, ""), (wide, "")])
    for resource_id, there in ((made, thread_id), (wide, begun)):
        uri = house.site.kernel.node.settings.uri(f"/library/{resource_id}")
        beside = await house.site.kernel.database.read(discuss_resource.of_resource, house.admin.viewer, uri)
        assert [one.path for one in beside] == [f"/threads/{there}"]
    told = await house.site.write(discuss_resource.begin, house.admin.viewer, wide, inside, **said, once=new_id())
    assert dict(await rows(house, query))[wide] == house.site.kernel.node.settings.uri(f"/threads/{told}")


@pytest.mark.rule("P8")
async def test_a_title_of_others_is_not_put_before_newcomers(house: House) -> None:
    thread_id = await talk(house)
    await house.site.write(_newcomer)
    assert (await look(house, thread_id)).title == "Berry adverts"
    await house.site.write(_from_elsewhere, thread_id)
    assert (await look(house, thread_id)).title == ""


def _from_elsewhere(session: Any, node: Any, thread_id: str) -> None:
    """The conversation was begun by somebody of a partner."""
    other = organisation(session, "far.example")
    first = sa.select(Post.id).where(Post.thread_id == thread_id).order_by(Post.place).limit(1)
    session.execute(sa.update(Post).where(Post.id == first.scalar_subquery()).values(author_id=other, organisation_id=other))


async def test_organisations_that_are_no_partners_of_ours_are_named_before_a_resource_is_talked_of(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_id = await house.site.group(house.admin, "leads", STRICT)
    made = await house.site.write(library.add, house.admin.viewer, RECORD, label=STRICT)
    far = groups.Inside("https://far.example/actor", "Far Away", 3, stranger=True, blocked=False)
    monkeypatch.setattr(groups, "inside", lambda *_: [far])
    at, said = f"/library/{made.id}/discuss", dict(title="About it", text="Is it right?", group=group_id)
    status, _, page = await house.admin.post(at, at=at, **said)
    assert (status, "Far Away" in page, "Is it right?" in page) == (422, True, True)
    assert await rows(house, "SELECT count(*) FROM thread") == [(0,)]
    yes = re.search(r'name="sure" value="([0-9a-f]+)"', page)
    assert yes is not None
    status, location, _ = await house.admin.post(at, at=at, **said, sure=yes[1])
    assert (status, location.startswith("/threads/")) == (303, True)


async def test_where_no_group_fits_a_resource_its_page_says_what_is_missing_and_leads_moderators_there(house: House) -> None:
    amal = await house.site.member("amal")
    made = await house.site.write(library.add, house.admin.viewer, RECORD, label=STRICT)
    await house.site.group(house.admin, "leads", GREEN)
    at, missing = f"/library/{made.id}/discuss", "There is no group whose people may all see this resource."
    for member, leads in ((house.admin, True), (amal, False)):
        status, page = await member.get(at)
        assert (status, missing in page, 'class="btn main" href="/groups/new"' in page) == (200, True, leads)
        assert f'class="btn low" href="/library/{made.id}"' in page
    await house.site.group(house.admin, "ours", STRICT)
    _, page = await amal.get(at)
    assert (missing in page, "Begin the conversation" in page) == (False, True)
