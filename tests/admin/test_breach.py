"""Shows the breach report: within the hour it names the people, partners and rooms that an account or a partner's node touched, what they
did there and what they hold, and nothing of what is sealed; nobody else's rooms are in it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from fedcollab import cli_breach
from fedcollab.access.models import RED
from fedcollab.admin import breach
from fedcollab.base.clock import DAY, HOUR
from fedcollab.base.errors import BadRequest, NotFound
from fedcollab.features.members import service as members
from fedcollab.sealing import holding
from tests.nodes import befriend, running, until
from tests.sealing.at_work import Desk, found, join_room, open_cases

CANARY = {"text": "Amina is at the old mill"}


@dataclass
class Two:
    """Meridian's Omar leads a room that Nadia and Baobab's Cleo are on too, and Nadia one that nobody else is on."""

    meridian: Desk
    baobab: Desk
    shared: str
    own: str

    async def report(self, **about: Any) -> dict[str, Any]:
        return await self.meridian.here.write(breach.report, None, **about)  # type: ignore[no-any-return]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        for name in ("omar", "nadia"):
            await meridian.join(name)
        await befriend(one, other)
        uri, shared = await found(meridian["omar"])
        await join_room(meridian["omar"], baobab, uri, shared, "cleo")
        await meridian["omar"].unlocked(holding.assign, shared, meridian["nadia"].id)
        _, own = await found(meridian["nadia"])
        await meridian["omar"].say(shared, CANARY)
        yield Two(meridian, baobab, shared, own)


@pytest.mark.rule("P26")
async def test_of_an_account_it_names_rooms_people_and_partners_with_what_was_done_a_moment_ago(two: Two) -> None:
    made = await two.report(user="omar", since=two.meridian.here.kernel.node.now() - HOUR)
    [room] = made["rooms"]
    assert (room["id"], room["messages"], room["messages_by_them"], room["as_keeper"]) == (two.shared, 1, 1, False)
    assert [one["name"] for one in room["ours"]] == ["Omar", "Nadia"]
    assert {one["organisation"]["name"] for one in room["members"]} == {"Meridian", "Baobab"}
    assert [one["name"] for one in made["people"]] == ["Nadia"]
    assert [(one["name"], one["rooms"]) for one in made["partners"]] == [("Baobab", 1)]
    acts = {act["action"]: act["times"] for act in room["acts"]}
    assert acts["room.send"] == acts["room.found"] == acts["room.invite"] == acts["room.assign"] == 1
    assert {act["action"]: act["times"] for act in made["acts"]}["room.send"] == 1
    assert made["boxes"]["rooms"] > 0
    assert made["user"]["holds_organisation_key"] is False
    nadia = await two.report(user="nadia")
    assert {one["id"] for one in nadia["rooms"]} == {two.shared, two.own}
    assert "room.found" in {act["action"] for act in nadia["acts"]}


@pytest.mark.rule("P26", "P4")
async def test_nothing_of_what_is_sealed_is_in_it_and_that_it_was_made_is_on_record(two: Two) -> None:
    made = await two.report(user="omar")
    said = json.dumps(made) + "\n".join(cli_breach.lines(made))
    assert "Amina" not in said
    assert (two.shared in said, two.own in said, "Baobab" in said) == (True, False, True)
    [(subject,)] = await two.meridian.here.sql("SELECT subject FROM audit_entry WHERE action = 'node.breach_report'")
    assert subject == two.meridian["omar"].id


@pytest.mark.rule("P26", "P28")
async def test_it_says_the_same_of_an_account_that_has_ended_and_that_it_opens_nothing_any_more(two: Two) -> None:
    before = await two.report(user="omar")
    since = two.meridian.here.kernel.node.now() - HOUR
    await two.meridian.here.write(members.disable, None, "omar")
    after = await two.report(user="omar", since=since)
    assert [one["id"] for one in after["rooms"]] == [one["id"] for one in before["rooms"]]
    assert (after["boxes"], after["user"]["disabled_at"] is not None) == ({"organisation": 0, "rooms": 0, "case_keys": 0}, True)
    assert "account has ended" in cli_breach.lines(after)[0]
    later = await two.report(user="omar", since=two.meridian.here.kernel.node.now() + DAY)
    assert (later["rooms"], later["people"], later["acts"]) == ([], [], [])


@pytest.mark.rule("P26")
async def test_of_a_keeper_it_names_what_they_could_have_opened_but_not_what_people_are_inside_by_name(two: Two) -> None:
    _, red = await found(two.meridian["nadia"], RED)
    made = await two.report(user="ruth")
    assert {one["id"]: one["as_keeper"] for one in made["rooms"]} == {two.shared: True, two.own: True}
    assert (made["user"]["holds_organisation_key"], made["boxes"]["organisation"] > 0) == (True, True)
    assert red in {one["id"] for one in (await two.report(user="nadia"))["rooms"]}


@pytest.mark.rule("P26")
async def test_of_a_partner_it_names_rooms_keys_handed_out_and_what_was_sent(two: Two) -> None:
    host = two.baobab.here.host
    await until("the box was handed out", lambda: two.meridian.here.sql("SELECT 1 FROM audit_entry WHERE action = 'room.box'"))
    made = await two.report(partner=host, since=two.meridian.here.kernel.node.now() - HOUR)
    [room] = made["rooms"]
    assert (room["id"], room["boxes_handed"] > 0, room["messages_by_them"]) == (two.shared, True, 0)
    assert {one["name"] for one in made["people"]} == {"Omar", "Nadia"}
    assert made["arrived"] > 0
    assert made["sessions"] == []
    [sent] = [one["sent"] for one in (await two.report())["partners"] if one["name"] == "Baobab"]
    assert sent > 0
    assert made["partner"]["host"] == host


@pytest.mark.rule("P26")
async def test_of_the_whole_node_it_names_every_room(two: Two) -> None:
    made = await two.report()
    assert {one["id"] for one in made["rooms"]} == {two.shared, two.own}
    assert cli_breach.lines(made)[0] == "This whole node"


async def test_what_is_asked_wrongly_is_refused_in_words(two: Two) -> None:
    with pytest.raises(BadRequest):
        await two.report(user="omar", partner=two.baobab.here.host)
    for wrong in ({"user": "nobody"}, {"partner": "nowhere.example"}):
        with pytest.raises(NotFound):
            await two.report(**wrong)


@pytest.mark.parametrize(("said", "back"), [("12h", 12 * HOUR), ("7d", 7 * DAY), ("", None)])
def test_since_is_a_day_or_how_far_back(said: str, back: int | None) -> None:
    now = 100 * DAY
    assert cli_breach._since(said, now) == (now - back if back else 0)
    assert cli_breach._since("2026-11-30", now) == 1_795_996_800_000_000
    with pytest.raises(typer.BadParameter):
        cli_breach._since("yesterday", now)
