"""Attacks on what only those on a case may know, each beside its legitimate twin: by addresses, by other people's pages, by errors, by what
is written to disk."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.admin import partners as acts
from fedcollab.base.clock import new_id
from fedcollab.features.cases.feature import FEATURE
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.people import Exploitation, Health, Identity, Person, SafeContact, Where
from fedcollab.features.cases.record import Closed, Hold
from fedcollab.features.cases.sharing import Consent
from fedcollab.features.cases.work import Contact, Decision, Step, Task
from fedcollab.sealing import room_content
from tests.features.cases.desks import CODE, TERMS, Office, office
from tests.nodes import Rogue, rogue
from tests.web import Visitor

MARKER = "kanarie-zwartwit-7391"
TEXT = f"She said {MARKER} twice."
WHO = "bafuko-tezara"


@dataclass
class Case:
    """A node with a partner, and a case of Noor's in which each text says the marker."""

    at: Office
    partner: Rogue
    id: str
    code: str
    said: str

    async def tables(self) -> list[tuple[Any, ...]]:
        names = ("room", "room_fact", "room_person", "sealed_message", "sealed_file", "case_record", "case_need", "delivery")
        return await self.at.sql("SELECT " + ", ".join(f"(SELECT count(*) FROM {name})" for name in names))


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    partner = await rogue()
    async with office(tmp_path, loopback_peers=[f"127.0.0.1:{partner.port}"]) as at:
        await acts.add(at.site.kernel, at["mila"].viewer, partner.uri("/actor"), approve=True)
        case_id = await at.case("noor", purpose=TEXT)
        code = CODE.findall((await at["noor"].get(f"/cases/{case_id}"))[1])[0]
        yield Case(at, partner, case_id, code, await at.say("noor", case_id, TEXT))
    await partner.stop()


def alike(page: str, *ids: str) -> str:
    """A page without what differs from one request to the next."""
    for one in ids:
        page = page.replace(one, "ID")
    return re.sub(r'name="token" value="\w+"|name="once" value="[^"]*"', "", page)


def paths(case_id: str, entry: str) -> list[tuple[str, str]]:
    """(method, path) of every route of a case, filled in."""
    values = {"id": case_id, "kind": "message", "entry": entry, "person": entry, "name": entry, "file": entry}
    found = [(route.method, route.path) for route in FEATURE.routes if "{id}" in route.path]  # type: ignore[attr-defined]
    assert len(found) > 25
    return [(method, re.sub(r"\{(\w+)(?::[^}]*)?\}", lambda m: values.get(m[1], entry), path)) for method, path in found]


@pytest.mark.rule("CONF-01", "CONF-09")
async def test_every_address_of_a_case_answers_whoever_is_not_on_it_as_one_that_there_is_not(case: Case) -> None:
    nowhere, before = new_id(), await case.tables()
    real, none = paths(case.id, handle(case.id, case.said)), paths(nowhere, handle(nowhere, "x"))
    for name in ("daan", "mila", "ruth"):  # a colleague who works on cases, an admin who is a keeper, a keeper
        visitor = case.at[name]
        token = await visitor.token("/settings")
        for (method, there), (_, elsewhere) in zip(real, none, strict=True):
            if name != "daan" and there.endswith(f"{case.id}/assign"):  # keepers put people on cases, and read nothing by that
                continue
            assert await answer(visitor, method, there, token, case.id) == await answer(visitor, method, elsewhere, token, nowhere), there
    assert await case.tables() == before
    reads = await case.at.sql("SELECT count(*) FROM audit_entry WHERE action = 'case.read' AND actor_id <> :noor", noor=noor(case))
    assert reads == [(0,)]
    assert MARKER in (await case.at["noor"].get(f"/cases/{case.id}"))[1]


def noor(case: Case) -> str:
    return case.at["noor"].viewer.person_id


async def answer(visitor: Visitor, method: str, path: str, token: str, case_id: str) -> tuple[int, str, str]:
    form = {"token": token, "person": visitor.viewer.person_id, "text": "x", "act": "accept"} if method == "POST" else None
    status, headers, page = await visitor.ask(method, path, form)
    assert status >= 400, (method, path)
    return status, headers.get("Location", "").replace(case_id, "ID"), re.sub("[0-9a-f]{24}", "H", alike(page, case_id))


@pytest.mark.rule("CONF-01")
async def test_nobody_and_a_partner_learn_nothing_from_the_address_of_a_case(case: Case) -> None:
    nowhere, stranger = new_id(), case.at.site.stranger()
    for end in ("", "/tasks", "/access", "/people", "/record"):
        there, elsewhere = [await stranger.ask("GET", f"/cases/{one}{end}") for one in (case.id, nowhere)]
        assert (there[0], there[1]["Location"].replace(case.id, "ID")) == (elsewhere[0], elsewhere[1]["Location"].replace(nowhere, "ID"))
        asked: Any = case.at.site
        there, elsewhere = [await case.partner.get(asked, f"/cases/{one}{end}") for one in (case.id, nowhere)]
        assert there == elsewhere
        assert there[0] >= 400
    assert (await case.at["noor"].get(f"/cases/{case.id}"))[0] == 200


