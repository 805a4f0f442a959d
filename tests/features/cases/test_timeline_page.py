"""Shows the timeline on its page: 50 at a time, stable however many come later; what cannot be read said; search inside, stored nowhere."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from fedcollab.features.cases import slices
from fedcollab.features.cases.kinds import ALL
from fedcollab.features.cases.mending import Correction, Erased, Masking
from fedcollab.features.cases.record import Opened
from fedcollab.features.cases.shown import Shown
from fedcollab.features.cases.telling import KINDS
from fedcollab.features.cases.work import Message
from tests.bench.casing import fill
from tests.features.cases.desks import Office, office
from tests.features.cases.entries import filled

TRACES = (b"called from the station", b"STATION called", b"zebra")


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def test_the_newest_50_stand_first_and_older_ones_behind_a_link(at: Office) -> None:
    case = await at.case("noor")
    for number in range(60):
        await at.say("noor", case, f"entry number {number:03}")
    _, page = await at["noor"].get(f"/cases/{case}")
    assert ("entry number 059" in page, "entry number 009" in page) == (True, False)
    assert page.index("entry number 059") < page.index("entry number 058")
    assert 'href="?before=11"' in page
    _, older = await at["noor"].get(f"/cases/{case}?before=11")
    assert ("entry number 009" in older, "entry number 010" in older, "Case opened" in older) == (True, False, True)
    for odd in ("-1", "٣", "x", "9" * 30):
        assert (await at["noor"].get(f"/cases/{case}?before={odd}"))[0] == 200


def test_a_page_that_was_begun_goes_on_at_the_same_place_whatever_comes_later() -> None:
    items = tuple(Shown(str(number), "", "", number, number, "message", "there") for number in range(120))
    first = slices.newest(items[:100], "")
    again = slices.newest(items, str(first.before))
    assert [one.id for one in (*first.items, *again.items)] == [str(number) for number in reversed(range(100))]
    assert slices.newest((), "").items == ()


async def test_search_finds_what_one_may_read_and_leaves_no_trace(at: Office) -> None:
    case = await at.case("noor")
    await at.say("noor", case, "She called from the station.")
    await at.say("noor", case, "The clinic has a place on Monday.")
    status, _, page = await at["noor"].post(f"/cases/{case}/search", at=f"/cases/{case}", q="STATION called")
    assert (status, "She called from the station." in page, "The clinic" in page) == (200, True, False)
    _, _, page = await at["noor"].post(f"/cases/{case}/search", at=f"/cases/{case}", q="zebra")
    assert "says all of these words" in page
    assert (await at["daan"].post(f"/cases/{case}/search", at="/settings", q="station"))[0] == 404
    there = [path for path in at.site.place.rglob("*") if path.is_file() and any(word in path.read_bytes() for word in TRACES)]
    assert there == []


async def test_what_is_hidden_is_said_and_what_is_erased_is_destroyed_at_once(at: Office) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    masked, gone = await at.say("noor", case, "hidden words"), await at.say("noor", case, "words to be erased")
    await at.say("noor", case, Masking(at=now, of=(masked,)))
    await at.say("noor", case, Erased(at=now, of=(gone,)))
    _, page = await at["noor"].get(f"/cases/{case}")
    assert ("hidden words" in page, "words to be erased" in page) == (False, False)
    assert ("Hidden from everybody on this case" in page, "Erased." in page) == (True, True)
    assert await at.sql("SELECT state, length(body) FROM sealed_message WHERE uri = :uri", uri=gone) == [("erased", 0)]
    assert await at.sql("SELECT state FROM sealed_message WHERE uri = :uri", uri=masked) == [("there",)]


async def test_each_kind_of_entry_is_told_in_words(at: Office) -> None:
    case, now = await at.case("noor"), at.site.kernel.node.now()
    for kind in ALL:
        if kind is not Opened:
            more = {"entry": filled(Message)} if kind is Correction else {}
            await at.say("noor", case, replace(filled(kind, **more), at=now))
            status, page = await at["noor"].get(f"/cases/{case}")
            assert (kind.KIND, status, KINDS[kind.KIND] in unescape(page)) == (kind.KIND, 200, True)


async def test_a_form_that_is_sent_twice_says_it_once_and_the_next_one_says_more(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    _, page = await noor.get(f"/cases/{case}")
    ids = re.findall(r'name="once" value="([^"]+)"', page)
    assert len(set(ids)) == len(ids) > 1, "each form has its own"
    for text in ("She is safe.", "She is safe.", "Changed meanwhile"):
        assert (await noor.post(f"/cases/{case}/say/message", at=f"/cases/{case}", text=text, once=ids[0]))[0] == 303
    assert (await noor.post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="Another one", once=ids[1]))[0] == 303
    _, page = await noor.get(f"/cases/{case}")
    assert [page.count(text) for text in ("She is safe.", "Changed meanwhile", "Another one")] == [1, 0, 1]


async def test_a_kind_that_has_no_form_here_is_not_said(at: Office) -> None:
    case = await at.case("noor")
    assert (await at["noor"].post(f"/cases/{case}/say/opened", at=f"/cases/{case}", purpose="x"))[0] == 404
    assert (await at["noor"].post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="x"))[0] == 303


async def test_what_was_done_stands_by_pages_as_well(at: Office) -> None:
    case = await at.case("noor")
    await fill(at, case, 600)  # each tenth a task, which is done
    _, page = await at["noor"].get(f"/cases/{case}/tasks")
    assert (page.count("Task "), 'href="?before=10"' in page) == (50, True)
    _, older = await at["noor"].get(f"/cases/{case}/tasks?before=10")
    assert older.count("Task ") == 10
