"""Shows that no line of the log tells whose request it was or what it held, whichever package wrote it."""

import asyncio
import json
import logging

import pytest

from fedcollab.serve import Lines
from tests.features.conftest import House, house

__all__ = ["house"]  # the fixture


@pytest.mark.rule("OPS-01")
async def test_garbage_on_the_wire_leaves_no_address_in_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for raw in (
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(house.site.url.rpartition(":")[2]))
        writer.write(raw)
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()
    asyncio.get_running_loop().call_exception_handler({"message": "odd", "future": "held: a secret"})
    lines = [Lines().format(record) for record in caplog.records]
    assert [line for line in lines if "odd" in json.loads(line)["message"]]
    assert "127.0.0.1" not in " ".join(lines)
    assert "a secret" not in " ".join(lines)
    assert (await house.admin.get("/groups"))[0] == 200
