"""What is not for somebody is nowhere: not in lists, counts, facets, suggestions, feeds, documents or files, under whichever id."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.resources import lists, notes, service
from fedcollab.features.resources.exchange import feature as exchange
from fedcollab.features.resources.feature import FEATURE
from fedcollab.features.resources.record import Record
from fedcollab.federation import activitystreams as ap
from tests.files.holder import PDF
from tests.web import Site, Visitor, site

SECRET = Record(
    title="Zephyrine safe house rota",
    authors=("Xanthippe Quill",),
    publisher="Quondam Trust",
    kind="Form",
    summary="Wombat protocol",
    topics=("OrganRemoval",),
    countries=("BT",),
    language="dz",
    year=1987,
    review_on="2020-01-01",
)
TELLTALE = ("Zephyrine", "Xanthippe", "Quondam", "Wombat", "Bhutan", "Dzongkha", "1987", "Organ removal")
PUBLIC = Record(
    title="A public guide", kind="Guide", summary="For everybody.", topics=("Outreach",), countries=("KH",), language="en", year=2026
)


class Shelf:
    """A node with a public resource, and one for its members alone: with a file, a note and a list."""

    def __init__(self, here: Site, ilse: Visitor) -> None:
        self.here, self.ilse, self.ids = here, ilse, dict[str, str]()

    async def fill(self) -> None:
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.ilse.cookies.items())}
        form = aiohttp.FormData({"token": await self.ilse.token("/settings")})
        form.add_field("file", PDF, filename="zephyrine.pdf", content_type="application/pdf")
        url = self.here.url + "/files?next=/library/new"
        async with aiohttp.request("POST", url, data=form, headers=sent, allow_redirects=False) as answer:
            self.ids["file"] = answer.headers["Location"].partition("file=")[2]
        write, by = self.here.write, self.ilse.viewer
        secret = await write(service.add, by, SECRET, label="TLP:AMBER+STRICT", file_id=self.ids["file"])
        self.ids["resource"], self.ids["public"] = secret.id, (await write(service.add, by, PUBLIC, label="TLP:CLEAR")).id
        self.ids["note"] = await write(notes.add, by, secret.id, country="BT", text="Wombat in Bhutan")
        self.ids["list"] = await write(lists.add, by, title="Zephyrine list", summary="", label="TLP:AMBER+STRICT")
        await write(lists.put, by, self.ids["list"], secret.id)
        self.ids["public_list"] = await write(lists.add, by, title="Public list", summary="", label="TLP:CLEAR")
        for one in (secret.id, self.ids["public"]):
            await write(lists.put, by, self.ids["public_list"], one)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with site(tmp_path) as here:
        made = Shelf(here, await here.member("ilse"))
        await made.fill()
        yield made


def of_kind(path: str, ids: dict[str, str]) -> str:
    """The id that a route's pattern takes: of the resource, or of what else it names."""
    return ids["list"] if "/lists/" in path else ids["note"] if "/notes/" in path else ids["resource"]


@pytest.mark.rule("CONF-04")
async def test_nothing_of_it_stands_in_lists_counts_facets_searches_and_feeds_of_others(shelf: Shelf) -> None:
    stranger = shelf.here.stranger()
    asked = [
        "/library",
        "/library?by=all",
        "/library/lists",
        f"/library/lists/{shelf.ids['public_list']}",
        f"/library/{shelf.ids['public']}",
        "/",
    ]
    asked += [f"/library?q={word}" for word in TELLTALE] + [f"/search?q={word}" for word in TELLTALE] + ["/search?kind=resource"]
    asked += ["/library?country=BT", "/library?language=dz", "/library?year=1987", "/library?topic=OrganRemoval", "/library?type=Form"]
    asked += [route.path for route in exchange.ROUTES if route.method == "GET" and "{" not in route.path and "import" not in route.path]
    for path in asked:
        _, text = await stranger.get(path)
        shown = re.sub(
            r'value="[^"]*"|<title>.*?</title>|next=[^"]*|q=[^"&]*|year=1987|<bdi>[^<]*</bdi>\s*<svg', "", text
        )  # what was asked for
        assert [word for word in TELLTALE if word in shown] == [], path
        assert shelf.ids["resource"] not in text, path
    _, mine = await shelf.ilse.get("/library?q=Wombat")
    assert "Zephyrine" in mine
    _, offered = await shelf.ilse.get("/library?by=all")
    assert [word for word in ("Bhutan", "Dzongkha", "1987", "Organ removal") if word not in offered] == []
    _, counted = await stranger.get("/library?by=all")
    assert "1 result" in counted


