"""Shows that requests which are broken below any form or document are bad requests, and that the log does not say whose they were."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from fedcollab.base.logs import set_up
from tests.web import Site, site

FORM = b"Content-Type: application/x-www-form-urlencoded"
PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
BROKEN = {
    "bytes that are no text": (b"Content-Type: multipart/form-data; boundary=x", PART + b"\xff\xfe\r\n--x--\r\n"),
    "no parts": (b"Content-Type: multipart/form-data", b"a"),
    "an alphabet that nobody knows": (FORM + b"; charset=nonsense", b"a=b"),
}


async def raw(here: Site, request: bytes) -> bytes:
    """The first line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
    writer.write(request)
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return line


def post(here: Site, path: str, header: bytes, body: bytes) -> bytes:
    host = here.kernel.node.host.encode()
    return b"POST %s HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), host, header, len(body), body)


async def test_what_cannot_be_read_at_all_is_a_bad_request_and_the_next_is_answered(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for what, (header, body) in BROKEN.items():
            assert b" 400 " in await raw(here, post(here, "/login", header, body)), what
        assert (await here.stranger().get("/login"))[0] == 200


async def test_no_line_of_the_log_names_the_client(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    set_up("debug")
    async with site(tmp_path) as here:
        for request in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: here\r\nBad Header: x\r\n\r\n"):
            assert b" 400 " in await raw(here, request)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    assert len([line for line in lines if line.get("reason", "").startswith("not HTTP: ")]) == 2
    assert not any("127.0.0.1" in str(line) or "GARBAGE" in str(line) or "Bad Header" in str(line) for line in lines)
