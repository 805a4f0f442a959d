"""Shows that a member's home says where they were mentioned, until they have looked there."""

from .conftest import House


async def test_home_says_you_were_mentioned_until_you_have_looked(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    daan = await house.site.member("daan")
    posted = await house.site.thread(house.admin, group, title="Who knows?", text="Perhaps @daan does.")
    _, page = await daan.get("/")
    assert "You were mentioned" in page
    assert f'<a href="/posts/{posted.post_id}" dir="auto">Who knows?</a>' in page
    _, page = await daan.get(f"/threads/{posted.thread_id}")
    assert f'<a href="/people/{daan.viewer.person_id}" rel="noopener noreferrer nofollow ugc">@daan</a>' in page
    _, page = await daan.get("/")
    assert "You were mentioned" not in page
    _, page = await house.admin.get("/")
    assert "You were mentioned" not in page
