"""Shows what an author has in sight who changes or deletes a post: its text, its label and who can see it."""

import pytest

from .conftest import House


@pytest.mark.parametrize("act", ["edit", "delete"])
async def test_the_text_and_the_audience_are_in_sight(house: House, act: str) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted = await house.site.thread(house.admin, group, text="Some *words* of mine")
    status, page = await house.admin.get(f"/posts/{posted.post_id}/{act}")
    main = page[page.index("<main") :]
    assert (status, "1 person at 1 organisation" in main, "TLP:GREEN" in main) == (200, True, True)
    assert ("Some *words* of mine</textarea>" in main) == (act == "edit")
    assert ("Some <em>words</em> of mine" in main) == (act == "delete")
    other = await house.site.member("daan")
    assert (await other.get(f"/posts/{posted.post_id}/{act}"))[0] == 404
