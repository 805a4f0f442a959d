"""Shows that the public pages' numbers and times tell nothing of what is for partners alone."""

import re

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import HOUR
from fedcollab.features.discussions import service
from fedcollab.features.discussions.reading import POSTS

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
