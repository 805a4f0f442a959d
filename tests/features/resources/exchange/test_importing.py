"""Fifty entries are imported through the page on a real node and reported line by line; out and in again, nothing changes."""

import csv
import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from fedcollab.base.session import Session
from fedcollab.features.resources import service
from fedcollab.features.resources.exchange import formats, importing
from fedcollab.features.resources.models import Resource
from fedcollab.features.resources.record import Record
from tests.features.conftest import House, house
from tests.web import Visitor

from .records import written

__all__ = ["house"]
BIBLIOGRAPHY = Path(__file__).with_name("bibliography.bib").read_text()
BROKEN = {
    60: "The entry is broken: a brace, a quote or a comma is missing in it or before it.",
    62: "A comma is missing behind “title”.",
    64: "It has no title.",
    66: "The entry is broken: a brace, a quote or a comma is missing in it or before it.",
    67: "It is marked TLP:RED, for named people alone: it does not belong into a library.",
}
OTHER = "Its kind is not known: it stands among “Other”, until somebody changes that."
GUESSED = "It names no publisher: what it appeared in is taken for it."
NOTES = {
    11: ["It has further authors that it does not name."],
    12: [GUESSED, "Left out: volume, number, pages"],
    13: ["Left out: Proceedings of the Second Meeting"],
    23: ["These keywords are none of our topics and are left out: safe migration"],
    24: ["๒๕๖๔ is taken for a year of the Buddhist calendar: 2021"],
    25: [GUESSED],
    27: ["These keywords are none of our topics and are left out: microfinance"],
    34: ["Left out: Ngozi Okafor, Many Hands: Essays on Cooperation, pages"],
    35: ["It names no authors: its editors are taken for them."],
    36: ["Files are named and not fetched: ten-questions.pdf", "Left out: note"],
    44: ["This is no valid DOI or ISBN and is left out: 1-2345-6789-0"],
    47: ["The language is not known and is left out: Klingonese"],
    48: ["Of its addresses these are left out: javascript:alert(1)"],
    49: ["Left out: howpublished"],
    50: ["These abbreviations are explained nowhere in the file: unknownabbreviation"],
    52: ["It says something twice: the first is taken."],
}


async def upload(visitor: Visitor, text: str | bytes, name: str = "list.bib", **fields: str) -> tuple[int, str, str]:
    """Sends the form with a file; answers (status, the import's address, body)."""
    form = aiohttp.FormData()
    for field, value in ({"token": await visitor.token("/library/import"), "label": "TLP:GREEN"} | fields).items():
        form.add_field(field, value)
    data = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    form.add_field("file", data, filename=name, content_type="application/octet-stream")
    status, headers, body = await visitor.ask("POST", "/library/import", form)  # type: ignore[arg-type]
    return status, headers.get("Location", ""), body


async def chosen(visitor: Visitor, place: str) -> list[str]:
    """The rows of a page that are ticked."""
    return re.findall(r'name="row" value="(\d+)" checked', (await visitor.get(place))[1])


async def act(visitor: Visitor, place: str, what: str, rows: list[str] = [], page: str = "1") -> tuple[int, str, str]:  # noqa: B006
    pairs = [("token", await visitor.token("/settings")), ("act", what), ("page", page), *(("row", one) for one in rows)]
    status, headers, body = await visitor.ask("POST", place, aiohttp.FormData(pairs))  # type: ignore[arg-type]
    return status, headers.get("Location", ""), body


async def run(visitor: Visitor, text: str | bytes, name: str = "list.bib", **fields: str) -> str:
    """Imports all that is chosen beforehand; answers the import's address."""
    status, place, body = await upload(visitor, text, name, **fields)
    assert status == 303, body
    number = 1
    pages = int((re.findall(r"Page 1 of (\d+)", (await visitor.get(place))[1]) or ["1"])[0])
    while number < pages:
        await act(visitor, place, f"page{number + 1}", await chosen(visitor, f"{place}?page={number}"), str(number))
        number += 1
    status, where, body = await act(visitor, place, "import", await chosen(visitor, f"{place}?page={number}"), str(number))
    assert (status, where) == (303, place), body
    return place


