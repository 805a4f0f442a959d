"""Sealed files between real nodes: in no file in clear, fetched by whoever is inside, checked, asked for again, gone with their message."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.database import wake
from fedcollab.base.errors import Refused, StorageFull, TooLarge
from fedcollab.federation.models import Partner
from fedcollab.files import sweeping
from fedcollab.files.holding import HOLDS
from fedcollab.files.uploading import Cut
from fedcollab.sealing import (
    carried,
    ending,
    file_asking,
    file_receiving,
    room_content,
    room_history,
    room_quotas,
    room_sending,
    sealed_files,
    taken_back,
    working,
)
from fedcollab.sealing.chunks import Sealer
from tests.nodes import admit, befriend, may_also_reach, rogue, running, until
from tests.sealing.at_work import Desk, found, join_room, open_cases
from tests.sealing.shared_files import CANARY, fetch, on_disk, opened, reading, secret_of, share, shelves, state

TEXT = (CANARY + b"\n") * 8000  # 300 kB: several chunks


@dataclass
class Two:
    """Meridian leads a room in which Baobab's Cleo is as well."""

    meridian: Desk
    baobab: Desk
    uri: str
    here: str
    there: str

    async def arrived(self, said: dict[str, Any]) -> None:
        query = "SELECT 1 FROM sealed_file WHERE uri = :uri"
        await until("the message has come", lambda: self.baobab.here.sql(query, uri=said["uri"]))

    async def swept(self) -> None:
        for desk in (self.meridian, self.baobab):
            await sweeping.sweep(desk.here.kernel, shelves(desk.here), desk.here.runner.app[HOLDS])  # type: ignore[union-attr]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await befriend(one, other)
        uri, here = await found(meridian["ilse"])
        yield Two(meridian, baobab, uri, here, await join_room(meridian["ilse"], baobab, uri, here, "cleo"))


@pytest.mark.rule("P14")
async def test_a_file_is_sealed_as_it_comes_in_and_opened_by_a_member_who_has_fetched_it(two: Two) -> None:
    said = await share(two.meridian["ilse"], two.here, TEXT)
    await two.arrived(said)
    assert await fetch(two.baobab) == 1
    for desk in (two.meridian, two.baobab):
        assert await state(desk.here) == [("here", "")]
        assert await opened(desk.here, secret_of(said)) == TEXT
        [path] = on_disk(desk.here)
        assert CANARY not in path.read_bytes()
    [content] = await two.baobab["cleo"].read(two.there)
    assert content == {name: said[name] for name in ("uri", "name", "media", "secret")}
    assert await fetch(two.baobab) == 0


async def test_a_file_is_asked_for_also_where_its_message_was_had_of_a_member_before_it_was_sent(two: Two) -> None:
    """With a fresh key its messages are asked for; those tell of no files."""
    one, other = two.meridian.here, two.baobab.here
    await one.read_write(lambda session: session.execute(sa.update(Partner).values(paused_at=1)) and None)
    said = await share(two.meridian["ilse"], two.here, TEXT)
    [(ck,)] = await one.sql("SELECT ck FROM sealed_message ORDER BY id DESC LIMIT 1")
    page = await one.read(room_history.written, two.here, ck, "")
    sender = await other.read(actors.by_uri, one.kernel.node.actor_uri)
    assert sender is not None
    await other.write(room_history.take, sender, ck, page)
    assert await other.sql("SELECT 1 FROM sealed_message WHERE ck = :ck", ck=ck)
    assert await other.sql("SELECT 1 FROM sealed_file") == []
    await one.read_write(lambda session: session.execute(sa.update(Partner).values(paused_at=None)) and wake(session, "delivery"))
    await two.arrived(said)
    assert await fetch(two.baobab) == 1
    assert await opened(other, secret_of(said)) == TEXT


