"""Shows that no form takes a file and no page searches yet: what would abuse either finds nothing, and whoever adds one meets this test."""

import io
import re
import struct
import zipfile
import zlib
from urllib.parse import quote

import pytest

from fedcollab.base.clock import new_id
from tests.raw import CLOSE, ask, request, statuses

from .conftest import House


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pixel_flood() -> bytes:
    """A PNG of some kB that says to be 50,000 pixels wide and high."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000)) + chunk(b"IEND", b"")


def archive_bomb(name: str) -> bytes:
    """Zeros by the ten million, packed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}/{name}", b"\0" * 10_000_000)
    return made.getvalue()


FILES = {
    "a.png": (b"image/png", pixel_flood()),
    "a.webp": (b"image/webp", b"RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff"),
    "a.gif": (b"image/gif", b"GIF89a\x50\xc3\x50\xc3\x80\0\0" + b"\x2c\0\0\0\0\x50\xc3\x50\xc3\0\x02\0" * 50_000),
    "42.zip": (b"application/zip", archive_bomb("a.csv")),
    "a.docx": (b"application/vnd.openxmlformats-officedocument.wordprocessingml.document", archive_bomb("word/document.xml")),
}
SEARCHES = [
    '"',
    '""',
    "NEAR(",
    "NEAR(a b, 99999999)",
    "*",
    "a*" * 500,
    "%",
    "_" * 1000,
    "^a",
    "-a",
    "a AND",
    "AND OR NOT",
    " OR ".join(["a"] * 1200),
    '"a" ' * 1500,
    "(" * 2000,
    "title:x",
    "'; DROP TABLE post; --",
    "\\",
    "a\0b",
    "\u202e",
    "\U0001f469" * 500,
    "a:" * 1000,
    "{a b}: c",
]


TAKE_FILES = ("/files", "/library/import")


@pytest.mark.rule("DOS-19", "DOS-20")
async def test_every_form_but_those_for_files_refuses_one_unopened(house: House) -> None:
    cookie = f"Cookie: {'; '.join(f'{k}={v}' for k, v in house.admin.cookies.items())}".encode()
    token = await house.admin.token("/settings")
    paths = sorted(
        {r.resource.canonical for r in house.site.runner.app.router.routes() if r.method in ("POST", "PUT", "PATCH") and r.resource}
    )
    assert len(paths) > 15
    for name, (kind, content) in FILES.items():
        head = f'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n--x\r\nContent-Disposition: form-data; name="file"; '
        body = head.encode() + f'filename="{name}"\r\nContent-Type: {kind.decode()}\r\n\r\n'.encode() + content + b"\r\n--x--\r\n"
        for pattern in paths:
            path = re.sub(r"\{\w+\}", lambda _: new_id(), pattern)
            for sent, of in ((body, b"multipart/form-data; boundary=x"), (content, kind)):
                answer = await ask(house.site, request(house.site, "POST", path, cookie, b"Content-Type: " + of, CLOSE, body=sent))
                refused = (400, 401, 403, 404, 405, 410, 413, 415, *([422] if pattern in TAKE_FILES else []))
                assert statuses(answer)[0] in refused or (pattern in TAKE_FILES and statuses(answer)[0] == 303), (path, name, answer[:100])
    assert (await house.admin.post("/settings", at="/settings", name="Ilse", summary="", language="", time_zone=""))[0] == 303


@pytest.mark.rule("DOS-22")
@pytest.mark.timeout(300)
async def test_what_would_abuse_a_search_is_answered_by_every_page_as_anything_else_is(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)
    there = {"groups": group, "threads": posted.thread_id, "posts": posted.post_id}
    for resource in house.site.runner.app.router.resources():
        path = re.sub(r"\{\w+\}", lambda _, p=resource.canonical: there.get(p.split("/")[1], "fr"), resource.canonical)
        if any(route.method == "GET" for route in resource) and not path.startswith("/static"):
            usual = (await house.admin.ask("GET", path))[2].lower().count("sqlite")  # the admins' page of the node names it
            for words in SEARCHES:
                query = "&".join(f"{name}={quoted(words)}" for name in ("q", "query", "search", "text", "words"))[:7500]
                status, _, page = await house.admin.ask("GET", f"{path}?{query}")
                told = (422,) if path == "/search" else ()  # what to ask otherwise
                assert status in (200, 303, 400, 401, 404, 410, *told), (path, words[:40], status)
                assert page.lower().count("sqlite") <= usual, "what the database says is no reader's"


def quoted(words: str) -> str:
    return quote(words[:1400], safe="")
