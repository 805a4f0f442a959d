"""Shows that a node that is told to stop does so, whatever its clients are about."""

import asyncio
import time
from pathlib import Path

import pytest

from fedcollab import serve
from tests.web import site

HALF = b"POST /login HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nusername="


async def test_a_client_that_never_finishes_its_request_holds_no_stop_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STOPPING", 0.3)
    async with site(tmp_path) as here:
        _, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rpartition(":")[2]))
        writer.write(HALF)
        await writer.drain()
        assert (await here.stranger().get("/login"))[0] == 200
        began = time.monotonic()
    assert time.monotonic() - began < 5
    writer.close()
