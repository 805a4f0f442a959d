"""Shows that the public pages' numbers and times tell nothing of what is for partners alone."""

import re

import pytest
import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.base.clock import HOUR
from fedcollab.base.session import Session
from fedcollab.features.discussions import service
from fedcollab.features.discussions.reading import POSTS
from fedcollab.federation import activitystreams as ap

from .conftest import House


@pytest.mark.rule("CONF-04")
async def test_who_has_not_signed_in_reads_neither_how_many_hidden_posts_there_are_nor_when_they_came(house: House) -> None:
    group = await house.site.group(house.admin, "open", "TLP:CLEAR")
    made, visitor = await house.site.thread(house.admin, group), house.site.stranger()
    paths = ("/", f"/groups/{group}", f"/threads/{made.thread_id}")
    age = sa.text("UPDATE post SET posted_at = posted_at - :ago, confirmed_at = confirmed_at - :ago")
    await house.site.kernel.database.write(lambda session: session.execute(age, {"ago": 50 * HOUR}))
    await house.site.kernel.database.write(
        lambda s: s.execute(sa.text("UPDATE thread SET last_post_at = last_post_at - :ago"), {"ago": 50 * HOUR})
    )

    async def seen() -> list[str]:
        return [re.sub(r'(value|class)="[^"]*"', "", (await visitor.get(path))[1]) for path in paths]

    before = await seen()
    for number in range(POSTS + 5):
        await house.site.write(service.post_reply, house.admin.viewer, made.thread_id, text=f"partners {number}", label="TLP:GREEN")
    assert await seen() == before
    page = (await house.admin.get(f"/threads/{made.thread_id}"))[1]
    assert "Page 1 of 2" in page, "members see all of it"
    await house.site.write(service.post_reply, house.admin.viewer, made.thread_id, text="for all")
    assert all(">2 posts<" in page or ">2<" in page for page in await seen())


@pytest.mark.rule("CONF-04")
async def test_who_the_partners_are_stands_on_no_public_page(house: House) -> None:
    group = await house.site.group(house.admin, "open", "TLP:CLEAR")
    await house.site.thread(house.admin, group)
    mine = [{"id": "https://p.example/actor", "name": "Casa Ladera", "fc:people": 9}]

    def list_it(session: Session) -> None:
        row = session.execute(sa.select(Actor.document).where(Actor.id == group)).scalar_one()
        session.execute(sa.update(Actor).where(Actor.id == group).values(document=row | {ap.MEMBERS: row[ap.MEMBERS] + mine}))

    await house.site.kernel.database.write(list_it)
    assert "Casa Ladera" in (await house.admin.get(f"/groups/{group}"))[1]
    visitor = house.site.stranger()
    assert (await visitor.get(f"/groups/{group}"))[0] == 200
    for path in ("/", "/groups", f"/groups/{group}"):
        assert "Casa Ladera" not in (await visitor.get(path))[1]