async def report(visitor: Visitor, place: str) -> list[list[str]]:
    status, text = await visitor.get(f"{place}/report.csv")
    assert status == 200
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


async def library(house: House) -> list[tuple[str, str, Record]]:
    """(id, label, record) of all that is in the library, oldest first."""
    from fedcollab.features.resources.sending import record_of

    def look(session: Session) -> list[tuple[str, str, Record]]:
        rows = session.execute(sa.select(*Resource.__table__.columns).order_by(Resource.posted_at, Resource.id))
        return [(row.id, row.label, record_of(row)) for row in rows]

    return await house.site.kernel.database.read(look)


async def test_fifty_entries_are_previewed_imported_and_reported_line_by_line(house: House) -> None:
    expected = formats.rows(BIBLIOGRAPHY, "bibtex")
    status, place, _ = await upload(house.admin, BIBLIOGRAPHY)
    assert status == 303
    assert await library(house) == []
    _, page = await house.admin.get(place)
    preview = await report(house.admin, place)
    assert len(preview) == 51
    assert [line[2] for line in preview[1:]].count("New") == 44
    assert 'value="45" checked' not in page
    assert 'value="45"' in page
    assert "The same stands in this file already, as entry 1." in page
    await act(house.admin, place, "import", await chosen(house.admin, place))
    lines = await report(house.admin, place)
    assert lines[0] == ["Line", "Title", "What became of it", "Address", "Remarks"]
    there = {record.title: (resource_id, label, record) for resource_id, label, record in await library(house)}
    assert len(there) == 44
    for line, row in zip(lines[1:], expected, strict=True):
        assert line[0] == str(row.line)
        if row.record is None:
            assert line[1:] == ["", "Cannot be read", "", BROKEN[row.line]]
            continue
        kind = [OTHER] if row.record.kind == "Other" else []
        notes = NOTES.get(row.line, [])
        for note in [*kind, *notes]:
            assert note in line[4], row.line
        assert len(line[4]) == len(" ".join([*kind, *notes])), row.line
        if row.line == 58:
            assert line[2:4] == ["Here already", ""]
            continue
        resource_id, label, record = there[row.record.title]
        assert line[1] == table_cell(row.record.title)
        assert line[2:4] == ["Added to the library", f"{house.site.kernel.node.settings.base_url}/library/{resource_id}"]
        assert record == row.record
        assert label == (row.label or "TLP:GREEN")
    page = "".join([(await house.admin.get(place))[1], (await house.admin.get(f"{place}?page=2"))[1]])
    assert "What became of it" in page
    assert all(text in unescape(page) for text in BROKEN.values())


def table_cell(text: str) -> str:
    from fedcollab.features.resources.exchange.table import neutral

    return neutral(text)


async def test_what_went_out_and_comes_in_again_changes_nothing(house: House) -> None:
    await run(house.admin, BIBLIOGRAPHY)
    before = await library(house)
    for code in formats.FORMATS:
        await check_again(house, before, code)


async def check_again(house: House, before: list[tuple[str, str, Record]], code: str) -> None:
    text = written(code, [record for _, _, record in before], "TLP:GREEN")
    status, place, _ = await upload(house.admin, text, "again")
    assert status == 303
    lines = await report(house.admin, place)
    assert {line[2] for line in lines[1:]} == {"Here already"}
    assert len(lines) == 45
    status, _, body = await act(house.admin, place, "import", await chosen(house.admin, place))
    assert status == 422
    assert "Choose at least one entry." in body
    assert await library(house) == before


async def test_an_import_sent_twice_is_imported_once(house: House) -> None:
    _, place, _ = await upload(house.admin, "@book{a, title = {One}}\n@book{b, title = {Two}}")
    rows = await chosen(house.admin, place)
    await act(house.admin, place, "import", rows)
    status, _, _ = await act(house.admin, place, "import", rows)
    assert status == 409
    assert (await act(house.admin, place, "go"))[0] == 303
    assert [record.title for _, _, record in await library(house)] == ["One", "Two"]


