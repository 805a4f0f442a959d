"""Files of posts cross nodes: named in the post, fetched when opened, given out by the group's host, gone where the post goes."""

import asyncio
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fedcollab.access.viewer import partner
from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound, Unavailable
from fedcollab.features.discussions import attaching, groups, looking, reading, service
from fedcollab.features.discussions.moderation import acting
from fedcollab.federation import activitystreams as ap
from fedcollab.files import fetching, holding
from fedcollab.files.service import FileData
from fedcollab.files.shelves import SHELVES
from tests import nodes
from tests.files.made import PDF
from tests.files.placed import placed
from tests.nodes import Here, until


@dataclass
class Three:
    """A group's host, and two of its partners, who are no partners of each other."""

    host: Here
    author: Here
    reader: Here
    group: str


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera", "Harbour Line") as (host, author, reader):
        await nodes.befriend(host, author)
        await nodes.befriend(host, reader)
        group = await host.group()
        for one in (author, reader):
            await until("the group is known", lambda one=one: one.sql("SELECT 1 FROM actor WHERE uri = :u", u=group.uri))
        yield Three(host, author, reader, group.uri)


async def write(here: Here, group_uri: str, *files: FileData) -> service.Posted:
    [[group_id]] = await here.sql("SELECT id FROM actor WHERE uri = :u", u=group_uri)
    made: service.Posted = await here.write(
        service.post_thread, here.viewer, group_id, title="A guide", text="Look at this", files=[one.id for one in files]
    )
    return made


async def carried(here: Here, uri: str) -> list[FileData] | None:
    """The files of a post on this node as its page shows them; None while it is not here."""

    def read(session: Any) -> list[FileData] | None:
        try:
            row = reading.post_by_uri(session, here.viewer, uri)
        except NotFound:
            return None
        return looking.conversation(session, here.viewer, row.thread_id, 1, 0).carried.get(row.id, [])

    found: list[FileData] | None = await here.read(read)
    return found


async def arrives(here: Here, uri: str) -> FileData:
    """The one file of a post, once that has come."""
    [file] = await until("the post is here", lambda: carried(here, uri))
    return file


async def opened(here: Here, file: FileData) -> bytes:
    """A file's bytes as a member of this node gets them."""
    shelves = here.runner.app[SHELVES]
    await fetching.bring(here.kernel, shelves, file.id)
    [[key, size]] = await here.sql("SELECT key, size FROM file WHERE id = :id", id=file.id)
    return b"".join([piece async for piece in shelves.cache.read(key, 0, size)])


async def readable(here: Here, file_id: str) -> bool:
    return bool(await here.read(holding.reads, here.runner.app[holding.HOLDS], here.viewer, file_id))


async def test_whoever_reads_a_post_through_its_host_opens_its_file_through_its_host(three: Three) -> None:
    file = await placed(three.author, three.author.viewer)
    made = await write(three.author, three.group, file)
    at_reader, at_host = await arrives(three.reader, made.uri), await arrives(three.host, made.uri)
    assert (at_reader.name, at_reader.sha256, at_reader.state) == ("guide.pdf", hashlib.sha256(PDF).hexdigest(), "away")
    assert (await carried(three.author, made.uri))[0].id == file.id  # type: ignore[index]
    assert await opened(three.reader, at_reader) == PDF
    [there] = (await carried(three.reader, made.uri)) or []
    assert (there.state, there.pages, bool(there.preview)) == ("here", 1, True)
    assert (await three.host.sql("SELECT state FROM file WHERE id = :id", id=at_host.id)) == [("here",)], "the host has fetched it"


async def test_the_authors_node_gives_the_file_to_the_host_and_to_nobody_whom_the_host_has_introduced(three: Three) -> None:
    """The stranger asks well signed, and the author's node does not know it; the host answers nothing about files of groups of others."""
    file = await placed(three.author, three.author.viewer)
    made = await write(three.author, three.group, file)
    await arrives(three.reader, made.uri)
    [[host_at_author]] = await three.author.sql("SELECT id FROM actor WHERE uri = :u", u=three.host.url + "/actor")
    holds = three.author.runner.app[holding.HOLDS]
    assert await three.author.read(holding.reads, holds, partner(host_at_author), file.id)
    strangers = await three.author.sql("SELECT id FROM actor WHERE uri = :u", u=three.reader.url + "/actor")
    for (stranger,) in strangers:
        assert not await three.author.read(holding.reads, holds, partner(stranger), file.id)


