"""Harvesters get the public records of this organisation page by page, hear what is gone, and learn nothing of what is not public."""

import base64
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from fedcollab.base import xmldoc
from fedcollab.base.xmldoc import Element
from fedcollab.features.resources import service
from fedcollab.features.resources.exchange import harvest
from fedcollab.features.resources.exchange.oai import SPACE
from fedcollab.features.resources.record import Record
from tests.features.conftest import House
from tests.web import site

from .shelf import GREEN, HIDDEN, PUBLIC, STRICT, add, fill, of_partner, sql

XSI = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
DC, OAI_DC = "{http://purl.org/dc/elements/1.1/}", "{http://www.openarchives.org/OAI/2.0/oai_dc/}"
ELEMENTS = frozenset(
    ("title", "creator", "subject", "description", "publisher", "contributor", "date", "type", "format", "identifier", "source", "language")
) | {"relation", "coverage", "rights"}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SET = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")
CODES = ("badArgument", "badResumptionToken", "badVerb", "cannotDisseminateFormat", "idDoesNotExist", "noMetadataFormats", "noRecordsMatch")
CODES += ("noSetHierarchy",)
IDENTIFY = ("repositoryName", "baseURL", "protocolVersion", "adminEmail", "earliestDatestamp", "deletedRecord", "granularity")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with site(tmp_path, oai=True) as made:
        yield House(made, await made.member("ilse", "admin", "member"))


def name(element: Element) -> str:
    assert element.tag.startswith(f"{{{SPACE}}}"), element.tag
    return element.tag.rpartition("}")[2]


def names(element: Element) -> list[str]:
    return [name(child) for child in element.children]


def check(text: str) -> Element:
    """The rules of the protocol's schema that concern what an answer of ours can be; answers what stands beside date and request."""
    root = xmldoc.read(text)
    assert name(root) == "OAI-PMH"
    assert root.attributes == {XSI: f"{SPACE} {SPACE}OAI-PMH.xsd"}
    date, request, body = root.children
    assert (name(date), name(request)) == ("responseDate", "request")
    assert STAMP.fullmatch(date.text)
    assert request.text.endswith("/oai")
    if name(body) == "error":
        assert body.attributes["code"] in CODES
        assert bool(request.attributes) == (body.attributes["code"] not in ("badVerb", "badArgument"))
        return body
    assert request.attributes["verb"] == name(body)
    CHECKS[name(body)](body)
    return body


def check_header(header: Element) -> None:
    assert name(header) == "header"
    assert names(header)[:2] == ["identifier", "datestamp"]
    assert set(names(header)[2:]) <= {"setSpec"}
    assert STAMP.fullmatch(header.children[1].text)
    assert all(SET.fullmatch(child.text) for child in header.children[2:])
    assert header.attributes in ({}, {"status": "deleted"})


def check_record(record: Element) -> None:
    assert name(record) == "record"
    header, *rest = record.children
    check_header(header)
    assert len(rest) == (0 if header.attributes else 1)
    for metadata in rest:
        assert name(metadata) == "metadata"
        (dc,) = metadata.children
        assert dc.tag == OAI_DC + "dc"
        assert dc.attributes[XSI].split()[0] == OAI_DC[1:-1]
        assert all(part.tag.startswith(DC) and part.tag.removeprefix(DC) in ELEMENTS and part.text for part in dc.children)


def check_list(body: Element, one: str) -> None:
    found = names(body)
    assert found
    assert found[:-1] == [one] * (len(found) - 1)
    assert found[-1] in (one, "resumptionToken")
    for child in body.children:
        if name(child) == "header":
            check_header(child)
        elif name(child) == "record":
            check_record(child)


def check_identify(body: Element) -> None:
    assert names(body) == list(IDENTIFY)
    said = dict(zip(IDENTIFY, (child.text for child in body.children), strict=True))
    assert said["protocolVersion"] == "2.0"
    assert re.fullmatch(r"\S+@(\S+\.)+\S+", said["adminEmail"])
    assert STAMP.fullmatch(said["earliestDatestamp"])
    assert (said["deletedRecord"], said["granularity"]) == ("transient", "YYYY-MM-DDThh:mm:ssZ")