async def test_only_what_is_chosen_comes_in_and_what_is_here_can_be_all_the_same(house: House) -> None:
    await run(house.admin, "@book{a, title = {One}, year = 2001}")
    _, place, _ = await upload(house.admin, "@book{a, title = {ONE}, year = 2001}\n@book{b, title = {Two}}\n@book{c, title = {Three}}")
    assert await chosen(house.admin, place) == ["2", "3"]
    _, page = await house.admin.get(place)
    assert f'In the library: <a href="/library/{(await library(house))[0][0]}" dir="auto">One</a>' in page
    await act(house.admin, place, "import", ["1", "3"])
    assert [record.title for _, _, record in await library(house)] == ["One", "ONE", "Three"]
    assert [line[2] for line in (await report(house.admin, place))[1:]] == ["Added to the library", "Not imported", "Added to the library"]


async def test_a_unit_keeps_to_its_time_and_what_was_cut_off_goes_on(house: House) -> None:
    text = "".join(f"@book{{k{n}, title = {{Number {n:02}}}}}\n" for n in range(30))
    _, place, _ = await upload(house.admin, text)
    import_id = place.rpartition("/")[2]
    await house.site.write(importing.start, house.admin.viewer, import_id)
    assert await house.site.write(importing.run, import_id, 0.0) is True
    assert len(await library(house)) == 1
    _, page = await house.admin.get(place)
    assert "29 entries still wait." in page
    await house.site.write(importing.go_on)
    assert 1 < len(await library(house)) <= 21
    assert (await act(house.admin, place, "go"))[0] == 303
    assert [record.title for _, _, record in await library(house)] == [f"Number {n:02}" for n in range(30)]
    assert await house.site.write(importing.run, import_id) is False


async def test_whoever_is_no_member_any_more_imports_nothing_more(house: House) -> None:
    mara = await house.site.member("mara")
    theirs = [(await upload(mara, "@book{a, title = {One}}\n@book{b, title = {Two}}"))[1] for _ in range(2)]
    _, place, _ = await upload(house.admin, "@book{c, title = {Three}}")

    def begin_and_leave(session: Any, node: Any) -> None:
        """In one unit, for the node's own chores look as well."""
        for viewer, begun in (*((mara.viewer, one) for one in theirs), (house.admin.viewer, place)):
            importing.start(session, node, viewer, begun.rpartition("/")[2])
        session.execute(sa.text("UPDATE actor SET disabled_at = 1 WHERE id = :id"), {"id": mara.viewer.person_id})

    await house.site.write(begin_and_leave)
    for _ in range(2):  # and those of others go on
        await house.site.write(importing.go_on)
    assert [record.title for _, _, record in await library(house)] == ["Three"]


async def test_an_import_is_for_nobody_else(house: House) -> None:
    mara = await house.site.member("mara")
    _, place, _ = await upload(house.admin, "@book{a, title = {One}}")
    for path in (place, f"{place}/text", f"{place}/file", f"{place}/report.csv"):
        assert (await mara.get(path))[0] == 404
        assert (await house.site.stranger().get(path))[0] in (303, 401)
    assert (await act(mara, place, "import", ["1"]))[0] == 404
    assert (await act(mara, place, "delete"))[0] == 404
    assert await library(house) == []
    assert (await house.admin.get(place))[0] == 200


async def test_the_text_of_a_broken_file_is_kept_corrected_and_read_again(house: House) -> None:
    text = "@book{a, title = {One}\n@book{b, title = {Two}}\n"
    _, place, _ = await upload(house.admin, text)
    assert [line[2] for line in (await report(house.admin, place))[1:]] == ["Cannot be read", "New"]
    row = (await house.admin.get(place))[1].partition('<li class="row">')[2].partition("</li>")[0]
    assert f'href="{place}/text"' in row  # beside what is wrong, not at the foot of five thousand entries
    _, page = await house.admin.get(f"{place}/text")
    assert unescape(page).count(text.strip()) == 1
    assert await house.admin.get(f"{place}/file") == (200, text)
    status, where, _ = await house.admin.post(f"{place}/text", text=text.replace("One}", "One}}"), format="bibtex")
    assert (status, where) == (303, place)
    assert [line[2] for line in (await report(house.admin, place))[1:]] == ["New", "New"]