async def test_what_breaks_off_is_refused_or_finds_no_room_leaves_nothing(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    ilse, here = two.meridian["ilse"], two.meridian.here
    before = await here.tables()

    async def broken() -> bytes:
        raise ConnectionError

    def full(_room: object, _size: int) -> None:
        raise StorageFull

    async def stored_in_vain() -> None:
        async with file_receiving.sealed(here.kernel, shelves(here), ilse.viewer, reading(TEXT), "a.txt", len(TEXT)) as came:
            await came.store()
            raise RuntimeError

    for read, error in ((broken, Cut), (reading(b""), Refused)):
        with pytest.raises(error):
            async with file_receiving.sealed(here.kernel, shelves(here), ilse.viewer, read, "a.txt", 100):
                pytest.fail("it is whole")
    with pytest.raises(TooLarge):
        async with file_receiving.sealed(here.kernel, shelves(here), ilse.viewer, reading(TEXT), "a.txt", 1 << 60):
            pytest.fail("it is whole")
    with monkeypatch.context() as patched:
        patched.setattr(type(here.kernel.node.room), "need_for_file", full)
        with pytest.raises(StorageFull):
            async with file_receiving.sealed(here.kernel, shelves(here), ilse.viewer, reading(TEXT), "a.txt", len(TEXT)):
                pytest.fail("it is whole")
    with pytest.raises(RuntimeError):
        await stored_in_vain()
    await two.swept()
    assert on_disk(here) == []
    after = await here.tables()
    assert {name for name in after if after[name] != before.get(name)} == set()
    await share(ilse, two.here, TEXT)


async def test_what_a_process_that_died_has_left_is_swept(two: Two) -> None:
    ilse, here = two.meridian["ilse"], two.meridian.here
    key = await here.write(sealed_files.begin, ilse.viewer, 100)
    growing = shelves(here).arriving.growing(key)
    await growing.begin()
    await growing.add(b"sealed")
    growing.close()
    await shelves(here).own.take(growing.path, key, "")
    await file_asking.forget_old(here.kernel, sealed_files.KEPT)
    assert len(on_disk(here)) == 1  # it may be coming in still, into another process
    await file_asking.forget_old(here.kernel, 0)
    await two.swept()
    assert on_disk(here) == []
    assert not await here.sql("SELECT 1 FROM sealed_upload")


@pytest.mark.rule("P12")
async def test_a_file_goes_with_its_message_here_and_there(two: Two) -> None:
    said = await share(two.meridian["ilse"], two.here, TEXT)
    kept = await share(two.meridian["ilse"], two.here, TEXT + b"more")
    await two.arrived(kept)
    assert await fetch(two.baobab) == 2
    await two.meridian.here.write(room_sending.take_back, two.meridian["ilse"].viewer, said["message"])
    await until("it is gone there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_file WHERE state = 'gone'"))
    await two.swept()
    for desk in (two.meridian, two.baobab):
        assert sorted(await state(desk.here)) == [("gone", ""), ("here", "")]
        assert len(on_disk(desk.here)) == 1
        assert await opened(desk.here, secret_of(kept)) == TEXT + b"more"


@pytest.mark.rule("P13")
async def test_a_purged_room_has_no_file_left_on_either_node(two: Two) -> None:
    said = await share(two.baobab["cleo"], two.there, TEXT)
    await until("it has come", lambda: two.meridian.here.sql("SELECT 1 FROM sealed_file WHERE uri = :uri", uri=said["uri"]))
    assert await fetch(two.meridian) == 1
    await two.meridian["ilse"].do(working.purge, two.here)
    await until("they are asked", lambda: two.baobab.here.sql("SELECT 1 FROM room_ending"))
    await two.baobab.here.read_write(lambda session: session.execute(sa.text("UPDATE room_ending SET due_at = 0")) and None)
    await two.baobab.here.write(ending.end_due)
    await two.swept()
    assert on_disk(two.meridian.here) + on_disk(two.baobab.here) == []


