"""A file of a sealed group goes to another node: sealed on both disks, opened there, gone with its post; and what outsiders get of it."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import NotFound
from fedcollab.features.rooms import acting
from fedcollab.files import sweeping
from fedcollab.files.holding import HOLDS
from fedcollab.sealing import file_asking, file_serving
from tests.features.cases.desks import Office, partners
from tests.features.cases.filed import shelves, take
from tests.features.rooms.offices import QUESTION, begun, files, joined, send, shared
from tests.nodes import asked, until

TEXT = ("The house behind the mill, CANARY-77.\n" * 9000).encode()  # 340 kB
SAID = {"title": QUESTION, "text": "The same picture, another name.", "act": "send"}


def everything(at: Office) -> list[Path]:
    """All files of the node, its databases too."""
    return [path for path in at.site.place.rglob("*") if path.is_file()]


async def came(at: Office, group: str, number: int = 1) -> list[Any]:
    """The files of the group at a node, once their bytes are there."""

    async def there() -> list[Any]:
        await at["noor"].get(group)  # notes what has come
        for (row,) in await at.sql("SELECT message_id FROM group_entry WHERE place LIKE 'http%' AND about = ''"):
            await at["noor"].get(f"{group}/threads/{row}")
        await asked(file_asking.lanes(at.site.kernel, shelves(at)))
        found = [row for row in await files(at) if row[1] == "here"]
        return found if len(found) == number else []

    return await until("its bytes are there", there)


async def swept(at: Office) -> None:
    await sweeping.sweep(at.site.kernel, shelves(at), at.site.runner.app[HOLDS])  # type: ignore[union-attr]


@pytest.mark.rule("P14", "P12")
async def test_a_file_goes_over_sealed_and_its_clear_bytes_are_on_neither_disk(tmp_path: Path) -> None:
    async with shared(tmp_path) as two:
        status, thread, page = await send(two.one["noor"], f"{two.group}/start", TEXT, "canary-name.txt", **SAID)
        assert status == 303, page
        [(file_id, *_)] = await came(two.other, two.there)
        status, _, body = await take(two.other["noor"], f"{two.there}/files/{file_id}")
        assert (status, body) == (200, TEXT)
        for at in (two.one, two.other):
            for path in everything(at):
                held = path.read_bytes()
                assert (b"CANARY" in held, b"canary-name" in held, b"same picture" in held) == (False, False, False), path
        for name in ("daan", "mila", "ruth"):
            assert (await take(two.other[name], f"{two.there}/files/{file_id}"))[0] == 404
        assert await two.one.sql("SELECT DISTINCT who FROM room_entry WHERE action = 'room.file_given'") == [(two.other.me,)]
        row = thread.rpartition("/")[2]
        await two.one["noor"].post(f"{two.group}/posts/{row}/remove", at=f"{two.group}/posts/{row}/remove")
        await until("it is gone there", lambda: two.other.sql("SELECT 1 FROM sealed_file WHERE state = 'gone'"))
        await swept(two.other)
        kept = two.other.site.kernel.node.files
        assert [path for path in kept.uploads.rglob("*") if path.is_file()] == []


async def test_a_file_that_changed_on_its_disk_is_noticed_and_fetched_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shared(tmp_path) as two:
        await send(two.one["noor"], f"{two.group}/start", TEXT, **SAID)
        [(file_id, *_)] = await came(two.other, two.there)
        [path] = [one for one in two.other.site.kernel.node.files.uploads.rglob("*") if one.is_file()]
        held = bytearray(path.read_bytes())
        held[100] ^= 1
        path.write_bytes(held)
        where = f"{two.there}/files/{file_id}"
        monkeypatch.setattr(file_asking, "due", lambda *_: [])  # the other node takes its time
        assert (await take(two.other["noor"], where))[0] == 409
        [(thread,)] = await two.other.sql("SELECT message_id FROM group_entry WHERE place LIKE 'http%' AND about = ''")
        assert "changed after it was shared" in (await two.other["noor"].get(f"{two.there}/threads/{thread}"))[1]
        monkeypatch.undo()
        await came(two.other, two.there)
        await until("it is whole again", lambda: _whole(two.other, where))


async def _whole(at: Office, where: str) -> bool:
    await asked(file_asking.lanes(at.site.kernel, shelves(at)))
    return (await take(at["noor"], where))[2] == TEXT


@pytest.mark.rule("P5")
async def test_a_removed_organisation_gets_no_later_file_and_one_with_its_history_gets_the_earlier_ones(tmp_path: Path) -> None:
    async with partners(tmp_path) as (one, other):
        group = await begun(one)
        await send(one["noor"], f"{group}/start", TEXT, "before.txt", **SAID)
        there = await joined(one, other, group, history="yes")
        await one["noor"].get(group)  # hands over what only somebody with keys can
        await other.keys_come()
        [(early, *_)] = await came(other, there)
        assert (await take(other["noor"], f"{there}/files/{early}"))[2] == TEXT
        await one.unlocked("noor", acting.remove, group.rpartition("/")[2], other.me, "")
        await send(one["noor"], f"{group}/start", b"later\n", "after.txt", **SAID)
        await until("they know that they are out", lambda: other.sql("SELECT 1 FROM room WHERE state = 'out'"))
        assert len(await files(other)) == 1
        [(name,)] = await one.sql("SELECT uri FROM sealed_file ORDER BY at DESC LIMIT 1")
        given = partial(file_serving.give, to=await _known(one, other), name=name.rpartition("/")[2])
        with pytest.raises(NotFound):
            await one.site.write(given)


async def _known(at: Office, other: Office) -> ActorData:
    """An organisation as another node knows it."""
    found = await at.site.kernel.database.read(actors.by_uri, other.me)
    assert found is not None
    return found


@pytest.mark.rule("P23")
async def test_a_file_marked_at_one_node_is_opened_and_handed_out_by_none(tmp_path: Path) -> None:
    async with shared(tmp_path) as two:
        await send(two.one["noor"], f"{two.group}/start", TEXT, **SAID)
        [(file_id, *_)] = await came(two.other, two.there)
        mark = f"{two.there}/files/{file_id}/mark"
        assert (await two.other["noor"].post(mark, at=mark))[0] == 303
        [(mine, *_)] = await files(two.one)

        async def marked() -> bool:
            await two.one["noor"].get(two.group)
            return bool((await two.one.sql("SELECT marked_at FROM sealed_file"))[0][0])

        await until("the word has come", marked)
        assert (await take(two.one["noor"], f"{two.group}/files/{mine}"))[0] == 410
        assert (await take(two.other["noor"], f"{two.there}/files/{file_id}"))[0] == 410
