"""A sealed group for people by name, on real nodes: whom it is sealed to, who is not let in, and what a changed key stops."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.actors.models import Actor
from fedcollab.base.errors import NotFound, Refused
from fedcollab.features.rooms import acting, filing, inside
from fedcollab.features.rooms.entries import Thread
from fedcollab.sealing.person_models import CURRENT, WAITING, PersonKeyRow
from fedcollab.sealing.refusals import KeyChanged, NoKey
from tests.features.rooms.coalitions import Coalition, coalition
from tests.nodes import until

OWNER, OTHER = "Meridian", "Baobab"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Coalition]:
    async with coalition(tmp_path, OWNER, OTHER, early=True) as made:
        yield made


async def known(made: Coalition, name: str) -> str:
    """One of Baobab's people, as soon as Meridian knows their key; their id on the wire."""
    query = "SELECT 1 FROM person_key JOIN actor ON actor.id = person_key.person_id WHERE actor.uri = :uri"
    uri = await made[OTHER][name].uri()
    await until("their key is known", lambda: made[OWNER].here.sql(query, uri=uri))
    return uri


@pytest.mark.rule("P6")
async def test_only_named_people_read_it_and_nobody_stands_in_for_them(two: Coalition) -> None:
    await two.begin(OWNER, RED)
    omar = await two[OWNER]["omar"].uri()
    with pytest.raises(Refused):
        await two.do(OWNER, acting.assign, two[OWNER]["omar"].id)
    await two.do(OWNER, acting.invite, omar)
    asked = await two[OWNER].here.write(inside.waiting, two[OWNER]["omar"].viewer)
    assert [one.by_name for one in asked] == [True]
    assert await two[OWNER].here.write(inside.waiting, two[OWNER]["ruth"].viewer) == [], "a keeper neither"
    with pytest.raises(NotFound):
        await two.do(OWNER, acting.answer, [], yes=True, by="ruth")
    thread = await two.start(OWNER, "Before")
    await two.do(OWNER, acting.answer, [], yes=True, by="omar")
    last = await two.start(OWNER, "After")
    assert await two.read(OWNER, last, by="omar") == ["After"]
    assert await two.read(OWNER, thread, by="omar") == ["key"], "from then on"
    for name in ("ilse", "ruth"):
        with pytest.raises(NotFound):
            await two.opens(OWNER, by=name)
    here = await two.opens(OWNER)
    assert (here.reach.people, here.reach.organisations) == (2, 1)


@pytest.mark.rule("P6")
async def test_an_organisation_is_not_asked_into_it_as_such(two: Coalition) -> None:
    await two.begin(OWNER, RED)
    with pytest.raises(NotFound):
        await two.do(OWNER, acting.invite, two[OTHER].me)
    assert await two[OTHER].here.sql("SELECT count(*) FROM room") == [(0,)]


async def test_a_partners_person_is_invited_by_name_once_their_key_is_known_and_a_changed_one_stops_it(two: Coalition) -> None:
    await two.begin(OWNER, RED)
    omar = await known(two, "omar")
    assert omar in [one.id for one in (await two.plan(OWNER, inside.membership)).partners]
    await two.invite(OWNER, OTHER, omar)
    await two.accept(OTHER, by="omar")
    thread = await two.start(OWNER, "For three")
    await two.reads(OTHER, thread, "For three", by="omar")
    with pytest.raises(NotFound):
        await two.opens(OTHER)  # Vera of Baobab is not in it
    found = await two.plan(OWNER, inside.membership)
    assert [(one.who.uri, one.changed, one.by) for one in found.named] == [(omar, False, "")]
    assert found.named[0].compare, "a caseworker compares words"
    await two[OWNER].here.read_write(lambda session: _changed(session, omar))
    found = await two.plan(OWNER, inside.membership)
    assert [one.changed for one in found.named] == [True]
    with pytest.raises(KeyChanged):
        await two.plan(OWNER, filing.says, lambda _: Thread(at=1, title="T", text="Not for a stranger"))
    ruth = await known(two, "ruth")
    await two[OWNER].here.read_write(lambda session: _changed(session, ruth))
    assert ruth not in [one.id for one in (await two.plan(OWNER, inside.membership)).partners]
    with pytest.raises(NoKey):
        await two.do(OWNER, acting.invite, ruth)
    await two[OWNER].here.read_write(lambda session: _changed(session, omar, back=True))
    assert await two.start(OWNER, "Compared")


def _changed(session: Any, uri: str, *, back: bool = False) -> None:
    """Their key waits for somebody who compares its words, or is in use again."""
    person = sa.select(Actor.id).where(Actor.uri == uri).scalar_subquery()
    state = CURRENT if back else WAITING
    session.execute(sa.update(PersonKeyRow).where(PersonKeyRow.person_id == person).values(state=state))
