"""Shows the pages by which organisations come into a sealed group and go: invited, answered, removed, each act asked for again."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.access.models import AMBER
from tests.features.cases.desks import Office, partners
from tests.nodes import until
from tests.web import forget_asking

Pair = tuple[Office, Office]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with partners(tmp_path) as made:
        yield made


async def invited(pair: Pair) -> tuple[str, str]:
    """A group of Noor's, and its address at the partner that she has invited."""
    here, there = pair
    _, to, _ = await here["noor"].post("/sealed/new", at="/sealed/new", name="Coalition", about="Adverts", label=AMBER)
    group = to.removesuffix("/people")
    status, to, page = await here["noor"].post(f"{group}/people", at=f"{group}/people", act="invite", who=there.me)
    assert (status, to) == (303, f"{group}/people"), page
    rows = await until("it has come", lambda: there.sql("SELECT id FROM room"))
    return group, f"/sealed/{rows[0][0]}"


@pytest.mark.rule("P5")
async def test_an_organisation_is_invited_by_name_and_says_who_takes_part(pair: Pair) -> None:
    here, there = pair
    group, theirs = await invited(pair)
    _, page = await here["noor"].get(f"{group}/people")
    assert "Invited, reads nothing yet" in page
    assert "1 person of our organisation can read this, and nobody else." in page, "who reads it before anybody else is added"
    _, page = await there["noor"].get("/sealed")
    assert "Meridian Outreach invites us into a sealed group" in re.sub("</?bdi>|[\u2068\u2069]", "", page)
    assert "Coalition" not in page
    assert '<span class="n" aria-hidden="true">1</span>' in page
    assert f'href="{theirs}/answer"' in (await there["ruth"].get("/keepers/tasks"))[1], "a keeper's tasks lead there"
    await there.join("omar", "member")
    assert (await there["omar"].get(f"{theirs}/answer"))[0] == 404
    assert (await there["omar"].post(f"{theirs}/answer", at="/settings", act="decline"))[0] == 404
    status, page = await there["noor"].get(f"{theirs}/answer")
    assert (status, "Who of us takes part" in page) == (200, True)
    status, _, page = await there["noor"].post(f"{theirs}/answer", at=f"{theirs}/answer", act="accept")
    assert (status, "Choose who takes part." in page) == (422, True)
    for act in ("", "perhaps"):
        assert (await there["noor"].post(f"{theirs}/answer", at=f"{theirs}/answer", act=act))[0] == 400, "no yes is no no yet"
    daan = there["daan"].viewer.person_id
    status, to, _ = await there["noor"].post(f"{theirs}/answer", at=f"{theirs}/answer", act="accept", person=daan)
    assert (status, to) == (303, "/sealed")
    await until("they are inside", lambda: there.sql("SELECT 1 FROM room WHERE state = 'open'"))
    await there.keys_come()
    assert (await there["noor"].get(theirs))[0] == 404, "who has answered is not in it by that"
    assert (await there["daan"].get(theirs))[0] == 200
    await until("both know how many they are", lambda: _reads(here, group, "2 people at 2 organisations can read this, and nobody else."))
    assert "Coalition" in (await there["daan"].get("/sealed"))[1] or await until("its name is there", lambda: _named(there, theirs))


async def _reads(at: Office, group: str, words: str) -> bool:
    return words in (await at["noor"].get(group))[1]


async def _named(at: Office, group: str) -> bool:
    return "Coalition" in (await at["daan"].get(group))[1]


async def test_each_act_on_who_is_inside_asks_for_the_password_again_and_goes_on(pair: Pair) -> None:
    here, there = pair
    group, theirs = await invited(pair)
    await forget_asking(here.site)
    await forget_asking(there.site)
    found = (await here["noor"].get(f"{group}/people"))[1]
    acts = set(re.findall(r'name="act" value="([a-z]+)"', found))
    assert acts >= {"unassign", "assign", "withdraw", "turn", "close"}
    for act in acts:
        status, to, _ = await here["noor"].post(f"{group}/people", at=f"{group}/people", act=act)
        assert (status, to) == (307, f"/again?next={group}/people"), act
    for act in ("accept", "decline"):
        status, to, _ = await there["noor"].post(f"{theirs}/answer", at=f"{theirs}/answer", act=act)
        assert (status, to) == (307, f"/again?next={theirs}/answer")
    assert await there.sql("SELECT state FROM room") == [("nothing",)]


async def test_a_no_leaves_nothing_and_a_removed_one_is_told_on_its_page(pair: Pair) -> None:
    here, there = pair
    group, theirs = await invited(pair)
    assert (await there["noor"].post(f"{theirs}/answer", at=f"{theirs}/answer", act="decline"))[:2] == (303, "/sealed")
    assert "Waits for an answer" not in (await there["noor"].get("/sealed"))[1]
    await until("they know", lambda: here.sql("SELECT 1 FROM room_member WHERE state = 'declined'"))
    assert (await here["noor"].post(f"{group}/people", at=f"{group}/people", act="invite", who=there.me))[0] == 303
    await until("they are asked again", lambda: there.sql("SELECT 1 FROM room_member WHERE state = 'invited'"))
    noor = there["noor"].viewer.person_id
    assert (await there["noor"].post(f"{theirs}/answer", at=f"{theirs}/answer", act="accept", person=noor))[0] == 303
    await until("they are inside", lambda: there.sql("SELECT 1 FROM room WHERE state = 'open'"))
    people = f"{group}/people"
    assert (await here["noor"].post(people, at=people, act="remove", who=there.me))[0] == 303
    await until("they are out", lambda: there.sql("SELECT 1 FROM room WHERE state = 'out'"))
    status, page = await there["noor"].get(theirs)
    assert (status, "Our organisation is no longer in this group." in page) == (200, True)
    assert "Start a discussion" not in page
    status, _, page = await there["noor"].post(f"{theirs}/start", at=f"{theirs}/start", title="T", text="Many words")
    assert (status >= 400, "Many words" in page) == (True, True)
