"""Shows that an author reads where a post has got to, and is told when it was given up for somebody; nobody else is."""

import html
import re

import pytest
import sqlalchemy as sa

from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.federation import delivery
from fedcollab.federation.delivery import Outcome
from fedcollab.federation.models import ACCEPTED, Activity, Delivery, Follow, Partner
from tests.rows import partner
from tests.web import Visitor

from .conftest import House

HOSTS = ("first.example", "second.example", "third.example")


async def posted(house: House, by: Visitor) -> service.Posted:
    """A post in a group of ours that three partners follow."""
    node = house.site.kernel.node

    def admit(session: Session) -> None:
        for host in HOSTS:
            there = partner(session, node, host)
            row = dict(id=host, uri=host, follower_id=there.organisation_id, target_id=house.admin.viewer.organisation_id)
            session.execute(sa.insert(Follow).values(**row, state=ACCEPTED, created_at=node.now()))
            session.execute(sa.update(Partner).values(paused_at=1))

    await house.site.kernel.database.write(admit)
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    return await house.site.thread(by, group)


async def answer(house: House, host: str, status: int, post_uri: str, times: int = 1) -> None:
    """The partner's answer to what it is sent of the post."""
    node = house.site.kernel.node

    def work(session: Session) -> None:
        query = sa.select(Delivery.partner_id, Delivery.seq).join(Partner).join(Activity).where(Partner.host == host)
        row = session.execute(query.where(Activity.object_uri == post_uri)).one()
        for _ in range(times):
            delivery.mark(session, node, row.partner_id, [Outcome(row.seq, status, f"answered {status}")], release=True)

    await house.site.kernel.database.write(work)


async def words(visitor: Visitor, path: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", (await visitor.get(path))[1])).split())


@pytest.mark.rule("R5")
async def test_an_author_reads_who_has_a_post_for_whom_it_waits_and_who_did_not_take_it_and_why(house: House) -> None:
    author, other = await house.site.member("daan"), await house.site.member("nina")
    made = await posted(house, author)
    place = f"/threads/{made.thread_id}"
    await answer(house, "first.example", 202, made.uri)
    seen = await words(author, place)
    assert "Sent to 1 of 3 organisations" in seen
    assert "Second.Example gets it as soon as their node can be reached; waiting since" in seen
    assert "not everybody took it" not in seen
    await answer(house, "second.example", 400, made.uri)
    await answer(house, "third.example", 500, made.uri, times=delivery.TRIES)
    seen = await words(author, place)
    assert "Second.Example did not take it. Their node could not read it or does not take it (answer 400)" in seen
    assert "Third.Example did not take it. Their node fails on it (error 500)" in seen
    home = await words(author, "/")
    assert "Some of what you wrote did not reach everybody" in home
    assert "A question : Second.Example and Third.Example" in home
    for page in (await words(other, place), await words(other, "/")):
        assert "Sent to" not in page
        assert "did not" not in page


async def test_what_all_have_is_one_quiet_line_and_what_was_deleted_unsent_is_nobodys_refusal(house: House) -> None:
    author = await house.site.member("daan")
    made = await posted(house, author)
    for host in HOSTS:
        await answer(house, host, 202, made.uri)
    page = (await author.get(f"/threads/{made.thread_id}"))[1]
    assert "Sent to all 3 organisations" in page
    late = await house.site.write(service.post_reply, author.viewer, made.thread_id, text="never sent")
    await house.site.write(service.delete, author.viewer, late.post_id)
    page = await words(author, f"/threads/{made.thread_id}")
    assert "did not take it" not in page
    assert "did not reach" not in await words(author, "/")
