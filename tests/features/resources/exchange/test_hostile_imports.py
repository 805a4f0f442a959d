"""Whatever stands in a bibliography stays text on every page that shows it; forms that are broken or forged change nothing."""

import io
from html.parser import HTMLParser
from urllib.parse import urlsplit

import aiohttp
import pytest
import sqlalchemy as sa

from fedcollab.features.resources.exchange import formats
from fedcollab.features.resources.record import Record
from tests.features.conftest import House, house

from .records import written
from .test_importing import library, report, run, upload

__all__ = ["house"]
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "javascript:alert(1)",
    "[link](javascript:alert(1))",
    "[x]: data:text/html;base64,PHNjcmlwdD4=",
    "<a href='vbscript:x'>y</a>",
    "{{7*7}}{% raw %}${7*7}",
    "\u202egnp.exe\u200b",
    "<!--<script>-->",
    "' OR 1=1 --",
    "%(name)s %s {0}",
)
SAFE = ("", "http", "https", "mailto")


class Page(HTMLParser):
    """What in a page could run, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "base", "style") and not dict(attrs).get("src", "").startswith("/static/"):  # type: ignore[union-attr]
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and urlsplit((value or "").strip()).scheme not in SAFE:
                self.found.append(f"{name}={value}")


def record(payload: str) -> Record:
    return Record(payload, (payload, "A, " + payload), payload, 2001, summary=payload, source="https://a.example/?" + payload, kind="Guide")


def by_hand(payload: str) -> dict[str, str]:
    """Entries as somebody writes them who wants each part of them shown."""
    fields = (
        "title",
        "author",
        "publisher",
        "year",
        "language",
        "country",
        "keywords",
        "abstract",
        "url",
        "doi",
        "isbn",
        "file",
        "note",
        "license",
    )
    bib = "".join(f"  {name} = {{{payload}}},\n" for name in fields)
    tags = ("TI", "AU", "PB", "PY", "LA", "KW", "AB", "UR", "DO", "SN", "L1", "M3", "ZZ")
    columns = "title,authors,year,language,country,type,topics,licence,url,doi,label,nothing"
    cell = '"' + payload.replace('"', '""') + '"'
    return {
        "bibtex": f"@book{{{payload.replace('{', '').replace(',', '')},\n{bib}}}\n@{payload}{{",
        "ris": "TY  - BOOK\n" + "".join(f"{tag}  - {payload}\n" for tag in tags) + "ER  - \n" + payload,
        "csv": f"{columns}\n" + ",".join([cell] * 12) + "\n",
        "rdf": written("rdf", [record(payload)], "").replace("</bib:Document>", "<z:nothing>x</z:nothing></bib:Document>"),
    }


@pytest.mark.rule("XSS-01")
@pytest.mark.rule("XSS-02")
@pytest.mark.rule("XSS-05")
@pytest.mark.rule("XSS-09")
async def test_nothing_that_is_imported_runs_on_any_page(house: House) -> None:
    seen: list[str] = []
    for code in formats.FORMATS:
        text = "\n".join(by_hand(payload)[code] for payload in PAYLOADS) if code in ("bibtex", "ris") else ""
        texts = [text] if text else [by_hand(payload)[code] for payload in PAYLOADS]
        for one in texts:
            status, place, body = await upload(house.admin, one, "<script>.bib", format=code, label="TLP:CLEAR", publisher=PAYLOADS[0])
            if status != 303:
                seen.append(body)
                continue
            seen += [(await house.admin.get(place + more))[1] for more in ("", "/text")]
            if not place.endswith("/text"):
                await house.admin.post(place, act="delete", at=place)
    place = await run(house.admin, written("rdf", [record(payload) for payload in PAYLOADS], ""), "a.rdf", label="TLP:CLEAR")
    there = await library(house)
    assert len(there) >= len(PAYLOADS) - 1
    paths = [place, "/library/import", "/library", "/library?q=alert", *(f"/library/{resource_id}" for resource_id, _, _ in there)]
    for visitor in (house.admin, house.site.stranger()):
        seen += [(await visitor.get(path))[1] for path in paths]
    for text in seen:
        assert Page(text).found == []
    for line in (await report(house.admin, place))[1:]:
        assert not [cell for cell in line if cell[:1] in "=+-@\t\r" and cell]
    assert any("&lt;script&gt;alert(1)&lt;/script&gt;" in text for text in seen)
    assert any("{{7*7}}" in text for text in seen)


async def test_a_form_in_parts_that_is_broken_changes_nothing_and_the_next_one_works(house: House) -> None:
    token = await house.admin.token("/library/import")
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    whole = part.format("token", token) + part.format("text", "@book{a, title={One}}") + part.format("label", "TLP:GREEN") + "--x--\r\n"
    bodies = {
        "no boundary": ("multipart/form-data", whole),
        "another boundary": ("multipart/form-data; boundary=y", whole),
        "cut off": ("multipart/form-data; boundary=x", whole[:60]),
        "many fields": ("multipart/form-data; boundary=x", part.format("a", "b") * 40 + whole),
        "a part in parts": (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\na\r\n--z--\r\n" + whole,
        ),
        "no name": ("multipart/form-data; boundary=x", "--x\r\n\r\na\r\n" + whole),
        "a long field": ("multipart/form-data; boundary=x", part.format("publisher", "b" * 700_000) + whole),
        "no letters": ("multipart/form-data; boundary=x", whole.replace("One", "\udcff")),
        "json": ("application/json", "{}"),
    }
    for name, (kind, body) in bodies.items():
        data = aiohttp.BytesIOPayload(io.BytesIO(body.encode("utf-8", "surrogateescape")))
        status, _, _ = await house.admin.ask("POST", "/library/import", data, {"Content-Type": kind})  # type: ignore[arg-type]
        assert status in (400, 403, 413), name
        count = await house.site.kernel.database.read(lambda session: session.scalar(sa.text("SELECT count(*) FROM library_import")))
        assert count == 0, name
    status, headers, _ = await house.admin.ask(
        "POST",
        "/library/import",
        whole,
        {"Content-Type": "multipart/form-data; boundary=x"},  # type: ignore[arg-type]
    )
    assert (status, headers["Location"].startswith("/library/import/")) == (303, True)
