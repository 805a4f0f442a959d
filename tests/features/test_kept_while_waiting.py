"""Shows that a text which travels with signing in is not lost where signing in has to wait, or its page was open for too long."""

import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.members import throttle

from .conftest import House

TEXT = "Many words that took an hour"


def form(token: str, **more: str) -> dict[str, str]:
    return {"token": token, "next": f"/threads/{new_id()}", "text": TEXT} | more


async def test_a_text_is_kept_through_as_many_wrong_passwords_as_somebody_types(house: House) -> None:
    visitor = house.site.stranger()
    house.site.hold_time_for_guesses()
    for _ in range(throttle.FREE):
        wrong = form(await visitor.token(), username="ilse", password="not this one")
        assert (await visitor.ask("POST", "/login", wrong))[0] == 422
    status, headers, page = await visitor.ask("POST", "/login", wrong)
    assert status == 429
    assert int(headers["Retry-After"]) >= 1
    assert "Wait a little and try again." in page
    assert f'name="text" value="{TEXT}"' in page
    assert 'value="ilse"' in page


@pytest.mark.parametrize("path", ["/login", "/login/code"])
async def test_a_text_is_kept_where_the_page_was_open_for_too_long(house: House, path: str) -> None:
    visitor = house.site.stranger()
    status, _, page = await visitor.ask("POST", path, form("0" * 64, username="ilse", password="not this one", code="123456"))
    assert status == 403
    assert f'name="text" value="{TEXT}"' in page
    assert "session" not in "".join(visitor.cookies)
