"""Shows the page on which members make, see and revoke tokens for their own tools."""

import re

import aiohttp

from fedcollab.base.clock import DAY
from fedcollab.features.members import tokens
from fedcollab.federation import activitystreams as ap
from tests.web import PASSWORD, Visitor

from .conftest import House

TOKENS = "/settings/tokens"
TOKEN = re.compile(r'<p class="code ltr">(fedcollab_[\w-]{32})</p>')


async def make(person: Visitor, **more: str) -> tuple[int, str]:
    form = {"purpose": "My script", "scope": "read", "days": "30", "proof": PASSWORD} | more
    status, _, page = await person.post(TOKENS, at=TOKENS, **form)
    return status, page


async def inbox(person: Visitor, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Accept": ap.MEDIA_TYPE}
    async with aiohttp.request("GET", f"{person.site.url}/people/{person.viewer.person_id}/inbox", headers=headers) as answer:
        return answer.status


async def test_a_token_is_shown_once_listed_with_its_last_use_and_revoked(house: House) -> None:
    daan = await house.site.member("daan")
    status, page = await make(daan)
    found = TOKEN.search(page)
    assert (status, bool(found)) == (200, True)
    assert found
    assert f"/people/{daan.viewer.person_id}/outbox" in page
    _, page = await daan.get(TOKENS)
    assert (found[1] in page, "My script" in page, "never used" in page) == (False, True, True)
    assert await inbox(daan, found[1]) == 200
    _, page = await daan.get(TOKENS)
    assert "never used" not in page
    assert "My script" not in (await house.admin.get(TOKENS))[1]
    row = (await house.site.kernel.database.read(tokens.listed, house.site.kernel.node))[0]
    assert row.expires_at - row.created_at == 30 * DAY
    assert (await house.admin.post(TOKENS, at=TOKENS, revoke=row.id))[0] == 404, "it is another person's"
    assert await inbox(daan, found[1]) == 200
    assert (await daan.post(TOKENS, at=TOKENS, revoke=row.id))[:2] == (303, TOKENS)
    assert await inbox(daan, found[1]) == 401


async def test_making_one_takes_the_password_and_a_refused_form_keeps_what_was_typed(house: House) -> None:
    daan = await house.site.member("daan")
    for more, about in (
        ({"proof": "not my password"}, "proof"),
        ({"proof": ""}, "proof"),
        ({"purpose": " "}, "purpose"),
        ({"scope": "admin"}, "purpose"),
        ({"days": "366"}, "purpose"),
    ):
        status, page = await make(daan, **more)
        assert (status, f'id="{about}-err"' in page) == (422, True), more
        assert ('value="My script"' in page) == ("purpose" not in more)
    assert (await make(daan, days="many"))[0] == 400
    assert await house.site.kernel.database.read(tokens.listed, house.site.kernel.node) == []
