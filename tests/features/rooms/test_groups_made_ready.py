"""Shows what becomes of an act in a sealed group when something comes between its being made ready and its being written, and how what
nobody of ours has opened yet is noted, however much it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.features.rooms import acting, filing, places, units
from fedcollab.features.rooms.entries import Reply, Suspected, Thread
from fedcollab.features.rooms.places import Notes
from fedcollab.sealing import crossing, going, holding, made_ready, room_content, room_sending, sealed_files
from fedcollab.sealing.entries import Entry, document
from fedcollab.sealing.room_models import SealedMessage
from tests.features.cases.desks import Office, locks_once_found, office
from tests.features.cases.filed import take
from tests.features.rooms.offices import QUESTION, begun, files, let_in, send
from tests.nodes import until

Change = Callable[[], Awaitable[object]]
SAID = {"title": QUESTION, "text": "The same picture, another name.", "act": "send"}


@pytest.fixture
async def at(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        await made.join("omar", "member")
        yield made


def between(monkeypatch: pytest.MonkeyPatch, *changes: Change) -> list[int]:
    """What happens each time that an act has been made ready; a mark for each time."""
    ready, loop, left, times = units.ready, asyncio.get_running_loop(), list(changes), list[int]()

    def and_then(*args: Any) -> units.Ready | Notes:
        made = ready(*args)
        if not isinstance(made, Notes):
            times.append(len(times))
            if left:
                asyncio.run_coroutine_threadsafe(_run(left.pop(0)), loop).result(10)
        return made

    monkeypatch.setattr(units, "ready", and_then)
    return times


async def nothing() -> None:
    """What does not come in between."""


async def _run(change: Change) -> None:
    await change()


async def unopened(at: Office, group: str, *entries: Entry, by: str = "noor") -> list[str]:
    """Messages that have come and that nobody has opened yet; their ids on the wire."""
    room = group.rpartition("/")[2]

    def work(session: Any, node: Any, viewer: Any, keys: Any) -> list[str]:
        opened = holding.open_room(session, node, viewer, keys, room)
        return [room_content.write(session, node, opened, document(entry)) for entry in entries]

    found: list[str] = await at.unlocked(by, work)
    return found


async def thread_in(at: Office, group: str) -> tuple[str, str]:
    """A conversation: its address, and its id on the wire."""
    status, to, page = await at["noor"].post(f"{group}/start", at="/settings", **SAID)
    assert status == 303, page
    [(uri,)] = await at.sql("SELECT uri FROM sealed_message WHERE id = :id", id=to.rpartition("/")[2])
    return to, uri


async def answers(at: Office, thread: str, text: str, name: str = "noor") -> int:
    return (await at[name].post(thread, at="/settings", text=text, act="send"))[0]


async def test_what_comes_in_between_is_not_lost_and_an_answer_is_said_once(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await begun(at)
    thread, uri = await thread_in(at, group)
    with monkeypatch.context() as patch:
        times = between(patch, nothing, lambda: unopened(at, group, Reply(at=1, thread=uri, text="First")))
        assert await answers(at, thread, "Second") == 303
        assert len(times) == 3, "the page, the answer, and once more"
    with monkeypatch.context() as patch:
        more = [lambda number=number: unopened(at, group, Reply(at=1, thread=uri, text=f"More {number}")) for number in range(2)]
        between(patch, nothing, *more, nothing)
        assert await answers(at, thread, "Third") == 303, "where more comes each time it is written all the same"
    page = (await at["noor"].get(thread))[1]
    assert [page.count(f"<p>{text}</p>") for text in ("First", "Second", "More 0", "More 1", "Third")] == [1] * 5
    assert await at.sql("SELECT count(*) FROM group_entry") == await at.sql("SELECT count(*) FROM sealed_message")


async def test_a_page_is_shown_though_more_comes_all_the_time(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await begun(at)
    thread, uri = await thread_in(at, group)
    more = [lambda number=number: unopened(at, group, Reply(at=1, thread=uri, text=f"More {number}")) for number in range(4)]
    times = between(monkeypatch, *more)
    page = (await at["noor"].get(thread))[1]
    assert (len(times), "More 1" in page, "More 2" in page) == (made_ready.TRIES, True, False)


@pytest.mark.rule("P5", "P28")
async def test_whoever_is_taken_out_in_between_reads_and_sends_nothing(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await begun(at)
    thread, _ = await thread_in(at, group)
    omar, room = at["omar"].viewer.person_id, group.rpartition("/")[2]
    for act, before_it in ((lambda: answers(at, thread, "Late", "omar"), [nothing]), (lambda: _status(at, thread, "omar"), [])):
        await let_in(at, group, "omar")
        before = await at.sql("SELECT count(*) FROM sealed_message WHERE author LIKE '%omar%'")
        with monkeypatch.context() as patch:
            between(patch, *before_it, lambda: at.unlocked("noor", acting.unassign, room, omar))
            assert await act() == 410
        assert await at.sql("SELECT count(*) FROM sealed_message WHERE author LIKE '%omar%'") == before


@pytest.mark.rule("P28")
@pytest.mark.parametrize("act", ["answer", "look", "look while more comes"])
async def test_whoever_locks_their_access_in_between_sends_and_reads_nothing(at: Office, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    group = await begun(at)
    thread, uri = await thread_in(at, group)
    await let_in(at, group, "omar")
    written = await at.sql("SELECT count(*) FROM sealed_message WHERE author LIKE '%omar%'")
    more = [lambda number=number: unopened(at, group, Reply(at=1, thread=uri, text=f"More {number}")) for number in range(2)]
    before = {"answer": [nothing], "look": [], "look while more comes": more}[act]
    between(monkeypatch, *before, lambda: at.site.write(crossing.lock, at["omar"].viewer))
    if act == "answer":
        assert await answers(at, thread, "Late", "omar") in (307, 422)  # to the page that says so, or said at once
    else:
        status, page = await at["omar"].get(thread)
        assert (status, "The same picture" in page) == (422, False)
    assert await at.sql("SELECT count(*) FROM sealed_message WHERE author LIKE '%omar%'") == written


async def _status(at: Office, path: str, name: str) -> int:
    return (await at[name].get(path))[0]


async def changed(at: Office, uri: str, **values: str) -> None:
    await at.site.write(lambda session, _node: session.execute(sa.update(SealedMessage).where(SealedMessage.uri == uri).values(**values)))


@pytest.mark.rule("P23")
async def test_a_mark_behind_any_number_of_unopened_messages_counts_at_the_next_opening_in_small_steps(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, noor = await begun(at), at["noor"]
    assert (await send(noor, f"{group}/start", b"bytes\n", "advert.txt", **SAID))[0] == 303
    [(file, *_)] = await files(at)
    [(message,)] = await at.sql("SELECT m.uri FROM sealed_message m JOIN sealed_file f ON f.message_id = m.id")
    monkeypatch.setattr(places, "EACH", 3)
    await unopened(at, group, *(Thread(at=1, title=f"Question {number}", text="?") for number in range(10)), Suspected(at=1, of=message))
    steps, keep = list[int](), places.keep
    monkeypatch.setattr(places, "keep", lambda session, node, notes: steps.append(len(notes.found)) or keep(session, node, notes))
    assert (await take(noor, f"{group}/files/{file}"))[0] == 410
    assert steps == [3, 3, 3, 2]
    assert await at.sql("SELECT count(*) FROM sealed_file WHERE marked_at IS NULL") == [(0,)]


@pytest.mark.rule("P23")
async def test_a_file_that_is_marked_while_it_is_being_opened_is_not_handed_out(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    group, noor = await begun(at), at["noor"]
    assert (await send(noor, f"{group}/start", b"bytes\n", "advert.txt", **SAID))[0] == 303
    [(file, *_)] = await files(at)
    room = group.rpartition("/")[2]
    between(monkeypatch, lambda: at.unlocked("noor", units.at_once, room, filing.mark, file))
    assert (await take(noor, f"{group}/files/{file}"))[0] == 410


async def test_messages_that_wait_for_their_authors_key_hold_up_none_behind_them(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await begun(at)
    waiting = await unopened(at, group, *(Thread(at=1, title="Unknown", text="?") for _ in range(4)))
    for uri in waiting:
        await changed(at, uri, author="https://partner.example/people/ada")
    await unopened(at, group, Thread(at=1, title=QUESTION, text="Behind them"))
    monkeypatch.setattr(places, "EACH", 3)
    page = (await at["noor"].get(group))[1]
    assert (QUESTION in page, "Unknown" in page) == (True, False)
    assert await at.sql("SELECT count(*) FROM group_entry WHERE place LIKE 'http%'") == [(1,)]


async def test_what_goes_before_it_is_noted_is_not_noted(at: Office) -> None:
    group = await begun(at)
    [uri] = await unopened(at, group, Thread(at=1, title=QUESTION, text="?"))
    room = group.rpartition("/")[2]

    def work(session: Any, node: Any, viewer: Any, keys: Any) -> Notes | None:
        return places.fresh(session, holding.open_room(session, node, viewer, keys, room))

    notes = await at.unlocked("noor", work)
    await changed(at, uri, state="erased")
    before = await at.sql("SELECT count(*) FROM group_entry")
    await at.site.write(lambda session, node: places.keep(session, node, notes))
    assert await at.sql("SELECT count(*) FROM group_entry") == before


@pytest.mark.rule("P23")
async def test_a_post_with_much_that_belongs_to_it_goes_a_little_at_a_time_but_no_file_marked_meanwhile(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, noor = await begun(at), at["noor"]
    status, thread, _ = await send(noor, f"{group}/start", b"bytes\n", "advert.txt", **SAID)
    assert status == 303
    post = f"{group}/posts/{thread.rpartition('/')[2]}"
    for number in range(4):
        assert (await noor.post(f"{post}/edit", at="/settings", title=QUESTION, text=f"Edit {number}", act="send"))[0] == 303
    [(message,)] = await at.sql("SELECT m.uri FROM sealed_message m JOIN sealed_file f ON f.message_id = m.id")
    begin, units = going.begin, list[Any]()

    def marked_then(session: Any, node: Any, *args: Any) -> int:
        found = begin(session, node, *args)
        sealed_files.mark(session, node, [message])
        return found

    def one_by_one(session: Any, node: Any, *args: Any) -> None:
        units.append(session)
        take_back(session, node, *args)

    take_back = room_sending.take_back
    monkeypatch.setattr(going, "begin", marked_then)
    monkeypatch.setattr(room_sending, "take_back", one_by_one)
    assert (await noor.post(f"{post}/remove", at=f"{post}/remove"))[0] == 303

    async def all_but_the_file() -> bool:
        return await at.sql("SELECT count(*) FROM sealed_message WHERE state = 'erased'") == [(5,)]

    await until("all but the file went", all_but_the_file)
    assert max(units.count(unit) for unit in units) <= going.EACH
    await until("nothing is left to do", lambda: at.sql("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM message_going)"))
    assert [state for _, state, _ in await files(at)] == ["here"]


@pytest.mark.rule("P28")
async def test_whoever_locks_their_access_once_their_keys_were_found_takes_nobody_off_either(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, noor, omar = await begun(at), at["noor"].viewer, at["omar"].viewer
    await let_in(at, group, "omar")
    locks_once_found(at, monkeypatch, units, noor)
    assert (await at["noor"].post(f"{group}/people", at="/settings", act="unassign", person=omar.person_id))[0] != 303
    assert await at.site.kernel.database.read(holding.is_assigned, group.rpartition("/")[2], omar.person_id)