@pytest.mark.rule("CONF-05")
async def test_a_file_goes_where_its_post_goes(three: Three) -> None:
    """Removed by the host's moderators, restored, changed by its author, deleted: on every node."""
    first, second = await placed(three.author, three.author.viewer), await placed(three.author, three.author.viewer, "b.txt", b"words\n")
    made = await write(three.author, three.group, first, second)
    everybody = (three.host, three.author, three.reader)

    async def number(here: Here, wanted: int) -> bool:
        return len(await carried(here, made.uri) or []) == wanted

    async def all_have(wanted: int) -> None:
        for here in everybody:
            await until(f"{wanted} files", lambda here=here: number(here, wanted))

    await all_have(2)
    ids = {here.host: [file.id for file in await carried(here, made.uri) or []] for here in everybody}
    [[at_host]] = await three.host.sql("SELECT id FROM post WHERE uri = :u", u=made.uri)
    await three.host.write(acting.remove, three.host.viewer, at_host, reason="names somebody")
    await all_have(0)
    for here in everybody:
        assert not await readable(here, ids[here.host][0])
    await three.host.write(acting.restore, three.host.viewer, at_host, reason="it does not")
    await all_have(2)
    await three.author.write(service.edit, three.author.viewer, made.post_id, text="Look at this", without=[second.id])
    await all_have(1)
    left = [await carried(here, made.uri) for here in everybody]
    assert [file.name for files in left for file in files or []] == ["guide.pdf"] * 3
    await three.author.write(service.delete, three.author.viewer, made.post_id)
    for here in everybody:
        await until("it is gone", lambda here=here: here.sql("SELECT 1 FROM post WHERE deleted_at IS NOT NULL AND uri = :u", u=made.uri))
        assert await here.sql("SELECT file_id FROM post_file") == []
        assert not await readable(here, ids[here.host][0])


async def partner_gets(pair: "Pair", *paths: str) -> list[int]:
    return [(await pair.other.get(pair.here, path))[0] for path in paths]


@pytest.mark.rule("CONF-05")
async def test_a_partner_gets_a_posts_file_while_it_is_inside_and_neither_before_nor_after(pair: "Pair") -> None:
    """Its preview it never gets: it draws its own. Nothing is stored for asking."""
    file, shut = await placed(pair.here, pair.here.viewer), await placed(pair.here, pair.here.viewer, "b.pdf")
    paths = (file.path, f"{file.path}/preview", f"/files?uri={file.uri}")
    assert await partner_gets(pair, *paths) == [404, 404, 404], "it is in no post yet"
    made = await write(pair.here, pair.group, file)
    alone = await pair.here.group("us", "TLP:AMBER+STRICT")
    await write(pair.here, alone.uri, shut)
    before = await pair.here.tables()
    assert await partner_gets(pair, *paths, shut.path) == [200, 404, 404, 404]
    [[organisation_id]] = await pair.here.sql("SELECT organisation_id FROM partner")
    await pair.here.write(groups.expel_partner, organisation_id)
    assert await partner_gets(pair, *paths) == [404, 404, 404]
    assert (await pair.here.tables())["file"] == before["file"]
    assert [one.id for one in await carried(pair.here, made.uri) or []] == [file.id], "ours still read it"


def named(other: nodes.Rogue, data: bytes, **said: Any) -> dict[str, Any]:
    """An attachment as a partner writes it, at an address that serves `data`."""
    path = f"/media/{new_id()}.txt"
    other.documents[path] = lambda _request: web.Response(body=data, content_type="text/plain")
    digest = "u" + urlsafe_b64encode(b"\x12\x20" + hashlib.sha256(data).digest()).decode().rstrip("=")
    right = {
        "type": "Document",
        "url": other.uri(path),
        "mediaType": "text/plain",
        "name": "notes.txt",
        ap.SIZE: len(data),
        ap.DIGEST: digest,
    }
    return {name: value for name, value in (right | said).items() if value is not None}


