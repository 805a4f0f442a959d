"""Files of a case on their pages: shared by a form, opened by those on the case, whatever is odd in name, type or range; refused ones."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.errors import StorageFull
from fedcollab.features.cases import filing, grounds, needs
from fedcollab.features.cases.desk import NoLonger
from fedcollab.features.cases.people import Person
from fedcollab.files import sweeping
from fedcollab.files.holding import HOLDS
from fedcollab.sealing import holding, room_content, unlocked, working
from tests.features.cases.desks import Office, office
from tests.features.cases.filed import PDF, rows, send, shelves, take
from tests.files.pictures import jpeg

TEXT = ("The house behind the mill, CANARY-77.\n" * 9000).encode()  # 340 kB
PAGE = b"<html><script>alert(1)</script></html>"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path, scanner="/nowhere/clamd.socket") as made:  # whom nobody may ask
        yield made


def on_disk(at: Office) -> list[Path]:
    files = at.site.kernel.node.files
    return [path for place in (files.uploads, files.arriving, files.cache) for path in place.rglob("*") if path.is_file()]


async def test_a_file_is_shared_by_a_plain_form_and_opened_by_those_on_the_case_alone(at: Office) -> None:
    case = await at.case("noor")
    assert (await send(at["noor"], case, TEXT, about="What she wrote down"))[:2] == (303, f"/cases/{case}/files")
    [(file_id, state, _)] = await rows(at)
    assert state == "here"
    page = (await at["noor"].get(f"/cases/{case}/files"))[1]
    assert ("notes.txt" in page, "What she wrote down" in page) == (True, True)
    status, headers, body = await take(at["noor"], f"/cases/{case}/files/{file_id}")
    assert (status, body) == (200, TEXT)
    assert headers["Content-Disposition"].startswith('attachment; filename="notes.txt"')
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert all(b"CANARY" not in path.read_bytes() for path in on_disk(at))
    other = await at.case("daan")
    for name, path in (("daan", case), ("mila", case), ("noor", other), ("daan", other)):
        assert (await take(at[name], f"/cases/{path}/files/{file_id}"))[0] == 404
    assert (await take(at.site.stranger(), f"/cases/{case}/files/{file_id}"))[0] in (303, 401)
    read = "SELECT count(*) FROM room_entry WHERE action = 'room.file_read'"
    assert await at.sql(read) == [(1,)]


@pytest.mark.rule("FILE-01", "FILE-02", "FILE-05", "FILE-11")
@pytest.mark.parametrize(
    ("name", "content", "called"),
    [
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "a.svg"),
        ("a.html", PAGE, "a.html"),
        ("a.mht", PAGE, "a.mht"),
        ("a.js", b"alert(1)\n", "a.js"),
        ("note.json", b'{"@context": "https://www.w3.org/ns/activitystreams", "type": "Note"}', "note.json"),
        ("a.pdf", PAGE, "a.pdf.bin"),
        ("a.docx", b"MZ" + bytes(900), "a.docx.bin"),
        ("eicar.com", rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", "eicar.com"),
        ("true.pdf", PDF, "true.pdf"),
        ("a.html", PDF, "a.pdf"),
    ],
)
async def test_whatever_a_file_says_to_be_it_is_saved_and_never_shown(at: Office, name: str, content: bytes, called: str) -> None:
    case = await at.case("noor")
    assert (await send(at["noor"], case, content, name, media="image/png"))[0] == 303
    [(file_id, *_)] = await rows(at)
    asked = {"Accept": "application/activity+json"}
    status, headers, body = await take(at["noor"], f"/cases/{case}/files/{file_id}", **asked)
    assert (status, body, headers["Content-Type"]) == (200, content, "application/octet-stream")
    assert headers["Content-Disposition"].startswith(f'attachment; filename="{called}"')
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "No scanner has looked into these files" in (await at["noor"].get(f"/cases/{case}/files"))[1]


@pytest.mark.rule("FILE-04")
@pytest.mark.parametrize(
    ("name", "called"),
    [("../../x.txt", "x.txt"), ("C:\\fakepath\\x.txt", "x.txt"), ("/etc/passwd", "passwd.txt"), ("n" * 300 + ".txt", "n" * 196 + ".txt")],
)
async def test_a_name_is_a_label_and_never_a_place(at: Office, name: str, called: str) -> None:
    case = await at.case("noor")
    assert (await send(at["noor"], case, TEXT, name))[0] == 303
    assert f"<bdi>{called.removesuffix('.txt')[:190]}" in (await at["noor"].get(f"/cases/{case}/files"))[1]
    [path] = on_disk(at)
    assert path.parent.parent == at.site.kernel.node.files.uploads
    assert len(path.name) == 32


@pytest.mark.rule("FILE-12")
@pytest.mark.parametrize("asked", ["bytes=٠-٩", "bytes=0-0," + ",".join(["1-1"] * 1000), "bytes=-1", "bytes=9999999-", "x"])
async def test_an_odd_range_gets_the_whole_file(at: Office, asked: str) -> None:
    case = await at.case("noor")
    await send(at["noor"], case, TEXT)
    [(file_id, *_)] = await rows(at)
    status, _, body = await take(at["noor"], f"/cases/{case}/files/{file_id}", Range=asked)
    assert (status, body) == (200, TEXT)


@pytest.mark.rule("FILE-03")
async def test_a_picture_loses_place_time_and_device_unless_it_is_to_stay_as_it_is(at: Office) -> None:
    case, taken = await at.case("noor"), jpeg()
    assert b"CANARY" in taken
    for how, stays in (("bare", False), ("whole", True)):
        assert (await send(at["noor"], case, taken, "photo.jpg", picture=how))[0] == 303
        file_id = (await rows(at))[-1][0]
        _, _, body = await take(at["noor"], f"/cases/{case}/files/{file_id}")
        assert (body == taken, b"CANARY" in body, body[:2]) == (stays, stays, b"\xff\xd8")
    status, _, page = await send(at["noor"], case, b"\xff\xd8\xff" + bytes(500), "photo.jpg", about="A broken one")
    assert (status, "A broken one" in page, 'id="file-err"' in page) == (422, True, True)
    assert len(await rows(at)) == len(on_disk(at)) == 2
    assert (await send(at["noor"], case, b"\xff\xd8\xff" + bytes(500), "photo.jpg", picture="whole"))[0] == 303


async def test_what_a_form_is_refused_for_stands_beside_what_was_typed_and_leaves_nothing(
    at: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, noor = await at.case("noor"), at["noor"]
    said = {"about": "What she wrote down, twice"}
    before = await at.sql("SELECT count(*) FROM sealed_message")

    async def refused(status: int, content: bytes | None, **more: str) -> None:
        found, _, page = await send(noor, case, content, **(said | more))
        assert (found, said["about"] in page) == (status, True), page

    await refused(422, None)
    await refused(422, b"")
    at_noor = Person(at=at.site.kernel.node.now(), person="zewaro-gasuka", role=next(iter(grounds.ROLES)))
    before = [(before[0][0] + bool(await at.say("noor", case, at_noor)),)]
    await refused(422, TEXT, person="zewaro-gasuka")  # with no part
    await refused(400, TEXT, person="bafuko-tezara", part="health")  # of nobody in the case
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

        def broken(*_: object, **__: object) -> None:
            raise StorageFull

        patched.setattr(room_content, "write", broken)
        await refused(507, TEXT)
    await sweeping.sweep(at.site.kernel, shelves(at), at.site.runner.app[HOLDS])  # type: ignore[union-attr]
    assert (on_disk(at), await rows(at), await at.sql("SELECT count(*) FROM sealed_message")) == ([], [], before)
    assert await at.sql("SELECT 1 FROM sealed_upload") == []
    assert (await send(noor, case, TEXT, **said))[0] == 303


async def test_a_locked_or_signed_out_browser_keeps_what_was_typed(at: Office) -> None:
    case, noor = await at.case("noor"), at["noor"]
    token, stranger = await noor.token(f"/cases/{case}/files"), at.site.stranger()
    status, _, page = await send(stranger, case, TEXT, token=await stranger.token(), about="Words")
    assert (status, "Words" in page, f'action="/login?next=/cases/{case}/files"' in page) == (401, True, True)

    def lock(session: object, node: object) -> None:
        with node.ring.begin() as ring:  # type: ignore[attr-defined]
            unlocked.lock(ring, next(iter(noor.cookies.values())))

    await at.site.write(lock)
    status, _, page = await send(noor, case, TEXT, token=token, about="Words")
    assert (status, "Words" in page, f'action="/unlock?next=/cases/{case}/files"' in page) == (403, True, True)
    assert (await rows(at), on_disk(at)) == ([], [])


async def test_who_was_taken_off_the_case_while_their_file_came_keeps_what_they_typed(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await at.case("noor")
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)

    def taken_off(*args: Any, **more: Any) -> Any:
        raise NoLonger

    token = await at["daan"].token(f"/cases/{case}/files")
    with monkeypatch.context() as patched:
        patched.setattr(filing, "share", taken_off)
        await at.do("noor", working.unassign, case, at["daan"].viewer.person_id)
        patched.setattr(filing, "check_takes", lambda *_: None)
        status, _, page = await send(at["daan"], case, TEXT, token=token, about="What she wrote down")
    assert (status, "What she wrote down" in page, "You are no longer on this case" in page) == (410, True, True)
    assert await rows(at) == []
    assert (await send(at["noor"], case, TEXT))[0] == 303


async def test_a_file_about_somebody_is_seen_by_those_who_need_to_know_that_part(at: Office) -> None:
    case, person = await at.case("noor"), "bafuko-tezara"
    await at.say("noor", case, Person(at=at.site.kernel.node.now(), person=person, role=next(iter(grounds.ROLES))))
    await at.unlocked("noor", holding.assign, case, at["daan"].viewer.person_id)
    await at.do("noor", needs.begin, case, [at["noor"].viewer.person_id])
    assert (await send(at["noor"], case, TEXT, "report.txt", person=person, part="health", about="From the clinic"))[0] == 303
    [(file_id, *_)] = await rows(at)
    path = f"/cases/{case}/files"
    assert "report.txt" in (await at["noor"].get(path))[1]
    page = (await at["daan"].get(path))[1]
    assert ("report.txt" in page, "From the clinic" in page, "need to know" in page) == (False, False, True)
    for where in (f"{path}/{file_id}", f"{path}/{file_id}/mark"):
        assert (await take(at["daan"], where))[0] == 404
    await at.do("noor", needs.give, case, at["daan"].viewer.person_id, ["health"])
    assert (await take(at["daan"], f"{path}/{file_id}"))[2] == TEXT