CHECKS = {
    "Identify": check_identify,
    "ListMetadataFormats": lambda body: check_list(body, "metadataFormat"),
    "ListSets": lambda body: check_list(body, "set"),
    "ListIdentifiers": lambda body: check_list(body, "header"),
    "ListRecords": lambda body: check_list(body, "record"),
    "GetRecord": lambda body: check_record(body.children[0]),
}


async def ask(house: House, query: str) -> Element:
    status, headers, text = await house.site.stranger().ask("GET", f"/oai?{query}")
    assert (status, headers["Content-Type"]) == (200, "text/xml; charset=utf-8"), text
    assert not [word for word in HIDDEN if word in text]
    return check(text)


async def code(house: House, query: str) -> str:
    body = await ask(house, query)
    assert name(body) == "error", query
    return body.attributes["code"]


async def harvested(house: House, query: str = "verb=ListRecords&metadataPrefix=oai_dc") -> list[Element]:
    """All headers or records, as a harvester gets them: page after page, to the empty token."""
    verb, found = query.partition("&")[0], []
    for _ in range(20):
        body = await ask(house, query)
        parts = body.children
        if name(parts[-1]) != "resumptionToken":
            return [*found, *parts]
        found += parts[:-1]
        if not parts[-1].text:
            return found
        query = f"{verb}&resumptionToken={quote(parts[-1].text)}"
    raise AssertionError("the list does not end")


def identifiers(parts: list[Element]) -> dict[str, bool]:
    """{identifier: whether it is gone}."""
    headers = [part if name(part) == "header" else part.children[0] for part in parts]
    return {header.children[0].text: header.attributes.get("status") == "deleted" for header in headers}


def said(headers: list[Element]) -> list[list[str]]:
    return [[child.text for child in header.children] for header in headers]


def titles(parts: list[Element]) -> list[str]:
    return [part.children[1].children[0].first(DC + "title") for part in parts if len(part.children) == 2]


@pytest.mark.rule("CONF-04")
async def test_a_harvester_gets_what_is_public_and_hears_of_what_was_withdrawn(house: House) -> None:
    made = await fill(house)
    await of_partner(house, replace(PUBLIC, title="A partner's"))
    records = await harvested(house)
    uri = house.site.kernel.node.settings.uri
    assert identifiers(records) == {uri(f"/library/{made['public']}"): False, uri(f"/library/{made['withdrawn']}"): False}
    public, withdrawn = (record.children[1].children[0] for record in records)
    said = [(part.tag.removeprefix(DC), part.text) for part in public.children]
    assert said == [
        ("title", PUBLIC.title),
        ("creator", "Léa Dubois"),
        ("creator", "Réseau, du Port"),
        ("publisher", "Réseau du Port"),
        ("date", "2016"),
        ("language", "fr"),
        ("type", "Guide"),
        ("subject", "Shelter and housing"),
        ("subject", "Outreach"),
        ("coverage", "FR"),
        ("coverage", "TN"),
        ("description", "Ce qu'il faut savoir d'abord."),
        ("rights", "CC BY 4.0"),
        ("identifier", uri(f"/library/{made['public']}")),
        ("identifier", "https://doi.org/10.5555/accueil"),
        ("relation", "https://port.example/accueil"),
        ("rights", "TLP:CLEAR"),
    ]
    assert withdrawn.first(DC + "description") == "Withdrawn by its publisher: The law changed."
    assert await harvested(house, "verb=ListIdentifiers&metadataPrefix=oai_dc") != []


