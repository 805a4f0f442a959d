"""Files of a sealed group: with a post, a resource, or added to one; opened by those in it alone; refused ones; marked ones."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.models import RED
from fedcollab.base.errors import StorageFull
from fedcollab.features.rooms import filing, opening, units
from fedcollab.features.rooms.entries import File, Suspected
from fedcollab.files import sweeping
from fedcollab.files.holding import HOLDS
from fedcollab.sealing import room_content, unlocked
from fedcollab.sealing.chunks import FileSecret
from tests.features.cases.desks import Office, office
from tests.features.cases.filed import shelves, take
from tests.features.rooms.offices import QUESTION, begun, files, let_in, send
from tests.files.pictures import jpeg

TEXT = ("The house behind the mill, CANARY-77.\n" * 9000).encode()  # 340 kB
SAID = {"title": QUESTION, "text": "The same picture, another name.", "act": "send"}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path, scanner="/nowhere/clamd.socket") as made:  # whom nobody may ask
        await made.join("omar", "member")
        yield made


def on_disk(at: Office) -> list[Path]:
    kept = at.site.kernel.node.files
    return [path for place in (kept.uploads, kept.arriving, kept.cache) for path in place.rglob("*") if path.is_file()]


async def swept(at: Office) -> None:
    await sweeping.sweep(at.site.kernel, shelves(at), at.site.runner.app[HOLDS])  # type: ignore[union-attr]


@pytest.mark.rule("P5", "P14")
async def test_a_post_carries_a_file_that_those_in_the_group_open_alone(at: Office) -> None:
    group = await begun(at)
    status, thread, page = await send(at["noor"], f"{group}/start", TEXT, "advert.txt", **SAID)
    assert status == 303, page
    [(file_id, state, _)] = await files(at)
    assert state == "here"
    page = (await at["noor"].get(thread))[1]
    path = f"{group}/files/{file_id}"
    assert ("advert.txt" in page, f'href="{path}"' in page, "334 KB" in page) == (True, True, True)
    status, headers, body = await take(at["noor"], path)
    assert (status, body) == (200, TEXT)
    assert headers["Content-Disposition"].startswith('attachment; filename="advert.txt"')
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert on_disk(at)
    assert all(b"CANARY" not in one.read_bytes() for one in on_disk(at))
    other = await begun(at, by="daan")
    for name in ("omar", "daan", "mila", "ruth"):  # a member, a caseworker, an admin, keepers
        for where in (path, f"{path}/mark"):
            assert (await take(at[name], where))[0] == 404
        assert (await send(at[name], f"{thread}", TEXT, token=await at[name].token("/settings"), text="x"))[0] == 404
    for name, where in (("daan", other), ("noor", other)):
        assert (await take(at[name], f"{where}/files/{file_id}"))[0] == 404
    assert (await take(at.site.stranger(), path))[0] in (303, 401)
    assert await at.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_read'") == [(1,)]
    await let_in(at, group, "omar")
    assert (await take(at["omar"], path))[2] == TEXT


async def test_answers_resources_and_posts_that_stand_carry_files_too_and_the_search_finds_their_names(at: Office) -> None:
    group = await begun(at)
    _, thread, _ = await at["noor"].post(f"{group}/start", at=f"{group}/start", **SAID)
    assert (await send(at["noor"], thread, b"one\n", "kingfisher.txt", text="Here", act="send"))[0] == 303
    assert (await send(at["noor"], f"{group}/resources", b"two\n", "list.txt", title="A list", about="For travellers", act="send"))[
        0
    ] == 303
    [row, *_] = re.findall(r'id="p-([0-9a-f-]+)"', (await at["noor"].get(thread))[1])
    post = f"{group}/posts/{row}"
    status, to, _ = await send(at["noor"], f"{post}/file", b"three\n", "more.txt")
    assert (status, to) == (303, post)
    page = (await at["noor"].get(thread))[1]
    assert ("kingfisher.txt" in page, "more.txt" in page) == (True, True)
    assert "list.txt" in (await at["noor"].get(f"{group}/resources"))[1]
    assert "Here" in (await at["noor"].post(f"{group}/search", at=group, q="kingfisher"))[2]
    await let_in(at, group, "omar")
    assert (await at["omar"].get(f"{post}/file"))[0] == 404, "another one's post"
    assert (await send(at["omar"], f"{post}/file", b"x", token=await at["omar"].token(group)))[0] == 404
    assert (await send(at["noor"], f"{post}/file", None))[0] == 422
    assert len(await files(at)) == 3


async def test_a_post_without_a_file_is_sent_by_the_same_form_and_one_sent_twice_stands_once(at: Office) -> None:
    group = await begun(at)
    status, thread, _ = await send(at["noor"], f"{group}/start", None, **SAID)
    assert status == 303
    once = re.findall(r'name="once" value="([^"]+)"', (await at["noor"].get(thread))[1])[0]
    for _ in range(2):
        assert (await send(at["noor"], thread, TEXT, text="Twice", act="send", once=once))[0] == 303
    assert (await at["noor"].get(thread))[1].count("<p>Twice</p>") == 1
    assert await at.sql("SELECT 1 FROM sealed_upload") == []
    await swept(at)
    assert len(await files(at)) == len(on_disk(at)) == 1


@pytest.mark.rule("FILE-03")
async def test_a_picture_loses_place_time_and_device_unless_it_is_to_stay_as_it_is(at: Office) -> None:
    group, taken = await begun(at), jpeg()
    assert b"CANARY" in taken
    for more, stays in ({}, False), ({"picture": "whole"}, True):
        assert (await send(at["noor"], f"{group}/start", taken, "photo.jpg", **SAID, **more))[0] == 303
        _, _, body = await take(at["noor"], f"{group}/files/{(await files(at))[-1][0]}")
        assert (body == taken, b"CANARY" in body) == (stays, stays)


async def test_what_a_form_is_refused_for_stands_beside_what_was_typed_and_leaves_nothing(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, noor = await begun(at), at["noor"]
    before = await at.sql("SELECT count(*) FROM sealed_message")

    async def refused(status: int, content: bytes | None, **more: str) -> None:
        found, _, page = await send(noor, f"{group}/start", content, **(SAID | more))
        assert (found, SAID["text"] in page) == (status, True), page

    await refused(422, b"")
    await refused(422, TEXT, title=" ")
    await refused(403, TEXT, token="0" * 64)
    object.__setattr__(at.site.kernel.node.settings, "file_limit", 0)
    await refused(413, TEXT)
    object.__setattr__(at.site.kernel.node.settings, "file_limit", 10)
    with monkeypatch.context() as patched:

        def full(_room: object, size: int) -> None:
            if size > 100_000:
                raise StorageFull

        patched.setattr(type(at.site.kernel.node.room), "need_for_file", full)
        await refused(507, TEXT)
    with monkeypatch.context() as patched:

        def broken(*_: object, **more: object) -> None:
            raise StorageFull

        patched.setattr(room_content, "write", broken)
        await refused(507, TEXT)
    await swept(at)
    assert (on_disk(at), await files(at), await at.sql("SELECT count(*) FROM sealed_message")) == ([], [], before)
    assert await at.sql("SELECT 1 FROM sealed_upload") == []
    assert (await send(noor, f"{group}/start", TEXT, **SAID))[0] == 303


async def test_a_locked_or_signed_out_browser_keeps_what_was_typed(at: Office) -> None:
    group, noor = await begun(at), at["noor"]
    start = f"{group}/start"
    token, stranger = await noor.token(start), at.site.stranger()
    status, _, page = await send(stranger, start, TEXT, token=await stranger.token(), **SAID)
    assert (status, SAID["text"] in page, f'action="/login?next={start}"' in page) == (401, True, True)

    def lock(_session: object, node: Any) -> None:
        with node.ring.begin() as ring:
            unlocked.lock(ring, next(iter(noor.cookies.values())))

    await at.site.write(lock)
    status, _, page = await send(noor, start, TEXT, token=token, **SAID)
    assert (status, SAID["text"] in page, f'action="/unlock?next={start}"' in page) == (403, True, True)
    assert (await files(at), on_disk(at)) == ([], [])


async def test_a_closed_group_takes_no_file_and_none_of_it_comes_in(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    group, noor = await begun(at), at["noor"]
    token = await noor.token(f"{group}/start")
    assert (await noor.post(f"{group}/people", at=f"{group}/people", act="close"))[0] == 303
    monkeypatch.setattr(filing, "says", None)
    status, _, page = await send(noor, f"{group}/start", TEXT, token=token, **SAID)
    assert (status, on_disk(at)) == (422, []), page


async def test_deleting_a_post_takes_its_files_along(at: Office) -> None:
    group = await begun(at)
    _, thread, _ = await send(at["noor"], f"{group}/start", TEXT, **SAID)
    [(file_id, *_)] = await files(at)
    row = thread.rpartition("/")[2]
    remove = f"{group}/posts/{row}/remove"
    assert (await at["noor"].post(remove, at=remove))[0] == 303
    assert (await take(at["noor"], f"{group}/files/{file_id}"))[0] == 404
    await swept(at)
    assert (on_disk(at), [row[1] for row in await files(at)]) == ([], ["gone"])


@pytest.mark.rule("P23")
async def test_a_marked_file_is_opened_by_nobody_any_more_and_outlives_its_post_for_the_authority(at: Office) -> None:
    group = await begun(at)
    _, thread, _ = await send(at["noor"], f"{group}/start", TEXT, "advert.txt", **SAID)
    await let_in(at, group, "omar")
    [(file_id, *_)] = await files(at)
    path = f"{group}/files/{file_id}"
    assert "You need not be sure." in (await at["omar"].get(f"{path}/mark"))[1]
    assert (await at["omar"].post(f"{path}/mark", at=f"{path}/mark"))[:2] == (303, f"{path}/mark")
    for name in ("omar", "noor"):
        assert (await take(at[name], path))[0] == 410
        page = (await at[name].get(thread))[1]
        assert ("advert.txt" in page, "Marked: it may show the abuse of a child" in page) == (False, True)
        assert file_id in (await at[name].get(f"{path}/mark"))[1]
    row = thread.rpartition("/")[2]
    await at["noor"].post(f"{group}/posts/{row}/remove", at=f"{group}/posts/{row}/remove")
    await swept(at)
    assert len(on_disk(at)) == 1
    assert await at.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_mark'") == [(1,)]


@pytest.mark.rule("P23")
async def test_a_marked_file_that_is_named_by_another_message_is_marked_there_too_before_or_after(at: Office) -> None:
    group = await begun(at)
    _, thread, _ = await send(at["noor"], f"{group}/start", TEXT, "advert.txt", **SAID)
    [(file_id, *_)] = await files(at)
    _, found = await at.unlocked("noor", units.at_once, group.rpartition("/")[2], filing.find, file_id)
    again = replace(found.entry, at=at.site.kernel.node.now())

    async def name_it_again() -> None:
        await at.unlocked("noor", units.at_once, group.rpartition("/")[2], filing.says, lambda _: again)
        await at["noor"].get(thread)  # it is learned of

    await name_it_again()
    assert [mark for (mark,) in await at.sql("SELECT marked_at FROM sealed_file")] == [None, None]
    await at["noor"].post(f"{group}/files/{file_id}/mark", at=f"{group}/files/{file_id}/mark")
    await name_it_again()
    assert await at.sql("SELECT count(*) FROM sealed_file WHERE marked_at IS NULL") == [(0,)]
    for one, *_ in await files(at):
        assert (await take(at["noor"], f"{group}/files/{one}"))[0] == 410
    await send(at["noor"], f"{group}/start", TEXT, "advert.txt", **SAID)
    assert await at.sql("SELECT count(*) FROM sealed_file WHERE marked_at IS NULL") == [(1,)]


@pytest.mark.rule("P23")
async def test_a_word_in_one_group_marks_no_file_of_another(at: Office) -> None:
    group, other = await begun(at), await begun(at, by="daan")
    await send(at["noor"], f"{group}/start", TEXT, **SAID)
    [(file_id, *_)] = await files(at)
    [(uri,)] = await at.sql("SELECT m.uri FROM sealed_message m JOIN sealed_file f ON f.message_id = m.id")
    now = at.site.kernel.node.now()
    await at.unlocked("daan", units.at_once, other.rpartition("/")[2], filing.says, lambda _: Suspected(at=now, of=uri))
    assert await at.sql("SELECT marked_at FROM sealed_file") == [(None,)]
    assert (await take(at["noor"], f"{group}/files/{file_id}"))[2] == TEXT
    await at.unlocked("noor", units.at_once, group.rpartition("/")[2], filing.says, lambda _: Suspected(at=now, of=uri))
    assert (await take(at["noor"], f"{group}/files/{file_id}"))[0] == 410


@pytest.mark.rule("P6")
async def test_a_group_of_named_people_takes_files_and_puts_each_opening_on_record(at: Office) -> None:
    group = await begun(at, RED)
    assert (await send(at["noor"], f"{group}/start", TEXT, **SAID))[0] == 303
    [(file_id, *_)] = await files(at)
    assert (await take(at["noor"], f"{group}/files/{file_id}"))[2] == TEXT
    for name in ("omar", "mila", "ruth"):
        assert (await take(at[name], f"{group}/files/{file_id}"))[0] == 404
    acts = [row[0] for row in await at.sql("SELECT action FROM room_entry ORDER BY seq")]
    assert acts[-2:] == ["sealed.read", "room.file_read"]


async def test_only_the_author_of_a_post_adds_files_to_it_whatever_a_node_says(at: Office) -> None:
    group = await begun(at)
    _, thread, _ = await send(at["noor"], f"{group}/start", None, **SAID)
    await let_in(at, group, "omar")
    await at["omar"].get(thread)
    [(uri,)] = await at.sql("SELECT place FROM group_entry WHERE place LIKE 'http%' LIMIT 1")
    row = group.rpartition("/")[2]

    def forged(session: Any, node: Any, viewer: Any, keys: Any) -> None:
        here = units.at_once(session, node, viewer, keys, row, units.opens)
        file = f"{node.settings.base_url}/rooms/files/x"
        entry = File(at=1, of=uri, thread=uri, uri=file, name="x.txt", secret=FileSecret(bytes(32), 1, bytes(32)))
        opening.add(session, node, here, entry)

    await at.unlocked("omar", forged)
    assert "x.txt" not in (await at["noor"].get(thread))[1]
