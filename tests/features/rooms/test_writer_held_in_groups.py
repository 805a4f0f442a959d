"""Shows that nothing that is done in a sealed group of many messages holds the writer longer than a unit may, though nobody has opened them
yet: that is left to readers, and what comes of it is written some of it at a time."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.features.rooms.entries import Reply, Thread
from fedcollab.sealing import holding, messages, room_content
from fedcollab.sealing.entries import document
from fedcollab.sealing.found_good import FoundGood
from tests.features.cases.desks import Office, office
from tests.features.cases.filed import take
from tests.features.rooms.offices import QUESTION, begun, files, let_in, send
from tests.features.writer_held import Act, Watched, units

MESSAGES = 2_000
TEXT = "She called from the station and is on her way to the house. " * 8


async def fill(at: Office, group: str, number: int) -> str:
    """So many messages that nobody has opened yet, a hundred conversations; the first one's address."""
    room = group.rpartition("/")[2]

    def work(session: Any, node: Any, viewer: Any, keys: Any) -> None:
        opened, begun_by = holding.open_room(session, node, viewer, keys, room), list[str]()
        for one in range(number):
            thread = begun_by[one % 100] if len(begun_by) == 100 else ""
            entry = Reply(at=one + 1, thread=thread, text=TEXT) if thread else Thread(at=one + 1, title=f"Question {one}", text=TEXT)
            made = room_content.write(session, node, opened, document(entry))
            begun_by += [] if thread else [made]

    await at.unlocked("noor", work)
    messages.GOOD = FoundGood()  # as a node finds them after its start: no signature was checked yet
    [(row,)] = await at.sql("SELECT min(id) FROM sealed_message WHERE id NOT IN (SELECT message_id FROM group_entry)")
    return f"{group}/threads/{row}"


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_no_act_in_a_group_of_two_thousand_messages_holds_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(tmp_path) as at:
        await at.join("omar", "member")
        group, noor = await begun(at), at["noor"]
        thread = await fill(at, group, MESSAGES)
        token = await noor.token("/settings")

        def post(to: str, **form: str) -> Act:
            return lambda: noor.post(to, at="/settings", **form)

        with units(at, monkeypatch) as found:
            do = Watched(found)
            await do.once("first posting", post(f"{group}/start", title=QUESTION, text="Where?", act="send"))
            assert await at.sql("SELECT count(*) FROM group_entry WHERE place LIKE 'http%'") == [(MESSAGES + 1,)]
            await do.often("page", lambda: noor.get(group))
            await do.often("conversation", lambda: noor.get(thread))
            await do.often("answer", post(thread, text="Yes.", act="send"))
            await do.often("start", post(f"{group}/start", title=QUESTION, text="Where?", act="send"))
            await do.often("file", lambda: send(noor, thread, b"bytes\n", token=token, text="See this.", act="send"))
            [(file, *_), *_] = await files(at)
            await do.often("file opened", lambda: take(noor, f"{group}/files/{file}"))
            await do.once("file marked", post(f"{group}/files/{file}/mark"))
            row = thread.rpartition("/")[2]
            await do.often("edit", post(f"{group}/posts/{row}/edit", text="Another text.", act="send"))
            await do.once("remove", post(f"{group}/posts/{row}/remove"))
            await do.often("resource", post(f"{group}/resources", title="A list", about="For travellers", act="send"))
            await do.often("about", post(f"{group}/about", name="Coalition", about="Adverts", retention="2199-01-31"))
            await do.often("search", post(f"{group}/search", q="station"))
            await do.once("people", lambda: let_in(at, group, "omar"))
            await do.once("another's look", lambda: at["omar"].get(group))
            await do.often("key", post(f"{group}/people", act="turn"))
            await do.often("export", post(f"{group}/export"))
            await do.often("groups", lambda: noor.get("/sealed"))
        print({name: f"{seconds * 1e3:.0f}" for name, seconds in do.longest.items()})
        assert do.slow() == {}