async def test_a_long_list_comes_in_pages_each_record_once_also_where_many_changed_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harvest, "PAGE", 3)
    harvest._public.cache_clear()
    for number in range(10):
        await add(house, Record(f"Number {number}", kind="Guide", topics=("Health",) if number % 2 else ()), "TLP:CLEAR")
    await sql(house, "UPDATE resource SET changed_at = 1700000000000000 WHERE title IN ('Number 3', 'Number 4', 'Number 5', 'Number 6')")
    assert sorted(titles(await harvested(house))) == [f"Number {number}" for number in range(10)]
    some = await harvested(house, "verb=ListRecords&metadataPrefix=oai_dc&set=topic:Health")
    assert sorted(titles(some)) == ["Number 1", "Number 3", "Number 5", "Number 7", "Number 9"]
    harvest._public.cache_clear()


@pytest.mark.rule("CONF-04")
async def test_what_is_public_no_more_is_gone_with_that_moment_and_its_later_life_shows_nowhere(house: House) -> None:
    made = await fill(house)
    other = await add(house, Record("To be deleted", kind="Guide"), "TLP:CLEAR")
    await house.site.write(service.relabel, house.admin.viewer, made["public"], "TLP:GREEN")
    await house.site.write(service.delete, house.admin.viewer, other)
    uri = house.site.kernel.node.settings.uri
    before = await harvested(house, "verb=ListIdentifiers&metadataPrefix=oai_dc")
    assert identifiers(before) == {
        uri(f"/library/{made['withdrawn']}"): False,
        uri(f"/library/{made['public']}"): True,
        uri(f"/library/{other}"): True,
    }
    await sql(house, "UPDATE resource SET changed_at = 1900000000000000 WHERE label <> 'TLP:CLEAR'")
    await add(house, replace(GREEN, title="Secretly more"), "TLP:GREEN")
    await add(house, STRICT, "TLP:AMBER+STRICT")
    after = await harvested(house, "verb=ListIdentifiers&metadataPrefix=oai_dc")
    assert said(after) == said(before)
    gone = await ask(house, f"verb=GetRecord&metadataPrefix=oai_dc&identifier={quote(uri('/library/' + made['public']))}")
    assert identifiers(gone.children) == {uri(f"/library/{made['public']}"): True}


@pytest.mark.rule("CONF-04")
async def test_what_is_not_public_does_not_exist(house: House) -> None:
    made = await fill(house)
    partner = await of_partner(house, replace(PUBLIC, title="A partner's"))
    uri = house.site.kernel.node.settings.uri
    hidden = [uri(f"/library/{made[one]}") for one in ("green", "strict", "story")] + [uri(f"/library/{partner}"), "nowhere"]
    for one in hidden:
        assert await code(house, f"verb=GetRecord&metadataPrefix=oai_dc&identifier={quote(one)}") == "idDoesNotExist"
        assert await code(house, f"verb=ListMetadataFormats&identifier={quote(one)}") == "idDoesNotExist"
    assert await code(house, "verb=ListRecords&metadataPrefix=oai_dc&set=kind:Card") == "noRecordsMatch"
    first = (await ask(house, "verb=Identify")).first(f"{{{SPACE}}}earliestDatestamp")
    await sql(house, "UPDATE resource SET changed_at = 1000000 WHERE label <> 'TLP:CLEAR' OR kind = 'Story'")
    assert (await ask(house, "verb=Identify")).first(f"{{{SPACE}}}earliestDatestamp") == first


async def test_all_verbs_answer_by_get_and_by_post(house: House) -> None:
    made = await fill(house)
    identifier = house.site.kernel.node.settings.uri(f"/library/{made['public']}")
    formats = await ask(house, f"verb=ListMetadataFormats&identifier={quote(identifier)}")
    assert formats.children[0].first(f"{{{SPACE}}}metadataPrefix") == "oai_dc"
    sets = {one.first(f"{{{SPACE}}}setSpec") for one in (await ask(house, "verb=ListSets")).children}
    assert {"kind:Guide", "topic:Shelter"} <= sets
    assert "kind:Story" not in sets
    record = await ask(house, f"verb=GetRecord&metadataPrefix=oai_dc&identifier={quote(identifier)}")
    specs = {child.text for child in record.children[0].children[0].children[2:]}
    assert specs == {"kind:Guide", "topic:Shelter", "topic:Outreach"}
    assert specs <= sets
    form = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}
    status, _, text = await house.site.stranger().ask("POST", "/oai", form)
    assert (status, name(check(text))) == (200, "ListIdentifiers")


