"""What goes on after somebody was taken off a case, signed out or removed, and what other sites and strangers get: nothing of it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from fedcollab.base.clock import new_id
from fedcollab.base.crypto import stored
from fedcollab.base.web import cookie_name
from fedcollab.features.members import sessions
from fedcollab.sealing import crossing, file_opening, working
from fedcollab.sealing.room_models import SealedFile
from tests.features.cases.desks import Office, office
from tests.features.cases.filed import rows, send, take
from tests.features.cases.test_case_confidentiality import paths
from tests.web import Visitor

LARGE = b"The house behind the mill.\n" * 900_000  # 24 MB: more than what lies in buffers between the node and a browser
SITE = {"Origin": "https://x.test", "Referer": "https://x.test/", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def begun(visitor: Visitor, path: str, meanwhile: Any) -> int:
    """How many bytes come of a download during which something happens."""
    sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in visitor.cookies.items()), "Host": visitor.site.kernel.node.settings.host}
    came = 0
    async with aiohttp.request("GET", visitor.site.url + path, headers=sent) as answer:
        came += len(await answer.content.readany())
        await meanwhile()
        try:
            while piece := await answer.content.readany():
                came += len(piece)
        except aiohttp.ClientPayloadError:
            return came
    return came


@pytest.mark.rule("CONF-23", "P23", "P28")
@pytest.mark.parametrize("how", ["taken off", "signed out", "locked", "marked"])
async def test_a_download_ends_when_whoever_has_it_may_no_more_and_goes_on_for_others(
    at: Office, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_opening, "EVERY", 0.0)
    case, noor, daan = await at.case("noor"), at["noor"], at["daan"].viewer.person_id
    await noor.post(f"/cases/{case}/access/assign", at=f"/cases/{case}/access", person=daan, part="contact")
    assert (await send(noor, case, LARGE))[0] == 303
    [(file_id, *_)] = await rows(at)
    path = f"/cases/{case}/files/{file_id}"

    async def ends() -> None:
        if how == "taken off":
            await at.do("noor", working.unassign, case, daan)
        elif how == "signed out":
            token = at["daan"].cookies[cookie_name(at.site.kernel.node.settings, "session")]
            await at.site.write(sessions.end, daan, stored(token))
        elif how == "marked":
            await at.site.write(lambda session, _node: session.execute(sa.update(SealedFile).values(marked_at=1)) and None)
        else:
            await at.do("daan", crossing.lock)

    async def nothing() -> None:
        return None

    assert await begun(at["daan"], path, nothing) == len(LARGE)
    assert await begun(at["daan"], path, ends) < len(LARGE)
    assert how == "marked" or await begun(noor, path, nothing) == len(LARGE)


@pytest.mark.rule("CONF-05")
async def test_a_files_address_gives_nothing_to_whoever_was_on_the_case_or_guesses_a_smaller_picture(at: Office) -> None:
    case, noor, daan = await at.case("noor"), at["noor"], at["daan"].viewer.person_id
    await noor.post(f"/cases/{case}/access/assign", at=f"/cases/{case}/access", person=daan, part="contact")
    assert (await send(noor, case, b"CANARY-79 " * 99))[0] == 303
    [(file_id, *_)] = await rows(at)
    path = f"/cases/{case}/files/{file_id}"
    assert (await take(at["daan"], path))[2] == b"CANARY-79 " * 99
    await at.do("noor", working.unassign, case, daan)
    none = f"/cases/{case}/files/{new_id()}"
    for visitor in (at["daan"], at["mila"], at.site.stranger()):
        (status, headers, body), (other, *_) = await take(visitor, path), await take(visitor, none)
        assert (status, b"CANARY" in body, status >= 303) == (other, False, True)
        assert headers["Cache-Control"] == "no-store"
    for guess in (f"{path}/preview", f"{path}/thumbnail", f"{path}?size=200", f"/files/{file_id}", f"/files/{file_id}/preview"):
        status, headers, body = await take(noor, guess)
        assert status == 404 or headers["Content-Disposition"].startswith("attachment"), guess
    assert (await take(noor, path))[0] == 200


@pytest.mark.rule("CONF-19")
async def test_another_site_reads_nothing_and_sends_nothing_with_a_victims_cookie(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    said = await at.say("noor", case, "CANARY-80")
    before = await at.sql("SELECT (SELECT count(*) FROM sealed_message), (SELECT count(*) FROM room_person)")
    token = await noor.token(f"/cases/{case}")
    every = [(route.method, route.resource.canonical) for route in at.site.runner.app.router.routes() if route.resource]  # type: ignore[union-attr]
    plain = [(method, re.sub(r"\{\w+[^}]*\}", new_id(), path)) for method, path in every if "/cases/" not in path and method == "GET"]
    asked = [*paths(case, said.rsplit("/", 1)[-1]), *plain]
    assert len(asked) > 100
    for method, path in asked:
        for way in (method, "OPTIONS"):
            form = {"token": token, "text": "x", "act": "accept", "what": "x"} if way == "POST" else None
            status, headers, page = await noor.ask(way, path, form, SITE | {"Access-Control-Request-Method": method})
            assert not [name for name in headers if name.lower().startswith("access-control-")], (way, path)
            assert "text/event-stream" not in headers.get("Content-Type", "")
            assert status != 101
            assert way == "GET" or (status >= 400 and "CANARY-80" not in page), (way, path, status)
            assert headers.get("Cross-Origin-Resource-Policy", "same-origin") == "same-origin"
    assert await at.sql("SELECT (SELECT count(*) FROM sealed_message), (SELECT count(*) FROM room_person)") == before
    cookie = (await at.site.stranger().ask("GET", "/login"))[1].getall("Set-Cookie", [])
    assert all("SameSite" in one for one in cookie)
    assert (await noor.post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="Hers"))[0] == 303
