"""Shows that a node on its first day says what comes first: to whoever may make a group to make one, to others who can."""

from .conftest import House


async def test_home_leads_to_the_first_group_whom_that_concerns_and_then_to_the_first_question(house: House) -> None:
    daan = await house.site.member("daan")
    for path in ("/", "/groups"):
        admins, members = (await house.admin.get(path))[1], (await daan.get(path))[1]
        assert ("There is no group yet." in admins, "There is no group yet." in members) == (True, True), path
        assert ('href="/groups/new"' in admins, 'href="/groups/new"' in members) == (True, False), path
        assert ("Groups are made by" in admins, "Groups are made by" in members) == (False, True), path
    await house.site.group(house.admin, "leads", "TLP:GREEN")
    for visitor in (house.admin, daan):
        page = (await visitor.get("/"))[1]
        assert ("There is no group yet" in page, "ask the first question" in page) == (False, True)