@pytest.mark.rule("P11")
async def test_what_was_erased_does_not_come_back_with_an_older_database(two: Two) -> None:
    here = two.meridian.here
    said = await share(two.meridian["ilse"], two.here, TEXT)
    other = await share(two.meridian["ilse"], two.here, TEXT)
    await here.write(room_sending.take_back, two.meridian["ilse"].viewer, said["message"])
    named = await here.read(taken_back.listed, 0)
    assert len(named) == 1
    await here.read_write(_as_before)
    await here.write(taken_back.take_again, named[0])
    assert await here.sql("SELECT state FROM sealed_message WHERE uri = :uri", uri=said["message"]) == [("erased",)]
    assert sorted(await state(here)) == [("gone", ""), ("here", "")]
    with pytest.raises(Refused):
        await here.write(taken_back.take_again, named[0])
    assert await here.sql("SELECT state FROM sealed_message WHERE uri = :uri", uri=other["message"]) == [("there",)]


def _as_before(session: Any) -> None:
    session.execute(sa.text("DELETE FROM gone_bytes"))
    session.execute(sa.text("UPDATE sealed_message SET state = 'there', erased_at = NULL"))
    session.execute(sa.text("UPDATE sealed_file SET state = 'here'"))


async def test_a_changed_byte_is_seen_and_the_file_is_had_again_of_another_member(two: Two) -> None:
    said = await share(two.meridian["ilse"], two.here, TEXT)
    await two.arrived(said)
    assert await fetch(two.baobab) == 1
    here = two.meridian.here
    [path] = on_disk(here)
    data = bytearray(path.read_bytes())
    data[100_000] ^= 1
    path.write_bytes(data)
    [(file_id,)] = await here.sql("SELECT id FROM sealed_file")
    await here.write(sealed_files.changed, file_id)
    assert await state(here) == [("here", "changed")]
    assert await fetch(two.meridian) == 1
    assert await opened(here, secret_of(said)) == TEXT
    await two.swept()
    assert len(on_disk(here)) == 1


@pytest.mark.rule("FILE-09")
async def test_one_partners_files_take_their_share_and_no_more(two: Two) -> None:
    baobab = two.baobab.here
    said = await share(two.meridian["ilse"], two.here, TEXT)
    await two.arrived(said)
    settings = baobab.kernel.node.settings
    object.__setattr__(settings, "cache_quota", 1)  # MB: half of it for one partner
    assert await fetch(two.baobab) == 1
    more = await share(two.meridian["ilse"], two.here, TEXT + b"more")
    await two.arrived(more)
    assert await fetch(two.baobab) == 0
    assert sorted(await state(baobab)) == [("away", "room"), ("here", "")]
    await share(two.baobab["cleo"], two.there, TEXT)  # our own work goes on
    object.__setattr__(settings, "cache_quota", 5)
    host = two.meridian.here.kernel.node.host
    used = await baobab.read(room_quotas.used, host)
    assert used > len(TEXT), "the file that is here counts beside the messages"
    await baobab.read_write(lambda session: room_quotas.count(session, host, host, "", 10**12))
    await baobab.read_write(_due)
    assert await fetch(two.baobab) == 0, "what it may bring in all is used up"
    await baobab.read_write(lambda session: room_quotas.count(session, host, host, "", -(10**12)))
    assert await baobab.read(room_quotas.used, host) == used
    await baobab.read_write(_due)
    assert await fetch(two.baobab) == 1


def _due(session: Any) -> None:
    session.execute(sa.text("UPDATE sealed_file SET next_at = 0 WHERE state = 'away'"))


@pytest.mark.rule("CONF-09")
async def test_ciphertext_is_given_to_members_alone_and_to_all_others_nothing_is_there(two: Two) -> None:
    said = await share(two.meridian["ilse"], two.here, TEXT)
    path = said["uri"].removeprefix(two.meridian.here.url)
    stranger = await rogue()
    try:
        here = may_also_reach(two.meridian.here, stranger)
        await admit(here, stranger)
        nothing = await stranger.get(here, carried.PATH + "u" + "A" * 43)
        assert nothing[0] == 404
        for asked in (path, carried.PATH + "x", path + "A"):
            assert await stranger.get(here, asked) == nothing
        async with aiohttp.request("GET", said["uri"]) as answer, aiohttp.request("GET", said["uri"][:-1] + "A") as other:
            assert (answer.status, await answer.text()) == (other.status, await other.text())
            assert other.status == 404
    finally:
        await stranger.stop()
    await two.arrived(said)
    assert await fetch(two.baobab) == 1
    await two.meridian["ilse"].do(working.remove, two.here, two.baobab.me)
    later = await share(two.meridian["ilse"], two.here, TEXT)
    assert later["uri"] != said["uri"]
    await two.baobab.here.read_write(_again)
    assert await fetch(two.baobab) == 0