async def test_times_narrow_a_list_by_days_and_by_seconds_to_their_ends(house: House) -> None:
    await fill(house)
    await sql(house, "UPDATE resource SET changed_at = 1772000000500000 WHERE title LIKE 'Le %'")  # 2026-02-25T06:13:20.5Z
    await sql(house, "UPDATE resource SET changed_at = 1772100000000000 WHERE title LIKE 'Out %'")
    lists = "verb=ListIdentifiers&metadataPrefix=oai_dc"
    for query, number in (
        ("&from=2026-02-25&until=2026-02-25", 1),
        ("&until=2026-02-25T06:13:20Z", 1),
        ("&from=2026-02-25T06:13:20Z&until=2026-02-25T06:13:20Z", 1),
        ("&from=2026-02-25T06:13:21Z", 1),
        ("&from=2026-02-25", 2),
    ):
        assert len(await harvested(house, lists + query)) == number, query
    assert await code(house, lists + "&until=2026-02-25T06:13:19Z") == "noRecordsMatch"


WRONG = [
    ("", "badVerb"),
    ("verb=Nothing", "badVerb"),
    ("verb=Identify&verb=Identify", "badVerb"),
    ("verb=Identify&from=2020-01-01", "badArgument"),
    ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
    ("verb=ListRecords", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2020-13-01", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2020-01-01&until=2020-01-01T00:00:00Z", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=2021-01-01&until=2020-01-01", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&from=%D9%A2020-01-01", "badArgument"),
    ("verb=ListRecords&metadataPrefix=oai_dc&<script>=1", "badArgument"),
    ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
    ("verb=ListRecords&metadataPrefix=oai_dc&set=topic:Nothing", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&set=topic:%25", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&set=nothing", "noRecordsMatch"),
    ("verb=ListRecords&metadataPrefix=oai_dc&until=1990-01-01", "noRecordsMatch"),
    ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
    ("verb=ListRecords&resumptionToken=", "badResumptionToken"),
    ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
    ("verb=GetRecord&metadataPrefix=oai_dc&identifier=%3Cscript%3E", "idDoesNotExist"),
]


async def test_what_is_asked_wrongly_has_its_code(house: House) -> None:
    await fill(house)
    for query, expected in WRONG:
        assert await code(house, query) == expected, query
    assert len(await harvested(house)) == 2


@pytest.mark.rule("CONF-04")
async def test_a_made_up_token_leads_to_nothing_that_a_list_would_not_show(house: House) -> None:
    await fill(house)
    last, place = "0" * 36, "01890000-0000-7000-8000-000000000000"
    for parts in (
        ["0", "9" * 25, "", "", "0", last],
        ["-1", "1", "", "", "0", last],
        ["0", "1", "label", "TLP:GREEN", "0", place],
        ["0", "1", "kind", "Card' OR 1=1", "0", place],
        ["0", "1", "topic", "%", "0", place],
        ["0", str(1 << 62), "", "", "0", "x' OR '1'='1"],
        ["0", "1"],
        ["0"] * 9,
    ):
        token = base64.urlsafe_b64encode("!".join(parts).encode()).decode().rstrip("=")
        assert await code(house, f"verb=ListRecords&resumptionToken={token}") == "badResumptionToken", parts
    whole = base64.urlsafe_b64encode(f"0!{1 << 62}!!!0!{place}".encode()).decode().rstrip("=")
    assert sorted(titles((await ask(house, f"verb=ListRecords&resumptionToken={whole}")).children[:-1])) == [PUBLIC.title, "Out of date"]


async def test_where_it_is_not_turned_on_there_is_nothing(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        assert (await made.stranger().get("/oai?verb=Identify"))[0] == 404
        assert (await made.stranger().ask("POST", "/oai", {"verb": "Identify"}))[0] == 404
