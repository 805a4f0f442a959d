"""Shows how browsers are named where people see where they are signed in."""

import pytest

from fedcollab.features.members import sessions
from fedcollab.features.members.devices import device

from .conftest import House


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox, Android"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36", "Chrome, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36 Edg/150.0",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("curl/8.0", ""),
        ("<script>", ""),
    ],
)
def test_of_a_browser_only_its_kind_and_system_are_kept(agent: str, words: str) -> None:
    assert device(agent) == words


async def test_who_is_signed_in_somewhere_sees_by_what(house: House) -> None:
    await house.admin.site.write(sessions.start_session, house.admin.viewer.person_id, "Mozilla/5.0 (Android 15) Firefox/140.0")
    _, text = await house.admin.get("/settings/sessions")
    assert "Firefox, Android" in text
    assert "Mozilla" not in text