def _again(session: Any) -> None:
    session.execute(sa.text("UPDATE sealed_file SET next_at = 0, state = 'away'"))


@pytest.mark.rule("P23")
async def test_a_marked_file_is_handed_to_nobody_and_its_bytes_stay_as_they_are(two: Two) -> None:
    said = await share(two.meridian["ilse"], two.here, TEXT)
    other = await share(two.meridian["ilse"], two.here, TEXT)
    await two.arrived(other)
    before = [path.read_bytes() for path in sorted(on_disk(two.meridian.here))]
    assert len(await two.meridian.here.write(sealed_files.mark, [said["message"]])) == 1
    assert await fetch(two.baobab) == 1
    assert sorted(await state(two.baobab.here)) == [("away", ""), ("here", "")]
    assert await opened(two.baobab.here, secret_of(other)) == TEXT
    assert [path.read_bytes() for path in sorted(on_disk(two.meridian.here))] == before
    await two.baobab.here.write(sealed_files.mark, [said["message"]])
    await two.baobab.here.read_write(_due)
    assert await fetch(two.baobab) == 0


async def test_a_file_that_is_not_what_was_named_is_not_kept(two: Two) -> None:
    said = await share(two.meridian["ilse"], two.here, TEXT)
    await two.arrived(said)
    [path] = on_disk(two.meridian.here)
    true = path.read_bytes()
    path.write_bytes(true[:-1] + bytes([true[-1] ^ 1]))
    assert await fetch(two.baobab) == 0
    assert await state(two.baobab.here) == [("away", "hash")]
    assert on_disk(two.baobab.here) == []
    path.write_bytes(true)
    await two.baobab.here.read_write(_due)
    assert await fetch(two.baobab) == 1


async def test_a_message_that_names_a_file_of_elsewhere_or_of_no_size_is_refused(two: Two) -> None:
    opened_ = await two.meridian["ilse"].open(two.here)
    sealer = Sealer()
    sealer.update(TEXT)
    for _ in sealer.finish():
        pass
    node = two.baobab.here.kernel.node
    foreign = carried.of(node, sealer.secret, "")  # where Baobab's own would lie
    with pytest.raises(Refused):
        await two.meridian.here.write(room_content.write, opened_, {"text": "x"}, files=[foreign, foreign])
    await two.meridian.here.write(room_content.write, opened_, {"text": "x"}, files=[foreign])
    await until("it is refused", lambda: two.baobab.here.sql("SELECT 1 FROM inbox_item WHERE state = 'refused'"))
    assert not await two.baobab.here.sql("SELECT 1 FROM sealed_file")
    said = await share(two.meridian["ilse"], two.here, TEXT)
    await two.arrived(said)


async def test_two_processes_that_fetch_one_file_leave_it_there(two: Two) -> None:
    said = await share(two.meridian["ilse"], two.here, TEXT)
    await two.arrived(said)
    assert sum(await asyncio.gather(fetch(two.baobab), fetch(two.baobab))) == 2
    await two.swept()
    assert await opened(two.baobab.here, secret_of(said)) == TEXT
    assert len(on_disk(two.baobab.here)) == 1


async def test_two_files_come_side_by_side(two: Two) -> None:
    ilse = two.meridian["ilse"]
    found_ = await asyncio.gather(*(share(ilse, two.here, TEXT + bytes([number])) for number in range(4)))
    for said in found_:
        await two.arrived(said)
    assert await fetch(two.baobab) == 4
