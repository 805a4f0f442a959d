"""Shows the partners page: what ends a partnership takes a second step that says what it does, and nothing untrue is promised."""

import html
import re

from fedcollab.base.session import Session
from fedcollab.federation import partners
from fedcollab.federation.models import ADMITTED, BLOCKED, SUSPENDED
from tests.features.conftest import House, house
from tests.rows import partner

__all__ = ["house"]


def rows(page: str) -> dict[str, str]:
    """{host: the partner's row}."""
    return {re.findall(r"[a-z]+\.example", row)[0]: row for row in re.findall(r'<li class="row.*?</li>', page, re.DOTALL)}


async def test_blocking_and_removing_take_a_second_step_that_says_what_they_do(house: House) -> None:
    node = house.site.kernel.node

    def admit(session: Session) -> None:
        for state in (ADMITTED, SUSPENDED, BLOCKED, "applied"):
            partner(session, node, f"{state}.example", state if state != SUSPENDED else ADMITTED)
        partners.move(session, node, None, partners.find(session, f"{SUSPENDED}.example"), SUSPENDED)

    await house.site.kernel.database.write(admit)
    found = rows((await house.admin.get("/admin/partners"))[1])
    for state, acts in ((ADMITTED, ["block", "remove"]), (SUSPENDED, ["block", "remove"]), ("applied", ["block"]), (BLOCKED, [])):
        at_once, _, second = found[f"{state}.example"].partition("<details>")
        assert re.findall(r'value="(block|remove)"', at_once) == [], state
        assert re.findall(r'value="(block|remove)"', second) == acts, state
        assert ("Blocking hides what its people wrote" in second, "Removing ends the partnership" in second) == (
            "block" in acts,
            "remove" in acts,
        )


async def test_a_suspended_partner_is_gone_on_with_not_approved_again(house: House) -> None:
    node = house.site.kernel.node

    def suspend(session: Session) -> None:
        partner(session, node, "new.example", "applied")
        partner(session, node, "kept.example", ADMITTED)
        partners.move(session, node, None, partners.find(session, "kept.example"), SUSPENDED)

    await house.site.kernel.database.write(suspend)
    found = rows((await house.admin.get("/admin/partners"))[1])
    assert ("Approve" in found["new.example"], "Resume contact" in found["new.example"]) == (True, False)
    assert ("Approve" in found["kept.example"], "Resume contact" in found["kept.example"]) == (False, True)


async def test_who_was_looked_up_by_us_is_not_said_to_have_asked(house: House) -> None:
    node = house.site.kernel.node
    await house.site.kernel.database.write(lambda session: partner(session, node, "new.example", "applied"))
    row = rows((await house.admin.get("/admin/partners"))[1])["new.example"]
    assert "Not approved yet" in row


async def test_a_look_up_that_failed_promises_no_further_try(house: House) -> None:
    status, _, page = await house.admin.post("/admin/partners", at="/admin/partners", address="no.such.invalid")
    assert status == 422
    assert "Compare the spelling" in html.unescape(page)
    assert "We try again" not in page
