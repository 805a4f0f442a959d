"""Shows that what waits for an admin's yes is seen without being looked for: new keys, and words that were never compared."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab import cli_trust
from fedcollab.admin import partners as acts
from fedcollab.admin.status import status
from fedcollab.federation import partners
from fedcollab.federation.models import ADMITTED, BLOCKED, LEFT, KeyOffer
from tests import nodes
from tests.features.conftest import House, house
from tests.nodes import until
from tests.rows import partner

__all__ = ["house"]


async def test_new_keys_of_a_partner_stand_in_the_menu_and_on_the_list_until_they_are_answered(house: House) -> None:
    database, node = house.site.kernel.database, house.site.kernel.node
    made = await database.write(lambda session: partner(session, node, "casa.example"))
    assert ">1</span>" not in (await house.admin.get("/admin/partners"))[1]
    row: dict[str, Any] = dict(partner_id=made.id, signed=True, keys="a" * 64, document={}, until=None, at=1)
    await database.write(lambda session: session.execute(sa.insert(KeyOffer).values(row)) and None)
    page = (await house.admin.get("/admin/partners"))[1]
    assert "New keys: look and accept" in page
    assert '>1</span><span class="vh"> 1 to look at' in page
    [line] = (await database.read(status))["partners"]
    assert (line["new_keys"], line["does_not_follow"]) == (True, True)
    assert cli_trust.standing(made, new_keys=True) == "words never compared, new keys: partner accept-keys"
    await database.write(acts.change, node, house.admin.viewer, made.host, BLOCKED)
    page = (await house.admin.get("/admin/partners"))[1]
    assert "New keys: look and accept" not in page
    assert "1 to look at" not in page


async def test_a_partner_that_has_ended_it_is_seen_to_follow_us_no_more(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):

        async def follows(here: nodes.Here) -> bool:
            [line] = (await here.read(status))["partners"]
            return not line["does_not_follow"]

        await a.write(acts.change, None, (await acts.add(a.kernel, None, b.host)).host, ADMITTED)  # a bare name, of a trial node's peer
        assert not await follows(a), "they have not approved us yet"
        await acts.add(b.kernel, None, a.url, approve=True)
        await until("B follows A", lambda: follows(a))

        async def well() -> bool:
            return bool(cli_trust.standing((await a.read(partners.listed))[0]) == "words never compared")

        await until("A's own Follow, refused before, is taken", well)
        await b.write(acts.change, None, a.url, LEFT)

        async def ended() -> bool:
            return not await follows(a)

        await until("B has taken it back", ended)
        assert "does not follow us" in cli_trust.standing((await a.read(partners.listed))[0], does_not_follow=True)


async def test_an_admitted_partner_whose_words_differ_is_to_be_suspended_and_the_command_line_says_what_comes_next(house: House) -> None:
    database, node = house.site.kernel.database, house.site.kernel.node
    for host, state, says in (("new.example", "applied", "approve nothing"), ("casa.example", "admitted", "suspend it at once")):
        made = await database.write(lambda session, host=host, state=state: partner(session, node, host, state))
        assert f"If theirs differ, {says}" in (await house.admin.get(f"/admin/partners/{made.id}"))[1]
        assert (f"partner words {host}" in cli_trust.still_to_compare(made)) == (state == "admitted")
    await database.write(lambda session: session.execute(sa.text("UPDATE partner SET checked_at = 1")) and None)
    assert cli_trust.still_to_compare(await database.read(partners.find, "casa.example")) == ""
