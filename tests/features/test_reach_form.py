"""Shows the composer of a group that holds an organisation which is no partner of ours: it asks, and says so at the box."""

import re
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap

from .conftest import House


async def with_a_stranger(house: House) -> str:
    """A group whose list names an organisation that we have not approved."""
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")

    def name_another(session: Session) -> None:
        document: dict[str, Any] = session.scalar(sa.select(Actor.document).where(Actor.id == group)) or {}
        listed = [*document.get(ap.MEMBERS, []), {"id": "https://far.example/actor", "name": "Far Shore", ap.PEOPLE: 3}]
        session.execute(sa.update(Actor).where(Actor.id == group).values(document=document | {ap.MEMBERS: listed}))

    await house.site.kernel.database.write(name_another)
    return group


def consent(page: str) -> str:
    """What the box says yes to."""
    found = re.search(r'name="sure" value="([0-9a-f]+)"', page)
    assert found
    return found.group(1)


async def test_the_author_says_yes_to_strangers_and_an_error_stands_at_the_box_alone(house: House) -> None:
    group = await with_a_stranger(house)
    posted = await house.site.thread(house.admin, group)
    for at, more in ((f"/threads/{posted.thread_id}", {}), (f"/groups/{group}/new", {"title": "A title"})):
        status, _, page = await house.admin.post(at, at=at, text="Many words", act="send", **more)
        assert (status, ">Many words</textarea>" in page) == (422, True)
        assert '<a href="#sure">Some organisations in this group are no partners of ours' in page
        assert re.findall(r'<\w+[^>]* id="(\w+)"[^>]*aria-invalid', page) == ["sure"]
        assert (await house.admin.post(at, at=at, text="Many words", act="send", sure=consent(page), **more))[0] == 303


async def test_an_empty_text_is_an_error_at_the_text_alone(house: House) -> None:
    group = await with_a_stranger(house)
    at = f"/threads/{(await house.site.thread(house.admin, group)).thread_id}"
    sure = consent((await house.admin.get(at))[1])
    _, _, page = await house.admin.post(at, at=at, text=" ", act="send", sure=sure)
    assert re.findall(r'<\w+[^>]* id="(\w+)"[^>]*aria-invalid', page) == ["text"]


async def test_ones_own_answer_is_not_under_the_line_for_what_is_new_but_anothers_is(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    at = f"/threads/{(await house.site.thread(house.admin, group)).thread_id}"
    line, daan = "New since your last visit", await house.site.member("daan")
    assert line not in (await daan.get(at))[1]
    assert (await daan.post(at, at=at, text="Mine", act="send"))[0] == 303
    assert line not in (await daan.get(at))[1]
    assert line in (await house.admin.get(at))[1]
    assert line not in (await house.admin.get(at))[1]


async def test_an_own_post_that_waits_for_the_host_is_counted_beside_the_conversation(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)

    def waits(session: Session) -> None:
        session.execute(sa.text("UPDATE post SET confirmed_at = NULL, place = 9000000"))
        session.execute(sa.text("UPDATE thread SET posts = 0"))

    await house.site.kernel.database.write(waits)
    page = (await house.admin.get(f"/threads/{posted.thread_id}"))[1]
    assert '<dt>Posts</dt><dd class="num">1</dd>' in page
    assert "Waiting for the host" in page