@dataclass
class Pair:
    here: Here
    other: nodes.Rogue
    author: str
    group: str

    async def post(self, *attachments: dict[str, Any]) -> str:
        """A post of the partner's member with these; its uri."""
        activity = self.other.create(self.author, self.group, attachment=list(attachments))
        assert await self.other.send(self.here, activity) == 202
        await self.here.quiet()
        return str(activity["object"]["id"])


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    other = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(other.port,))
    try:
        await nodes.admit(here, other)
        author = other.actor("/people/1", "Person")["id"]
        yield Pair(here, other, author, (await here.group()).uri)
    finally:
        await asyncio.gather(here.stop(), other.stop())


async def test_a_partners_file_that_is_not_what_it_says_is_refused_and_shown_on_the_post(pair: Pair) -> None:
    """Its twin: the next post's file is what it says, and is opened."""
    wrong = await pair.post(
        named(pair.other, b"other words\n", **{ap.DIGEST: "u" + urlsafe_b64encode(b"\x12\x20" + bytes(32)).decode().rstrip("=")})
    )
    file = await arrives(pair.here, wrong)
    with pytest.raises(fetching.NotAsSaid):
        await opened(pair.here, file)
    shown = await arrives(pair.here, wrong)
    assert (shown.state, shown.reason) == ("refused", "hash")
    assert "another" in shown.why
    assert await opened(pair.here, await arrives(pair.here, await pair.post(named(pair.other, b"words\n")))) == b"words\n"


async def test_other_software_names_a_file_by_its_address_alone_and_its_hash_is_kept_when_it_comes(pair: Pair) -> None:
    file = await arrives(pair.here, await pair.post(named(pair.other, b"words\n", **{ap.DIGEST: None, ap.SIZE: None, "type": "Image"})))
    assert (file.sha256, file.size) == ("", 0)
    assert await opened(pair.here, file) == b"words\n"
    assert (await pair.here.sql("SELECT sha256 FROM file WHERE id = :id", id=file.id)) == [(hashlib.sha256(b"words\n").hexdigest(),)]


@pytest.mark.rule("FILE-02")
async def test_files_on_another_host_or_under_another_scheme_are_none_of_the_posts(pair: Pair) -> None:
    good = named(pair.other, b"words\n")
    bad = [
        good | {"url": url} for url in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://127.0.0.1:1/x", 7, None)
    ]
    bad += [{"type": "Link", "href": good["url"]}, "text", {"type": "Document"}]  # type: ignore[list-item]
    assert [file.name for file in await until("the post", lambda: carried_of(pair, *bad, good))] == ["notes.txt"]


async def carried_of(pair: Pair, *attachments: Any) -> list[FileData] | None:
    return await carried(pair.here, await pair.post(*attachments))


@pytest.mark.rule("FILE-09")
async def test_a_thousand_large_files_of_a_partners_posts_take_no_room_until_somebody_opens_them(pair: Pair) -> None:
    """Ten at most are read of each post; nobody is asked for any; our own members upload as before."""
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=503)

    large = named(pair.other, b"words\n", **{ap.SIZE: 10_000_000})
    pair.other.documents[large["url"].removeprefix(pair.other.url)] = answer
    for _ in range(50):
        files = [large | {"url": f"{large['url']}?{new_id()}"} for _ in range(20)]
        activity = pair.other.create(pair.author, pair.group, attachment=files)
        assert await pair.other.send(pair.here, activity) == 202
    await pair.here.quiet()
    assert (await pair.here.sql("SELECT count(*) FROM post"))[0][0] == 50
    assert (await pair.here.sql("SELECT count(*) FROM post_file"))[0][0] == 50 * attaching.MOST
    assert asked == []
    assert (await pair.here.sql("SELECT count(*) FROM file WHERE key != ''"))[0][0] == 0
    [[file_id]] = await pair.here.sql("SELECT id FROM file LIMIT 1")
    with pytest.raises(Unavailable):
        await fetching.bring(pair.here.kernel, pair.here.runner.app[SHELVES], file_id)
    assert (await placed(pair.here, pair.here.viewer)).state == "here"
