"""Shows that what somebody wrote into a report is not lost when their session has ended meanwhile."""

from fedcollab.features.discussions import service
from tests.features.conftest import House
from tests.features.test_mid_composition import age
from tests.web import PASSWORD


async def test_a_report_sent_after_its_session_ended_is_back_after_signing_in_and_sent_when_its_author_says_so(house: House) -> None:
    daan = await house.site.member("daan")
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    opener = await house.site.thread(house.admin, group)
    answer = await house.site.write(service.post_reply, house.admin.viewer, opener.thread_id, text="words")
    at = f"/posts/{answer.post_id}/report"
    form = {"reason": "person", "text": "Her street can be read in the picture.", "token": await daan.token(at)}
    await house.site.kernel.database.write(age)
    status, headers, _ = await daan.ask("POST", at, form)
    assert (status, headers["Location"]) == (307, f"/login?next={at}")
    assert "Your text is safe" in (await daan.ask("POST", headers["Location"], form))[2]
    login = form | {"token": await daan.token(), "username": "daan", "password": PASSWORD, "next": at}
    status, headers, _ = await daan.ask("POST", "/login", login)
    assert (status, headers["Location"]) == (307, at)
    page = (await daan.ask("POST", at, login))[2]
    assert "Her street can be read in the picture.</textarea>" in page
    assert 'value="person" checked' in page
    assert "You have reported nothing." in (await daan.get("/reports"))[1], "nothing is sent before its author says so"
    assert "Her street" in (await daan.ask("POST", at, form | {"token": "0" * 64}))[2], "a page from before the sign-in keeps it too"
    assert (await daan.ask("POST", at, login, {"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await daan.post(at, at=at, reason="person", text=form["text"]))[0] == 303
    assert "Her street" in (await daan.get("/reports"))[1]
