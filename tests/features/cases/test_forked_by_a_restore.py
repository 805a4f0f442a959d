"""A node that leads a case comes out of yesterday's backup and makes a second list where it has made one since: the keepers see at once
what happened, and one button, with the others' yes, lets the case go on."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from fedcollab.app import FEATURES, make_app, make_kernel
from fedcollab.backup import keeping, nightly, printed, restoring
from fedcollab.base import config
from fedcollab.base.paths import NodeFiles
from fedcollab.base.web import cookie_name
from fedcollab.features.keeping import standing
from fedcollab.features.members import sessions
from fedcollab.sealing import unlocked, working
from fedcollab.sealing.refusals import Frozen
from fedcollab.serve import start
from tests.backup.test_making import quiet
from tests.nodes import until
from tests.web import Site, Visitor

from .desks import Office
from .shared import shared

PAIR = printed.pair(bytes(range(32)))
PARTS = [feature.erasures for feature in FEATURES if feature.erasures]
UNITS = [unit for feature in FEATURES for unit in feature.restored]


async def again(at: Office, place: Path) -> Office:
    """The node of a restored directory, where it was, with everybody signed in and their keys unlocked."""
    kernel = make_kernel(config.load(place, {}), NodeFiles(place))
    made = Office(Site(kernel, place, await start(make_app(kernel))), keys=at.keys)
    for name, before in at.people.items():
        token = await made.site.write(sessions.start_session, before.viewer.person_id, "test")

        def unlock(_session: Any, node: Any, token: str = token, name: str = name) -> None:
            with node.ring.begin() as ring:
                unlocked.unlock(ring, token, at.keys[name], node.now())

        await made.site.write(unlock)
        made.people[name] = Visitor(made.site, before.viewer, {cookie_name(kernel.node.settings, "session"): token})
    return made


async def state(at: Office, case: str, wanted: str) -> None:
    await until(f"it is {wanted}", lambda: at.sql("SELECT 1 FROM room WHERE id = :id AND state = :state", id=case, state=wanted))


@pytest.mark.slow
@pytest.mark.rule("R15")
async def test_a_case_that_the_owners_restore_has_forked_is_explained_and_mended_by_one_button(tmp_path: Path) -> None:
    async with shared(tmp_path) as two:
        one, other, backups = two.one, two.other, tmp_path / "backups"
        files, node = one.site.kernel.node.files, one.site.kernel.node
        keeping.keep(files, node.master_key, keeping.Kept(PAIR.public, b"s" * 32))
        yesterday = (await nightly.run(one.site.kernel, files, backups, PARTS, quiet)).path
        await one.site.write(working.turn, two.case)
        [(lost,)] = await one.sql("SELECT ck FROM room WHERE id = :id", id=two.case)
        await until("the others have it", lambda: other.sql("SELECT 1 FROM room WHERE ck = :ck", ck=lost))
        assert "forked" not in (await one["mila"].get(f"/keepers/rooms/{two.case}"))[1]
        await one.site.runner.cleanup()
        place = tmp_path / "again"
        await asyncio.to_thread(restoring.restore, backups, yesterday, PAIR, place, say=quiet, units=UNITS, parts=PARTS)
        back = await again(one, place)
        try:
            with contextlib.suppress(Frozen):  # unless the others' list has come already
                await back.site.write(working.turn, two.case)  # as it does for whoever comes or goes
            await state(other, two.there, "frozen")
            await state(back, two.case, "frozen")
            _, case_page = await back["noor"].get(f"/cases/{two.case}")
            assert "That is ours." in case_page
            path = f"/keepers/rooms/{two.case}"

            async def both_known() -> bool:
                return 'id="forked"' in (await back["mila"].get(path))[1]

            await until("both lists are known", both_known)
            _, page = await back["mila"].get(path)
            assert "Our own node has made both lists. It came out of a backup on" in page
            assert page.count("Make the list that ends this") == 1
            assert "forked" not in (await other["mila"].get(f"/keepers/rooms/{two.there}"))[1]
            assert (await back["mila"].post(path, at=path, act="heal", same="yes"))[0] == 303
            _, page = await back["mila"].get(path)
            assert "Make the list that ends this" not in page
            assert "Have yet to agree:" in page

            async def healing() -> str:
                found = await other.site.kernel.database.read(standing.look, other.site.kernel.node, other["mila"].viewer, two.there)
                return found.healing.ck if found.healing else ""

            ck = await until("the other is asked", healing)
            there = f"/keepers/rooms/{two.there}"
            assert (await other["mila"].post(there, at=there, act="agree", to=ck, same="yes"))[0] == 303
            await state(other, two.there, "open")
            await state(back, two.case, "open")
            await back.say("noor", two.case, "We are back.")
            await until("it arrives", lambda: other.sql("SELECT 1 FROM sealed_message WHERE organisation <> :me", me=other.me))
            assert 'id="forked"' not in (await back["mila"].get(path))[1]
        finally:
            await back.site.runner.cleanup()
