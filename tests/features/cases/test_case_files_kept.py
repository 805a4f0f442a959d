"""Files of a case that are no longer what they were: changed on the disk, cut off on their way, away at another node, marked."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from fedcollab.sealing import file_asking, working
from tests.features.cases.desks import Office, office, partners
from tests.features.cases.filed import rows, send, shelves, take
from tests.nodes import asked, until

TEXT = ("The house behind the mill, CANARY-78.\n" * 30_000).encode()  # 1.1 MB
NAME = "CANARY-name.txt"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Office, Office]]:
    async with partners(tmp_path) as made:
        yield made


def stored(at: Office) -> list[Path]:
    return [path for path in at.site.kernel.node.files.uploads.rglob("*") if path.is_file()]


def change(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


async def test_a_changed_byte_ends_the_transfer_and_is_named_on_the_page(at: Office) -> None:
    case = await at.case("noor")
    await send(at["noor"], case, TEXT)
    [(file_id, *_)] = await rows(at)
    path, [kept] = f"/cases/{case}/files", stored(at)
    before = kept.read_bytes()
    change(kept, len(before) - 20)  # in the last chunk: all but the end has gone out by then
    with pytest.raises(aiohttp.ClientPayloadError):
        await take(at["noor"], f"{path}/{file_id}")
    assert "changed after it was shared" in (await at["noor"].get(path))[1]
    change(kept, 10)
    status, _, body = await take(at["noor"], f"{path}/{file_id}")
    assert (status, b"changed after it was shared" in body, b"CANARY" in body) == (409, True, False)
    kept.write_bytes(before[:-5000])
    with pytest.raises(aiohttp.ClientPayloadError):
        await take(at["noor"], f"{path}/{file_id}")
    kept.unlink()
    assert (await take(at["noor"], f"{path}/{file_id}"))[0] == 409
    assert await at.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_changed'") == [(1,)]
    kept.write_bytes(before)
    assert (await take(at["noor"], f"{path}/{file_id}"))[2] == TEXT


async def test_an_upload_that_is_cut_off_leaves_nothing(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    token, settings = await noor.token(f"/cases/{case}/files"), at.site.kernel.node.settings
    lines = ("--b", 'Content-Disposition: form-data; name="token"', "", token, "--b")
    head = "\r\n".join((*lines, 'Content-Disposition: form-data; name="file"; filename="a.txt"', "", "")).encode()
    fields = [f"POST /cases/{case}/files HTTP/1.1", f"Host: {settings.host}", "Content-Type: multipart/form-data; boundary=b"]
    fields += [f"Content-Length: {len(TEXT) + 1000}", "Cookie: " + "; ".join(f"{k}={v}" for k, v in noor.cookies.items())]
    name, _, port = settings.listen.rpartition(":")
    _, writer = await asyncio.open_connection(name, int(port))
    writer.write(("\r\n".join(fields) + "\r\n\r\n").encode() + head + TEXT[:-5000])
    await writer.drain()
    await until("it is coming in", lambda: at.sql("SELECT 1 FROM sealed_upload"))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.close()

    async def nothing() -> bool:
        arriving = [path for path in at.site.kernel.node.files.arriving.rglob("*") if path.is_file()]
        return not arriving and not await at.sql("SELECT 1 FROM sealed_upload")

    await until("nothing is left", nothing)
    assert (stored(at), await rows(at)) == ([], [])
    assert (await send(noor, case, TEXT))[0] == 303


async def test_a_partners_file_is_opened_once_it_is_here_and_named_as_away_before(two: tuple[Office, Office]) -> None:
    one, other = two
    case, there = await shared(one, other)
    await send(one["noor"], case, TEXT, NAME)
    await until("it has come", lambda: other.sql("SELECT 1 FROM sealed_file"))
    await until("its bytes have come", lambda: other.sql("SELECT 1 FROM sealed_file WHERE state = 'here'"))
    [(file_id, *_)] = await rows(other)
    path = f"/cases/{there}/files"
    assert (await take(other["noor"], f"{path}/{file_id}"))[2] == TEXT
    await other.site.kernel.database.write(_away)
    status, headers, body = await take(other["noor"], f"{path}/{file_id}")
    assert (status, headers["Retry-After"], b"not here yet" in body) == (503, "60", True)
    await until("it has come again", lambda: other.sql("SELECT 1 FROM sealed_file WHERE state = 'here'"))
    assert (await take(other["noor"], f"{path}/{file_id}"))[2] == TEXT
    await other.site.kernel.database.write(lambda session: session.execute(sa.text("DELETE FROM sealed_file")) and None)
    assert NAME in (await other["noor"].get(path))[1]  # as where its message came with an earlier time that was granted
    await until("it is asked for", lambda: other.sql("SELECT 1 FROM sealed_file WHERE state = 'here'"))
    [(file_id, *_)] = await rows(other)
    assert (await take(other["noor"], f"{path}/{file_id}"))[2] == TEXT


def _away(session: Any) -> None:
    session.execute(sa.text("UPDATE sealed_file SET state = 'away', next_at = NULL, key = ''"))


async def shared(one: Office, other: Office) -> tuple[str, str]:
    """A case that both are on: its address at each."""
    case = await one.case("noor")
    await one.do("noor", working.invite, case, other.me)
    [(there,)] = await until("the invitation is there", lambda: other.sql("SELECT id FROM room"))
    query = "SELECT json_extract(said, '$.id') FROM room_fact WHERE kind = 'invited'"
    [(invitation,)] = await other.sql(query)
    await other.do("noor", working.accept, there, invitation, [other["noor"].viewer.person_id])
    await until("they are inside", lambda: other.sql("SELECT 1 FROM room WHERE state = 'open'"))
    await other.keys_come()
    return case, there


@pytest.mark.rule("P23")
async def test_a_marked_file_is_opened_shown_and_handed_out_by_no_route_on_any_node(two: tuple[Office, Office]) -> None:
    one, other = two
    case, there = await shared(one, other)
    await send(one["noor"], case, TEXT, NAME, about="CANARY-about")
    await send(one["noor"], case, TEXT, "other.txt")
    await until("both are there", lambda: other.sql("SELECT count(*) FROM sealed_file WHERE state = 'here' HAVING count(*) = 2"))
    (file_id, *_), (twin, *_) = await rows(one)
    path, kept = f"/cases/{case}/files", {file: file.read_bytes() for file in stored(one)}
    page = (await one["noor"].get(f"{path}/{file_id}/mark"))[1]
    assert ("inhope.org" in page, NAME in page) == (True, True)
    assert (await one["noor"].post(f"{path}/{file_id}/mark", at=path))[:2] == (303, f"{path}/{file_id}/mark")
    assert (await one["noor"].post(f"{path}/{file_id}/mark", at=path))[0] == 303  # twice is once
    await until("it is said there", lambda: other.sql("SELECT count(*) FROM sealed_message HAVING count(*) = 3"))
    await nowhere(one, case, file_id)
    for at_other in await rows(other):
        if at_other[0] != (await twin_of(other, there)):
            await nowhere(other, there, at_other[0])
    assert {file: file.read_bytes() for file in stored(one)} == kept  # for the authority
    assert (await take(one["noor"], f"{path}/{twin}"))[2] == TEXT
    assert (await take(other["noor"], f"/cases/{there}/files/{await twin_of(other, there)}"))[2] == TEXT
    assert await one.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_mark'") == [(1,)]


async def twin_of(at: Office, case: str) -> str:
    page = (await at["noor"].get(f"/cases/{case}/files"))[1]
    [found] = re.findall(rf'href="/cases/{case}/files/([0-9a-f-]+)"', page)
    return str(found)


async def nowhere(at: Office, case: str, file_id: str) -> None:
    """No page, no download, no node gets anything of it; its name neither."""
    for path in (f"/cases/{case}", f"/cases/{case}/files", f"/cases/{case}/files/{file_id}", f"/cases/{case}/files/{file_id}/mark"):
        status, _, body = await take(at["noor"], path)
        assert (status in (200, 410), b"CANARY" in body) == (True, False), path
    assert (await take(at["noor"], f"/cases/{case}/files/{file_id}"))[0] == 410
    form = {"token": await at["noor"].token(path := f"/cases/{case}/export"), "files": "yes"}
    status, _, copy = await at["noor"].ask("POST", path, form)
    assert (status, "CANARY" in copy, "other.txt" in copy, '"suspected"' in copy) == (200, False, True, True)
    [(uri,)] = await at.sql("SELECT uri FROM sealed_message WHERE id = (SELECT message_id FROM sealed_file WHERE id = :id)", id=file_id)
    gone_along = set(re.findall(r'"of":\s*"([^"]+)"', copy))
    assert (len(gone_along), uri in gone_along) == (1, False)  # the other one's sealed bytes
    for guess in (f"/files/{file_id}", f"/files/{file_id}/preview", f"/cases/{case}/files/{file_id}/preview"):
        assert (await take(at["noor"], guess))[0] == 404
    folded = await at.desk("noor", case)
    [marked] = [one for one in folded.case.files if one.state == "suspected"]
    assert (marked.entry, marked.id in folded.case.gone) == (None, False)
    assert await at.sql("SELECT 1 FROM sealed_file WHERE id = :id AND marked_at IS NOT NULL", id=file_id)
    assert await asked(file_asking.lanes(at.site.kernel, shelves(at))) == 0
