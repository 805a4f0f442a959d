"""Three nodes share a library: records, versions, withdrawals and deletions arrive and are confirmed, newcomers get all of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.admin import partners as acts
from fedcollab.admin import permissions
from fedcollab.features.resources import catalogue, notes, reading, sending, service
from fedcollab.features.resources.models import Resource
from fedcollab.federation import workers
from fedcollab.federation.delivery import Outcome, Parcel
from tests.features.resources.three import GUIDE, add, arrives, friends, there
from tests.nodes import Here, befriend, running, settled, until

Three = list[Here]


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    async with friends(tmp_path, "Meridian", "Tamarind", "Kivuli") as made:
        yield made


async def confirmed(here: Here, about: str = "%") -> list[tuple[str, str]]:
    query = "SELECT name, state FROM receipt WHERE object_uri LIKE :about ORDER BY name"
    return [(name, state) for name, state in await here.sql(query, about=about)]


async def test_a_record_its_change_its_new_version_its_withdrawal_and_its_deletion_arrive_and_are_confirmed(three: Three) -> None:
    one, *others = three
    found = await add(one, label="TLP:CLEAR")
    uri = one.kernel.node.settings.uri(f"/library/{found}")
    for other in others:
        await arrives(other, "title", GUIDE.title, uri=uri)
        [here] = await other.read(lambda session: [sending.record_of(row) for row in session.execute(Resource.__table__.select())])
        assert here == GUIDE
    [revision] = await there(one, "revision")
    await one.write(service.edit, one.viewer, found, replace(GUIDE, title="Another title"), revision=revision)
    await one.write(service.new_version, one.viewer, found, link="https://guides.example/2", note="New law.")
    await one.write(service.withdraw, one.viewer, found, reason="The law has changed again.")
    for other in others:
        await arrives(other, "state", "withdrawn", uri=uri, title="Another title", reason="The law has changed again.")
        assert await other.sql("SELECT number, state FROM resource_version ORDER BY number") == [(1, "replaced"), (2, "withdrawn")]
    await until("both confirm the withdrawal", lambda: _all_confirmed(one, 2))
    await one.write(service.delete, one.viewer, found)
    for other in others:
        await arrives(other, "title", "", uri=uri)
        assert await other.sql("SELECT * FROM resource_version") == []
    await until("both confirm the deletion", lambda: _all_confirmed(one, 4))


async def _all_confirmed(here: Here, number: int) -> bool:
    said = await confirmed(here)
    return len(said) == number and {state for _, state in said} == {"confirmed"}


@pytest.mark.rule("P7")
async def test_what_is_for_us_alone_goes_to_nobody_and_what_becomes_so_is_deleted_elsewhere(three: Three) -> None:
    one, other, _ = three
    secret, known = await add(one, replace(GUIDE, title="For us"), label="TLP:AMBER+STRICT"), await add(one)
    await arrives(other, "title", GUIDE.title)
    await settled(*three)  # who has it is known
    await one.write(service.relabel, one.viewer, known, "TLP:AMBER+STRICT")
    await arrives(other, "title", "")
    await until("both confirm", lambda: _all_confirmed(one, 2))
    await one.write(service.relabel, one.viewer, known, "TLP:GREEN", reason="It was no secret.")
    await arrives(other, "title", GUIDE.title, label="TLP:GREEN")
    assert await one.sql("SELECT title FROM resource WHERE id = :id", id=secret) == [("For us",)]


@pytest.mark.rule("P7")
async def test_who_was_being_sent_a_record_while_it_was_taken_back_is_asked_to_confirm_that_too(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = three
    send, begun, go = workers._send, list[int](), asyncio.Event()

    async def held(kernel: Any, to: Any, parcel: Parcel, signer: Any) -> Outcome:
        if json.loads(parcel.body)["type"] == "Create":
            begun.append(parcel.seq)
            await go.wait()
        return await send(kernel, to, parcel, signer)

    async def on_its_way() -> bool:
        return len(begun) == 2

    monkeypatch.setattr(workers, "_send", held)
    found = await add(one)
    await until("it is on its way to both", on_its_way)
    await one.write(service.relabel, one.viewer, found, "TLP:AMBER+STRICT")
    assert await confirmed(one) == []
    go.set()
    await until("both confirm", lambda: _all_confirmed(one, 2))
    await settled(*three)
    assert await one.sql("SELECT DISTINCT state FROM delivery") == [("done",)]


async def test_what_we_have_said_of_a_record_comes_back_with_it_what_others_have_said_and_what_was_deleted_does_not(three: Three) -> None:
    one, other, _ = three
    found = await add(one)
    await arrives(other, "title", GUIDE.title)
    [theirs] = await there(other, "id")
    ours = await one.write(notes.add, one.viewer, found, country="NL", text="Ours.")
    await until("ours is there", lambda: _note(other, "html", "<p>Ours.</p>"))
    gone = await one.write(notes.add, one.viewer, found, country="FR", text="Gone.")
    await other.write(notes.add, other.viewer, theirs, country="KH", text="Theirs.")

    async def all_here() -> bool:
        return len(await one.sql("SELECT id FROM country_note")) == 3

    await until("theirs is here", all_here)
    await one.write(service.relabel, one.viewer, found, "TLP:AMBER+STRICT")
    await arrives(other, "title", "")
    await one.write(notes.delete, one.viewer, gone)
    await one.write(notes.edit, one.viewer, ours, country="NL", text="Said better.")
    assert await other.sql("SELECT html FROM country_note") == []
    await one.write(service.relabel, one.viewer, found, "TLP:GREEN", reason="It was no secret.")
    await until("ours is there again", lambda: _note(other, "html", "<p>Said better.</p>"))
    await other.quiet()
    assert await other.sql("SELECT html, label FROM country_note") == [("<p>Said better.</p>", "TLP:GREEN")]
    [before] = await one.sql("SELECT count(*) FROM activity")
    await one.write(service.relabel, one.viewer, found, "TLP:CLEAR", reason="Its authors ask for it.")
    assert await one.sql("SELECT count(*) FROM activity") == [(before[0] + 1,)], "the record alone: they have the note"


async def test_a_label_that_is_narrowed_is_narrowed_everywhere_and_confirmed(three: Three) -> None:
    one, other, _ = three
    found = await add(one, label="TLP:CLEAR")
    await arrives(other, "label", "TLP:CLEAR")
    await one.write(service.relabel, one.viewer, found, "TLP:GREEN")
    await arrives(other, "label", "TLP:GREEN")
    await until("both confirm", lambda: _all_confirmed(one, 2))


async def test_a_newcomer_is_sent_the_whole_catalogue_in_parts_also_when_the_first_activities_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PART", 3)
    async with running(tmp_path, "Meridian", "Tamarind") as [one, other]:
        titles = [f"Guide {number}" for number in range(7)]
        for title in titles:
            await add(one, replace(GUIDE, title=title))
        await add(one, replace(GUIDE, title="For us"), label="TLP:AMBER+STRICT")
        await one.read_write(lambda session: session.execute(sa.text("DELETE FROM activity WHERE type = 'Create'")))
        [first, *_] = await there(one, "id")
        await one.write(notes.add, one.viewer, first, country="NL", text="Ours.")
        await one.read_write(lambda session: session.execute(sa.text("DELETE FROM activity WHERE type = 'Create'")))
        await befriend(one, other)
        for part in (3, 6, 7):
            await one.write(catalogue.send_catalogue)
            await until(f"{part} are there", lambda part=part: _number(other, part))
        assert sorted(await there(other, "title")) == titles
        assert await other.sql("SELECT html FROM country_note") == [("<p>Ours.</p>",)]
        assert (await one.sql("SELECT done_at FROM catalogue"))[0][0]
        before = await one.sql("SELECT count(*) FROM delivery")
        await one.write(catalogue.send_catalogue)
        assert await one.sql("SELECT count(*) FROM delivery") == before


async def _number(here: Here, number: int) -> bool:
    return len(await there(here, "id")) == number


async def test_a_note_goes_to_the_publisher_who_passes_it_on_and_can_take_it_away(three: Three) -> None:
    one, writer, reader = three
    await add(one)
    for other in (writer, reader):
        await arrives(other, "title", GUIDE.title)
    [here] = await there(writer, "id")
    note = await writer.write(notes.add, writer.viewer, here, country="FR", text="Article L1221 asks for a *written* contract.")
    await until("the reader has it", lambda: _note(reader, "html", "<p>Article L1221 asks for a <em>written</em> contract.</p>"))
    await until("it is confirmed", lambda: writer.sql("SELECT 1 FROM country_note WHERE confirmed_at IS NOT NULL"))
    await writer.write(notes.edit, writer.viewer, note, country="FR", text="Changed.")
    await until("the reader has the change", lambda: _note(reader, "html", "<p>Changed.</p>"))
    [(at_publisher,)] = await one.sql("SELECT id FROM country_note")
    await one.write(notes.remove, one.viewer, at_publisher, reason="It names a person.")
    for other in (writer, reader):
        await until("it is taken away", lambda other=other: _note(other, "removed", "It names a person."))
    assert await reader.sql("SELECT html FROM country_note") == [("",)]


async def test_a_note_that_its_writer_deletes_goes_everywhere(three: Three) -> None:
    one, writer, reader = three
    await add(one)
    await arrives(writer, "title", GUIDE.title)
    [here] = await there(writer, "id")
    note = await writer.write(notes.add, writer.viewer, here, country="FR", text="Wrong.")
    await until("the reader has it", lambda: _note(reader, "country", "FR"))
    await writer.write(notes.delete, writer.viewer, note)
    for other in (one, reader):
        await until("it is gone", lambda other=other: _note(other, "html", ""))


async def _note(here: Here, column: str, value: str) -> bool:
    return await here.sql(f"SELECT {column} FROM country_note") == [(value,)]


async def test_a_note_is_believed_where_its_writer_is_no_partner_but_the_publisher_is(tmp_path: Path) -> None:
    async with running(tmp_path, "Meridian", "Tamarind", "Kivuli") as [one, writer, reader]:
        await befriend(one, writer)
        await befriend(one, reader)
        await add(one)
        for other in (writer, reader):
            await arrives(other, "title", GUIDE.title)
        [here] = await there(writer, "id")
        await writer.write(notes.add, writer.viewer, here, country="FR", text="From afar.")
        await until("the reader has it", lambda: _note(reader, "html", "<p>From afar.</p>"))
        assert await reader.sql("SELECT known FROM actor WHERE uri = :uri", uri=writer.url + "/actor") == [("introduced",)]


async def test_a_partner_whose_library_is_switched_off_is_sent_nothing_but_deletions(three: Three) -> None:
    one, off, other = three
    known = await add(one)
    await arrives(off, "title", GUIDE.title)
    await one.write(permissions.allow, one.viewer, off.url, ["discussions"])
    await add(one, replace(GUIDE, title="Later"))
    await until("the others have it", lambda: _number(other, 2))
    assert await there(off, "title") == [GUIDE.title]
    await one.write(service.delete, one.viewer, known)
    await arrives(off, "title", "")
    await one.write(permissions.allow, one.viewer, off.url, ["discussions", "library"])
    await one.write(catalogue.send_catalogue)
    await until("it has what it missed", lambda: _has(off, "Later"))


async def _has(here: Here, title: str) -> bool:
    return title in await there(here, "title")


async def test_the_records_of_a_blocked_partner_are_not_seen(three: Three) -> None:
    one, other, _ = three
    await add(one)
    await arrives(other, "title", GUIDE.title)
    assert [row.title for row in await other.read(reading.listed, other.viewer)] == [GUIDE.title]
    await other.write(acts.block, other.viewer, one.url)
    assert await other.read(reading.listed, other.viewer) == []
