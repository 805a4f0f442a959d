"""Shows that an author is told where a change or deletion reaches our own node alone, for the group's host is no partner any more."""

import pytest
import sqlalchemy as sa

from .conftest import House


@pytest.mark.parametrize("act", ["edit", "delete"])
async def test_a_change_that_nobody_else_will_hear_of_says_so(house: House, act: str) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted = await house.site.thread(house.admin, group)
    _, page = await house.admin.get(f"/posts/{posted.post_id}/{act}")
    assert "on our own node only" not in page
    left = sa.text("UPDATE actor SET known = 'partner', host = 'left.example' WHERE id = :id")
    await house.site.kernel.database.write(lambda session: session.execute(left, {"id": group}) and None)
    status, page = await house.admin.get(f"/posts/{posted.post_id}/{act}")
    assert (status, "on our own node only" in page) == (200, True)
