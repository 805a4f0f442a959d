"""Shows what other nodes learn of a guest: nothing before they write, and then name and organisation, on the case's pages alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.viewer import GUEST, Viewer
from fedcollab.actors import service as actors
from fedcollab.features.discussions import groups, mentions
from fedcollab.features.members import service as members
from fedcollab.sealing import holding
from tests.nodes import befriend, running, until
from tests.rows import quick_keys
from tests.sealing.at_work import Desk, Person, both, found, join_room, open_cases

IN_SEARCH = "SELECT count(*) FROM search_entry JOIN actor ON actor.id = subject_id WHERE actor.name LIKE 'Sara%'"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Desk, Desk]]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await befriend(one, other)
        yield meridian, baobab


async def visits(desk: Desk, username: str = "sara") -> Person:
    """An account of a guest, with a key."""

    def work(session: Any, node: Any) -> Viewer:
        account = dict(username=username, name="Sara Lind", works_for="Police of Xanten", password_hash="", language="")
        with quick_keys():
            made = members.add_guest(session, node, None, **account)
        return Viewer("", made.person_id, frozenset({GUEST}), made.name)

    desk.people[username] = Person(desk.here, await desk.here.write(work))
    await desk.new_key(username)
    return desk.people[username]


async def test_partners_are_told_of_a_colleague_and_not_of_a_guest(two: tuple[Desk, Desk]) -> None:
    meridian, baobab = two
    await visits(meridian)
    await meridian.join("omar")
    await both(meridian, baobab)
    known = "SELECT count(*) FROM actor WHERE name = :name"
    await until("the colleague is known", lambda: baobab.here.sql("SELECT 1 FROM actor WHERE name = 'Omar'"))
    assert await baobab.here.sql(known, name="Sara Lind") == [(0,)]
    assert await meridian.here.sql("SELECT count(*) FROM activity WHERE CAST(body AS TEXT) LIKE '%Sara Lind%'") == [(0,)]


async def test_where_a_guest_writes_the_others_know_for_whom_they_work_and_find_them_nowhere_else(two: tuple[Desk, Desk]) -> None:
    meridian, baobab = two
    uri, here = await found(meridian["ilse"])
    there = await join_room(meridian["ilse"], baobab, uri, here, "cleo")
    sara = await visits(meridian)
    await meridian["ilse"].unlocked(holding.assign, here, sara.id, guest=True)
    await sara.say(here, {"text": "We have the file."})
    await until("it is there", lambda: baobab.here.sql("SELECT 1 FROM sealed_message"))
    [message] = await baobab["cleo"].messages(there)
    assert message.content == {"text": "We have the file."}
    known = await baobab.here.read(actors.by_uri, message.author)
    assert (known.name, known.works_for) == ("Sara Lind", "Police of Xanten")
    for desk in (meridian, baobab):
        assert await desk.here.sql(IN_SEARCH) == [(0,)]
    group = await meridian.here.group()

    def meant(session: Any) -> list[str]:
        audience = groups.audience_of(session, group.id)
        assert audience is not None
        return [one.username for one in mentions.name(session, group, "@sara and @ruth", "<p>@sara and @ruth</p>")[1]]

    assert await meridian.here.read(meant) == ["ruth"]
