"""Files of the library hold what their reader sees, each with its label, and nothing else; they are read again as they were."""

from dataclasses import replace

import pytest

from fedcollab.features.resources import lists
from fedcollab.features.resources.exchange import choosing, exporting, formats
from fedcollab.features.resources.record import Record
from tests.features.conftest import House, house

from .shelf import GREEN, HIDDEN, PUBLIC, STRICT, add, fill, of_partner

__all__ = ["house"]


def read(text: str, code: str) -> list[tuple[Record | None, str]]:
    if text == formats.FORMATS[code].head() + formats.FORMATS[code].tail:
        return []
    return [(row.record, row.label) for row in formats.rows(text, code)]


@pytest.mark.rule("CONF-04")
async def test_a_stranger_takes_out_what_is_public_and_a_member_what_they_see(house: House) -> None:
    await fill(house)
    for code in formats.FORMATS:
        await check_format(house, code)


async def check_format(house: House, code: str) -> None:
    status, headers, text = await house.site.stranger().ask("GET", f"/library/export?format={code}")
    assert status == 200
    assert headers["Content-Disposition"] == f'attachment; filename="library.{formats.FORMATS[code].extension}"'
    assert not [word for word in HIDDEN if word in text]
    assert read(text, code) == [(PUBLIC, "TLP:CLEAR")]
    _, text = await house.admin.get(f"/library/export?format={code}")
    assert read(text, code) == [(STRICT, "TLP:AMBER+STRICT"), (GREEN, "TLP:GREEN"), (PUBLIC, "TLP:CLEAR")]


@pytest.mark.rule("CONF-04")
async def test_one_record_goes_out_to_whoever_sees_it_alone(house: House) -> None:
    code = "bibtex"
    made, stranger = await fill(house), house.site.stranger()
    _, text = await stranger.get(f"/library/export?format={code}&id={made['public']}")
    assert read(text, code) == [(PUBLIC, "TLP:CLEAR")]
    there = await stranger.get(f"/library/export?format={code}&id={made['green']}")
    nowhere = await stranger.get(f"/library/export?format={code}&id={made['green'][:-4]}0000")
    assert there[0] == nowhere[0] == 404
    for name in ("strict", "withdrawn", "story"):
        assert (await stranger.get(f"/library/export?format={code}&id={made[name]}"))[0] == 404
    _, text = await house.admin.get(f"/library/export?format={code}&id={made['green']}")
    assert read(text, code) == [(GREEN, "TLP:GREEN")]


@pytest.mark.rule("CONF-04")
async def test_a_reading_list_goes_out_in_its_order_without_what_its_reader_may_not_see(house: House) -> None:
    made = await fill(house)
    public = await house.site.write(lists.add, house.admin.viewer, title="A list", summary="", label="TLP:CLEAR")
    own = await house.site.write(lists.add, house.admin.viewer, title="Our list", summary="", label="TLP:AMBER+STRICT")
    for name in ("green", "strict", "public"):
        for list_id in (public, own):
            await house.site.write(lists.put, house.admin.viewer, list_id, made[name])
    stranger = house.site.stranger()
    assert read((await stranger.get(f"/library/export?format=ris&list={public}"))[1], "ris") == [(PUBLIC, "TLP:CLEAR")]
    assert (await stranger.get(f"/library/export?format=ris&list={own}"))[0] == 404
    _, text = await house.admin.get(f"/library/export?format=ris&list={own}")
    assert [record for record, _ in read(text, "ris")] == [GREEN, STRICT, PUBLIC]


@pytest.mark.rule("CONF-04")
async def test_a_filter_narrows_what_goes_out_for_each_to_what_they_see(house: House) -> None:
    await fill(house)
    partners = replace(GREEN, title="A partner's", identifier="")
    await of_partner(house, partners, "TLP:GREEN")
    stranger = house.site.stranger()
    for query, hidden, shown in (
        ("topic=Shelter", [PUBLIC], {PUBLIC.title, GREEN.title, STRICT.title, partners.title}),
        ("topic=Shelter&type=Guide", [PUBLIC], {PUBLIC.title}),
        ("q=partners", [], {GREEN.title}),
        ("q=accueil&language=fr&country=TN&year=2016", [PUBLIC], {PUBLIC.title}),
    ):
        assert [record for record, _ in read((await stranger.get(f"/library/export?format=csv&{query}"))[1], "csv") if record] == hidden
        found = {record.title for record, _ in read((await house.admin.get(f"/library/export?format=csv&{query}"))[1], "csv") if record}
        assert found >= shown, query
    assert (await stranger.get("/library/export?format=csv&q=partners"))[1].count("\n") == 1


async def test_more_than_a_part_goes_out_whole_and_each_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "PART", 2)
    choosing._newest.cache_clear()
    titles = [f"Number {n}" for n in range(7)]
    for title in titles:
        await add(house, Record(title, kind="Guide", topics=("Health",)), "TLP:CLEAR")
    for query in ("", "&topic=Health"):
        text = (await house.site.stranger().get(f"/library/export?format=bibtex{query}"))[1]
        assert [record.title for record, _ in read(text, "bibtex") if record] == titles[::-1]
    choosing._newest.cache_clear()


async def test_an_unknown_format_is_refused_and_whoever_asks_too_often_waits(house: House) -> None:
    stranger = house.site.stranger()
    assert (await stranger.get("/library/export?format=exe"))[0] == 400
    await fill(house)
    taken = 0
    while (status := (await stranger.get("/library/export?format=ris"))[0]) == 200:
        taken += 1  # one more every two seconds, which a busy machine takes for a few
    assert (status, taken >= exporting.AT_ONCE - 1) == (429, True)
    assert (await house.admin.get("/library/export?format=ris"))[0] == 200


@pytest.mark.rule("XSS-05")
async def test_the_pages_lead_to_the_files_and_the_head_says_what_catalogues_read(house: House) -> None:
    made = await fill(house)
    _, page = await house.site.stranger().get(f"/library/{made['public']}")
    assert f'href="/library/export?format=ris&amp;id={made["public"]}"' in page
    assert '<meta name="DC.title" content="Le &lt;premier&gt; accueil &amp; après">' in page
    assert '<meta name="citation_author" content="Réseau, du Port">' in page
    assert '<meta name="citation_doi" content="10.5555/accueil">' in page
    for name in ("withdrawn", "story"):
        assert "DC.title" not in (await house.site.stranger().get(f"/library/{made[name]}"))[1]
    status, page = await house.site.stranger().get(f"/library/{made['green']}")
    assert status == 404
    assert not [word for word in (*HIDDEN[:4], "DC.title") if word in page]
    assert '<meta name="DC.title" content="Secretly for partners">' in (await house.admin.get(f"/library/{made['green']}"))[1]
    _, page = await house.admin.get("/library?q=accueil&topic=Shelter&year=2016&by=all")
    assert 'href="/library/export?format=csv&amp;q=accueil&amp;topic=Shelter&amp;year=2016"' in page
    assert 'type="application/atom+xml" title="Library" href="/library/feed?q=accueil&amp;topic=Shelter&amp;year=2016"' in page