@pytest.mark.rule("CONF-04", "CONF-14", "P4")
async def test_neither_code_nor_number_nor_words_of_a_case_stand_anywhere_else(case: Case) -> None:
    at, asked = case.at, case.at.site
    for path in ("/actor", "/actor/outbox", "/actor/followers", "/nodeinfo/2.1", "/.well-known/nodeinfo", "/robots.txt", "/sitemap.xml"):
        status, headers, page = await case.partner.get(asked, path)  # type: ignore[arg-type]
        assert not any(one in page + str(headers) for one in (case.id, case.code, MARKER, "/rooms/")), (path, status)
    for name in ("daan", "mila"):
        for path in ("/", "/groups", "/library", f"/search?q={MARKER}", f"/search?q={case.code}", "/settings"):
            _, page = await at[name].get(path)
            main = page.partition("<main")[2]
            assert case.id not in page
            assert not any(one in main.replace(f'value="{one}"', "") for one in (case.code, MARKER) if one not in path), (name, path)
    record = (await at["mila"].get("/admin/audit"))[1]
    assert not any(one in record for one in (case.code, MARKER))
    assert case.code in (await at["noor"].get("/cases"))[1]


@pytest.mark.rule("CONF-08")
async def test_what_goes_wrong_inside_while_a_case_is_written_to_tells_nothing_of_it(
    case: Case, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, noor, form = case.at, case.at["noor"], {"what": TEXT, "why": TEXT, "who": MARKER}
    before, path = await case.tables(), f"/cases/{case.id}/say/decision"

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such thing")

    with caplog.at_level(logging.DEBUG), monkeypatch.context() as patched:
        patched.setattr(room_content, "write", broken)
        status, _, page = await noor.post(path, at=f"/cases/{case.id}", **form)
        assert (status, "RuntimeError" in page, "no such thing" in page) == (500, False, False)
        status, _, page = await noor.post(path, at=f"/cases/{case.id}", **form | {"what": "x" * 30_000})
        assert status == 422
    assert MARKER not in caplog.text
    assert case.code not in caplog.text
    assert MARKER not in (await at["mila"].get("/metrics"))[1]
    assert await at.sql("SELECT count(*) FROM audit_entry WHERE subject LIKE :marker", marker=f"%{MARKER}%") == [(0,)]
    assert await case.tables() == before
    assert (await noor.post(path, at=f"/cases/{case.id}", **form))[0] == 303


@pytest.mark.rule("CONF-15")
async def test_an_address_in_an_entry_is_text_that_nobody_fetches_and_no_page_says_where_one_came_from(case: Case) -> None:
    await case.at.say("noor", case.id, f"Look at {case.partner.url}/picture.png and <img src={case.partner.url}/x.png>")
    _, headers, page = await case.at["noor"].ask("GET", f"/cases/{case.id}")
    assert f'"{case.partner.url}' not in page
    assert "<img" not in page
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert re.findall(r'<a [^>]*href="http[^>]*>', page) == re.findall(r'<a class="btn leave" href="[^"]*" rel="noreferrer">', page)
    assert not [one for one in case.partner.fetched if one.endswith(".png")]


@pytest.mark.rule("CONF-16", "P14")
async def test_nothing_that_was_written_into_a_case_lies_in_clear_on_the_disk(case: Case) -> None:
    at, now, of = case.at, case.at.site.kernel.node.now(), dict(person=WHO)
    for entry in (
        Decision(at=now, what=TEXT, why=TEXT, who=(MARKER,)),
        Contact(at=now, who=MARKER, how="Phone", on="2026-11-20", reached="Reached", outcome=TEXT),
        Task(at=now, what=TEXT, due="2031-01-01"),
        Person(at=now, role="PotentialVictim", **of),
        Step(at=now, support="Legal", what=TEXT, by=MARKER, **of),
        Identity(at=now, name=MARKER, notes=TEXT, **of),
        SafeContact(at=now, methods=("Phone",), address=TEXT, never=TEXT, word=MARKER, **of),
        Where(at=now, address=TEXT, arrangements=TEXT, danger=TEXT, **of),
        Exploitation(at=now, account=TEXT, **of),
        Health(at=now, urgent=TEXT, conditions=TEXT, **of),
        Hold(at=now, by=MARKER, reason=TEXT, review="2031-01-01"),
        Consent(at=now, to_name=MARKER, what=TEXT, until="2031-01-01", how="Spoken", capacity="Adult", decided_by="Self", **of),
    ):
        await at.say("noor", case.id, entry)
    await at["noor"].post("/cases/new", at="/cases/new", **TERMS | {"purpose": TEXT})
    await at["noor"].post(f"/cases/{case.id}/search", at=f"/cases/{case.id}", q=MARKER)
    replaces = (await at.desk("noor", case.id)).case.status_ids
    await at.say("noor", case.id, Closed(at=now, status="Closed", outcome=TEXT, retention="2031-01-01", replaces=replaces))
    shown = [(await at["noor"].get(f"/cases/{case.id}{end}"))[1].count(MARKER) for end in ("", "/tasks", f"/people/{handle(case.id, WHO)}")]
    assert min(shown) > 0, "it is there for whoever is on the case"
    files = [path for path in at.site.place.rglob("*") if path.is_file()]
    assert any(path.name.endswith(".db") for path in files)
    assert [path.name for path in files if MARKER.encode() in path.read_bytes()] == []
    assert [path.name for path in files if case.code.encode() in path.read_bytes()] == []
