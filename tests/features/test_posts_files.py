"""Posts carry files: added without script, kept with the draft, read by whoever reads the post and by nobody else, gone with it."""

import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest
from multidict import MultiDict
from PIL import Image

from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound, Refused
from fedcollab.features.discussions import attaching, drafts, service
from fedcollab.features.discussions.moderation import acting
from fedcollab.files import decoding
from tests.files import pictures
from tests.files.holder import Sender
from tests.files.made import PDF
from tests.files.placed import placed
from tests.nodes import until
from tests.web import Site, Visitor, site

FILE = re.compile(r'type="checkbox" name="file" value="([0-9a-f-]{36})" checked')


async def opened(visitor: Visitor, path: str) -> tuple[int, Any, bytes]:
    sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in visitor.cookies.items())}
    async with aiohttp.request("GET", visitor.site.url + path, headers=sent, allow_redirects=False) as answer:
        return answer.status, answer.headers, await answer.read()


async def posted(here: Site, by: Visitor, label: str = "TLP:GREEN", **file: Any) -> tuple[service.Posted, str]:
    """A conversation with one file: what it is called, and the file's id."""
    group = await here.group(by, f"g-{new_id()[-6:]}", label)
    kept = await placed(here, by.viewer, **file)
    return await here.write(service.post_thread, by.viewer, group, title="A guide", text="Look at this", files=[kept.id]), kept.id