@pytest.mark.rule("CONF-09", "CONF-01")
async def test_each_route_answers_for_what_is_hidden_as_for_what_does_not_exist(shelf: Shelf) -> None:
    stranger, token = shelf.here.stranger(), await shelf.ilse.token("/settings")
    checked = 0
    for route in FEATURE.routes:
        if "{id" not in route.path:
            continue
        answers = []
        for row_id in (of_kind(route.path, shelf.ids), new_id()):
            path = re.sub(r"\{id[^}]*\}", row_id, route.path)
            for accept in ("text/html", ap.MEDIA_TYPE):
                form = {"token": token, "text": "x", "country": "FR", "reason": "x"} if route.method == "POST" else None
                status, headers, text = await stranger.ask(route.method, path, form, {"Accept": accept})
                at = headers.get("Location", "").replace(row_id, "ID")
                answers.append((status, at, re.sub(r'name="token" value="\w+"|[0-9a-f-]{36}', "", text)))
        assert answers[:2] == answers[2:], route.path
        assert answers[0][0] in (303, 307, 401, 403, 404), route.path
        checked += 1
    assert checked > 20
    assert (await shelf.ilse.get(f"/library/{shelf.ids['resource']}"))[0] == 200
    assert (await stranger.get(f"/library/{shelf.ids['public']}"))[0] == 200


@pytest.mark.rule("CONF-05")
async def test_its_file_is_nobodys_who_may_not_read_it_and_goes_with_it(shelf: Shelf) -> None:
    stranger, at = shelf.here.stranger(), f"/files/{shelf.ids['file']}"
    for path in (at, at + "/preview"):
        status, headers, text = await stranger.ask("GET", path)
        assert status in (303, 401, 404), path
        assert "zephyrine" not in text
        assert headers.get("Cache-Control") == "no-store"
    assert (await shelf.ilse.get(at))[0] == 200
    await shelf.here.write(service.delete, shelf.ilse.viewer, shelf.ids["resource"])
    assert (await stranger.get(at))[0] in (303, 401, 404)


@pytest.mark.rule("CONF-09")
async def test_members_do_nothing_to_what_is_a_partners_and_nothing_in_anothers_name(shelf: Shelf) -> None:
    mara = await shelf.here.member("mara")
    at = f"/library/{shelf.ids['resource']}"
    assert (await mara.post(f"{at}/delete"))[0] == 403
    assert (await mara.post(f"/library/notes/{shelf.ids['note']}/delete"))[0] == 403
    assert (await mara.post(f"/library/notes/{shelf.ids['note']}/remove", reason="No."))[0] == 404
    assert (await mara.post(f"/library/lists/{shelf.ids['list']}/delete"))[0] == 403
    assert (await mara.post(f"{at}/list", list=new_id()))[0] == 404
    assert (await mara.post(f"{at}/version", file=shelf.ids["file"], number="2"))[0] == 404  # a file that somebody else has uploaded
    assert (await mara.post(f"{at}/edit", title="Changed by Mara", kind="Form", revision="0"))[0] == 409
    assert (await shelf.ilse.post(f"/library/notes/{shelf.ids['note']}/delete"))[0] == 303
