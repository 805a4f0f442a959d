"""The mirror shows a node's own doctor how a request reached it, and shows nobody else anything."""

from pathlib import Path

import aiohttp

from fedcollab.actors.keys import Signer
from fedcollab.base.clock import MINUTE, system_clock
from fedcollab.federation import knocking, mirror, signatures
from tests.nodes import Here, admit, free_port, rogue, start


async def look(here: Here, signer: Signer | None, form: str = signatures.RFC9421, apart: int = 0, **headers: str) -> tuple[int, str]:
    url = here.url + mirror.PATH
    signed = signatures.sign(signer, "GET", url, b"", system_clock() + apart, form=form) if signer else {}
    async with aiohttp.request("GET", url, headers=signed | headers, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def test_a_node_sees_itself_and_a_stranger_a_partner_and_nobody_see_nothing(tmp_path: Path) -> None:
    port, other = free_port(), await rogue()
    here = await start(tmp_path, port=port, peers=(other.port,))
    await admit(here, other)
    mine, theirs = await here.read(knocking.own_signer, here.kernel), other.signers[other.uri("/actor")]["rsa"]
    stranger = await rogue()
    before = await here.tables()
    for form in signatures.FORMS:
        status, body = await look(here, mine, form, **{"X-Forwarded-For": "192.0.2.7"})
        assert (status, '"forwarded": "192.0.2.7"' in body, '"client": "127.0.0.1"' in body) == (200, True, True)
        for signer, expected in ((theirs, 403), (stranger.signers[stranger.uri("/actor")]["rsa"], 403), (None, 401)):
            status, body = await look(here, signer, form)
            assert (status, "version" in body, "192.0.2.7" in body) == (expected, False, False)
        forged = Signer(mine.uri, mine.kind, theirs.key)
        assert (await look(here, forged, form))[0] == 401, "our key's name is not our key"
        assert (await look(here, mine, form, apart=-6 * MINUTE))[0] == 401
    assert await here.tables() == before, "nobody has knocked"
    assert stranger.asked == [], "nothing was fetched for them"
    assert (await look(here, mine))[0] == 200
    await here.stop()
    await other.stop()
    await stranger.stop()
