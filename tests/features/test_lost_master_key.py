"""Shows what a lost master key of a node takes from people's keys: passwords are right and open nothing, which is said in words; papers
open them."""

import os
import re
from pathlib import Path

from fedcollab.sealing import people, state
from tests.rows import quick_keys
from tests.web import PASSWORD, Visitor, site


async def _says(who: Visitor) -> str:
    return (await who.get("/settings/keys"))[1]


async def test_a_node_with_another_master_key_lets_people_in_and_their_papers_open_what_passwords_do_not(tmp_path: Path) -> None:
    with quick_keys():
        async with site(tmp_path) as here:
            await here.write(state.turn_on, None)
            daan = await here.member("daan")
            assert (await daan.post("/unlock", at="/unlock", password=PASSWORD, next="/settings/keys"))[0] == 303
            status, _, text = await daan.post("/settings/keys", at="/settings/keys", act="paper", password=PASSWORD)
            code, mark = " ".join(re.findall(r'translate="no">([0-9A-Z]{4})<', text)), re.findall(r'name="made" value="(\w+)"', text)[0]
            assert (status, (await daan.post("/settings/keys", at="/settings/keys", act="typed", code=code, made=mark))[0]) == (200, 303)
            before = await here.kernel.database.read(people.current, daan.viewer.person_id)
            object.__setattr__(here.kernel.node, "master_key", os.urandom(32))  # the old one is lost, and another one was made
            browser = here.stranger()
            assert (await browser.post("/login", at="/login", username="daan", password=PASSWORD))[:2] == (303, "/")
            assert "Locked" in await _says(browser)
            status, _, text = await browser.post("/unlock", at="/unlock", password=PASSWORD, next="/settings/keys")
            assert (status, "your key does not open by it" in text, "paper" in text) == (422, True, True)
            slip = code[:-1] + ("0" if code[-1] != "0" else "1")
            wrong = await browser.post("/settings/keys", at="/settings/keys", act="recover", code=slip, password=PASSWORD)
            assert wrong[0] == 422
            assert (await browser.post("/settings/keys", at="/settings/keys", act="recover", code=code, password=PASSWORD))[0] == 303
            assert "Unlocked" in await _says(browser)
            after = await here.kernel.database.read(people.current, daan.viewer.person_id)
            assert (before is not None and after is not None and before.kid == after.kid) is True
            again = here.stranger()
            assert (await again.post("/login", at="/login", username="daan", password=PASSWORD))[0] == 303
            assert "Unlocked" in await _says(again), "from now on the password opens it here"