async def test_a_file_is_added_without_script_and_the_text_waits_meanwhile(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        ilse, daan = Sender(await here.member("ilse", "admin", "member")), await here.member("daan")
        group = await here.group(ilse.visitor, "leads", "TLP:GREEN")
        at = f"/groups/{group}/new"
        form = {"title": "A guide", "text": "Half a", "once": new_id(), "act": "file"}
        status, location, _ = await ilse.visitor.post(at, at, **form)
        assert (status, location) == (303, f"/attach/{group}")
        _, page = await ilse.visitor.get(location)
        assert f'action="/files?next=/attach/{group}"' in unquote(page)
        status, location, text = await ilse.form("guide.pdf", PDF, path=f"/files?next=/attach/{group}")
        assert status == 303, text
        status, headers, _ = await ilse.visitor.ask("GET", location)
        assert (status, headers["Location"].partition("?")[0]) == (303, at)
        _, page = await ilse.visitor.get(headers["Location"])
        assert "Half a</textarea>" in page
        assert "guide.pdf" in page
        [file_id] = FILE.findall(page)
        status, location, text = await ilse.visitor.post(at, at, **form | {"text": "Half a text, whole", "act": "send", "file": file_id})
        assert (status, location.startswith("/threads/")) == (303, True), text
        _, page = await daan.get(location)
        assert f'href="/files/{file_id}"' in page
        assert "1 page" in page
        assert f'src="/files/{file_id}/preview"' in page
        assert (await opened(daan, f"/files/{file_id}"))[::2] == (200, PDF)
        assert not FILE.findall((await ilse.visitor.get(at))[1]), "the draft is empty again"


async def test_files_stay_with_the_draft_until_they_are_unticked(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        ilse, daan = await here.member("ilse", "admin", "member"), await here.member("daan")
        thread = await here.thread(ilse, await here.group(ilse, "leads", "TLP:GREEN"))
        at = f"/threads/{thread.thread_id}"
        first, second = await placed(here, ilse.viewer, "one.pdf"), await placed(here, ilse.viewer, "two.pdf")
        form = MultiDict([("token", await ilse.token(at)), ("text", "later"), ("act", "keep"), ("file", first.id), ("file", second.id)])
        assert (await ilse.ask("POST", at, form))[0] == 200
        assert FILE.findall((await ilse.get(at))[1]) == [first.id, second.id]
        assert (await opened(ilse, first.path))[0] == 200
        assert (await opened(daan, first.path))[0] == 404, "a draft is its author's alone"
        await ilse.post(at, at, text="later", act="keep", file=second.id)
        assert FILE.findall((await ilse.get(at))[1]) == [second.id]
        _, _, page = await ilse.post(at, at, text="", act="send", file=second.id)
        assert FILE.findall(page) == [second.id], "a form that comes back brings its files"
        await here.write(drafts.save_draft, ilse.viewer, thread.thread_id, title="", text="")
        assert not FILE.findall((await ilse.get(at))[1])


@pytest.mark.rule("CONF-05")
async def test_a_posts_file_is_not_found_by_who_may_not_see_the_post(tmp_path: Path) -> None:
    """By its address and by its preview's: without a session, in a group of others, after removal, hiding, deletion. Its twin: a colleague
    opens it as long as it is there, and after it was restored."""
    async with site(tmp_path) as here:
        ilse, daan, nobody = await here.member("ilse", "admin", "member"), await here.member("daan"), here.stranger()
        what, file_id = await posted(here, ilse, name="place.jpg", content=pictures.jpeg())
        paths = (f"/files/{file_id}", f"/files/{file_id}/preview")

        async def seen(visitor: Visitor) -> list[int]:
            return [(await opened(visitor, path))[0] for path in paths]

        assert await seen(daan) == [200, 200]
        assert await seen(nobody) == [404, 404]
        assert [(await opened(daan, path))[1]["Cache-Control"] for path in paths] == ["no-store", "no-store"]
        other = await here.member("mila", "moderator", "member")
        await here.write(acting.remove, other.viewer, what.post_id, reason="names somebody")
        assert await seen(daan) == await seen(ilse) == [404, 404]
        assert f"/files/{file_id}" not in (await daan.get(f"/threads/{what.thread_id}"))[1]
        await here.write(acting.restore, other.viewer, what.post_id, reason="it does not")
        assert await seen(daan) == [200, 200]
        await here.write(service.delete, ilse.viewer, what.post_id)
        assert await seen(daan) == [404, 404]

        async def swept() -> bool:
            return await seen(ilse) == [404, 404]

        await until("nothing holds it, so it is its author's alone, and soon nobody's", swept)


async def test_what_is_public_is_open_to_anybody_and_still_no_page(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        ilse = await here.member("ilse", "admin", "member")
        _, file_id = await posted(here, ilse, "TLP:CLEAR")
        status, headers, content = await opened(here.stranger(), f"/files/{file_id}")
        assert (status, content) == (200, PDF)
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["Content-Security-Policy"].startswith("sandbox")


async def test_only_ones_own_files_go_into_a_post_and_ten_at_most(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        ilse, daan = await here.member("ilse", "admin", "member"), await here.member("daan")
        thread = await here.thread(ilse, await here.group(ilse, "leads", "TLP:GREEN"))
        theirs = await placed(here, daan.viewer)
        before = await here.kernel.database.read(attaching.of_post, thread.post_id)
        for ids, error in (([theirs.id], NotFound), ([new_id()], NotFound), (["../x"], NotFound), ([new_id() for _ in range(11)], Refused)):
            with pytest.raises(error):
                await here.write(service.post_reply, ilse.viewer, thread.thread_id, text="x", files=ids)
        at = f"/threads/{thread.thread_id}"
        _, page = await ilse.get(f"{at}?file={theirs.id}&file=<script>")
        assert not FILE.findall(page)
        assert "<script>" not in page.replace('<script src="/static/', "")
        assert await here.kernel.database.read(attaching.of_post, thread.post_id) == before
        made = await here.write(service.post_reply, daan.viewer, thread.thread_id, text="x", files=[theirs.id, theirs.id])
        assert [one.id for one in await here.kernel.database.read(attaching.of_post, made.post_id)] == [theirs.id]


async def test_an_author_takes_a_file_away_and_it_is_away_for_everybody(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        ilse, daan = await here.member("ilse", "admin", "member"), await here.member("daan")
        what, file_id = await posted(here, ilse)
        at = f"/posts/{what.post_id}/edit"
        assert f'name="without" value="{file_id}"' in (await ilse.get(at))[1]
        status, _, text = await ilse.post(at, at, text="Look at this", without=file_id)
        assert status == 303, text
        assert (await opened(daan, f"/files/{file_id}"))[0] == 404
        page = (await daan.get(f"/threads/{what.thread_id}"))[1]
        assert f"/files/{file_id}" not in page
        assert "edited" in page


@pytest.mark.rule("FILE-03")
@pytest.mark.parametrize(("name", "content"), [("a.jpg", pictures.jpeg()), ("a.png", pictures.png()), ("a.webp", pictures.webp())])
async def test_an_uploaded_picture_says_no_more_where_it_was_taken_and_by_whom(tmp_path: Path, name: str, content: bytes) -> None:
    async with site(tmp_path) as here:
        ilse = await here.member("ilse", "admin", "member")
        _, file_id = await posted(here, ilse, name=name, content=content)
        for path in (f"/files/{file_id}", f"/files/{file_id}/preview"):
            status, _, served = await opened(ilse, path)
            assert status == 200
            assert not any(trace.encode() in served for trace in (pictures.AUTHOR, pictures.PLACE, "Exif", "xmpmeta"))
            assert Image.open(io.BytesIO(served)).size == (60, 40)
        left = b"".join(path.read_bytes() for path in here.place.rglob("*") if path.is_file())
        assert pictures.PLACE.encode() not in left, "nothing of it is left on the disk"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.gif", b"GIF89a/*<html><script>alert(1)</script>*/=1;", decoding.BROKEN),
        ("a.jpg", pictures.jpeg(width=2000, height=1500)[:9000], decoding.BROKEN),
        ("a.png", pictures.bomb(), decoding.LARGE),
    ],
)
async def test_a_picture_that_is_none_is_refused_and_leaves_nothing(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    async with site(tmp_path) as here:
        ilse = Sender(await here.member("ilse"))
        status, begun = await ilse.begin(name, len(content))
        assert status == 201
        status, _, told = await ilse.part(begun["id"], 0, content)
        assert (status, told["error"]) == (422, words)
        assert [path for path in here.place.rglob("??/*") if path.is_file()] == []
        assert await ilse.upload() != ""