async def test_a_text_without_entries_is_kept_and_can_be_read_in_another_format(house: House) -> None:
    _, place, _ = await upload(house.admin, "TY  - BOOK\nTI  - One\nER  - \n", format="bibtex")
    assert place.endswith("/text")
    status, page = await house.admin.get(place)
    assert status == 200
    assert "There is no entry in this file" in page
    status, where, _ = await house.admin.post(place, text="", format="ris")
    assert (status, where) == (303, place.removesuffix("/text"))
    assert [line[1] for line in (await report(house.admin, where))[1:]] == ["One"]


async def test_a_pasted_text_is_imported_as_a_file_is(house: House) -> None:
    status, place, _ = await house.admin.post(
        "/library/import", text="title;auteurs\nUn;Zoé Noël", format="", label="TLP:CLEAR", publisher="Us"
    )
    assert status == 303
    await act(house.admin, place, "import", ["1"])
    assert await library(house) == [
        ((await library(house))[0][0], "TLP:CLEAR", Record("Un", ("Zoé Noël",), "Us", kind="Other")),
    ]


REFUSED: dict[str, tuple[bytes, dict[str, str], str, int]] = {
    "nothing": (b"", {}, "Choose a file, or paste a text.", 422),
    "large": (b"a" * (formats.BYTES + 1), {}, "larger than 2 MB", 413),
    "enormous": (b"a" * (formats.BYTES + 3_000_000), {}, "larger than 2 MB", 413),
    "unknown": (b"what is this", {}, "What format this is cannot be told", 422),
    "label": (b"@book{a, title={One}}", {"label": "TLP:RED"}, "Only us", 422),
    "token": (b"@book{a, title={One}}", {"token": "0" * 64}, "opened too long ago", 403),
}


async def test_what_cannot_be_imported_is_refused_in_words_and_leaves_nothing(house: House) -> None:
    for name, (text, fields, word, status) in REFUSED.items():
        found, _, body = await upload(house.admin, text, "x", **fields)
        assert (found, word in unescape(body)) == (status, True), name
        assert await house.site.kernel.database.read(lambda session: session.scalar(sa.text("SELECT count(*) FROM library_import"))) == 0
    assert (await upload(house.admin, "@book{a, title={One}}"))[0] == 303


async def test_twenty_imports_are_kept_and_each_can_be_thrown_away(house: House) -> None:
    places = [(await upload(house.admin, f"@book{{a, title={{Number {n}}}}}"))[1] for n in range(importing.MOST)]
    status, _, body = await upload(house.admin, "@book{a, title={One more}}")
    assert (status, "There are 20 imports of yours already" in body) == (422, True)
    assert (await act(house.admin, places[3], "delete"))[1] == "/library/import"
    assert (await house.admin.get(places[3]))[0] == 404
    assert (await upload(house.admin, "@book{a, title={One more}}"))[0] == 303


async def test_what_nobody_has_touched_for_a_month_goes_and_what_was_imported_stays(house: House) -> None:
    place = await run(house.admin, "@book{a, title={One}}")
    await house.site.write(importing.go_on)
    assert (await house.admin.get(place))[0] == 200
    await house.site.kernel.database.write(lambda session: session.execute(sa.text("UPDATE library_import SET changed_at = 1")) and None)
    await house.site.write(importing.go_on)
    assert (await house.admin.get(place))[0] == 404
    assert await house.site.kernel.database.read(lambda session: session.scalar(sa.text("SELECT count(*) FROM library_import_row"))) == 0
    assert len(await library(house)) == 1


async def test_a_record_that_the_library_does_not_take_has_its_reason_and_the_next_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fedcollab.base.errors import Refused

    real = service.add

    def add(session, node, viewer, record, **more):  # type: ignore[no-untyped-def]
        made = real(session, node, viewer, record, **more)
        if record.title == "One":
            raise Refused("The library is closed on %(day)s.", day="Sundays")
        return made

    monkeypatch.setattr(service, "add", add)
    place = await run(house.admin, "@book{a, title={One}}\n@book{b, title={Two}}")
    lines = await report(house.admin, place)
    assert [line[2] for line in lines[1:]] == ["Could not be added", "Added to the library"]
    assert lines[1][4].startswith("The library is closed on Sundays.")
    assert [record.title for _, _, record in await library(house)] == ["Two"]
