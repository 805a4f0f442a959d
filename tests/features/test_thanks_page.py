"""Shows thanks on a conversation's page: a button that needs no script, who said them, and no names for who has not signed in."""

from .conftest import House


def main(page: str) -> str:
    return page[page.index("<main") :]


async def test_saying_thanks_and_taking_it_back_by_a_plain_form(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:CLEAR")
    posted = await house.site.thread(house.admin, group)
    daan, place = await house.site.member("daan"), f"/threads/{posted.thread_id}"
    _, page = await daan.get(place)
    assert ("Say thanks" in page, "Thanks:" in main(page)) == (True, False)
    status, location, _ = await daan.post(f"/posts/{posted.post_id}/thank", place, act="thank")
    assert (status, location) == (303, f"/posts/{posted.post_id}")
    _, page = await daan.get(place)
    assert ("Thanks: 1" in page, "Take your thanks back" in page, "<bdi>Daan</bdi></a></li>" in page) == (True, True, True)
    _, page = await house.admin.get(place)
    assert ("Thanks: 1" in page, "Say thanks" in page, "<bdi>Daan</bdi></a></li>" in page) == (True, False, True)
    _, page = await house.site.stranger().get(place)
    assert ("Thanks: 1" in page, "Say thanks" in page, "Daan" in main(page)) == (True, False, False)
    await daan.post(f"/posts/{posted.post_id}/thank", place, act="unthank")
    _, page = await daan.get(place)
    assert ("Thanks:" in main(page), "Say thanks" in page) == (False, True)


async def test_own_words_and_what_is_not_for_one_get_no_thanks(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    posted = await house.site.thread(house.admin, group)
    place, act = f"/threads/{posted.thread_id}", f"/posts/{posted.post_id}/thank"
    assert (await house.admin.post(act, place, act="thank"))[0] == 422
    daan = await house.site.member("daan")
    assert (await daan.post("/posts/none/thank", place, act="thank"))[0] == 404
    assert (await daan.post(act, place, act="thank"))[0] == 303
