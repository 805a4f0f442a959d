"""Shows that no line of the log tells whose request it was or what it held, whichever package wrote it."""

import asyncio
import json
import logging
import sys

import pytest

from fedcollab.base.logs import Lines, Text
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
    texts = [Text().format(record) for record in caplog.records]
    assert [line for line in texts if "odd" in line]
    for line in lines + texts:
        assert "127.0.0.1" not in line
        assert "a secret" not in line
    assert (await house.admin.get("/groups"))[0] == 200


def failed(words: str) -> logging.LogRecord:
    """A record of something that went wrong, with a line of another hand in its fields."""
    try:
        raise ValueError(words)
    except ValueError:
        record = logging.LogRecord("fedcollab.web", logging.ERROR, "x.py", 1, "failed", None, sys.exc_info())
    record.__dict__ |= {"path": "/posts/{id}", "reason": "first\nerror: second\x1b[31m", "name_of_a_person": "Ilse"}
    return record


@pytest.mark.rule("OPS-01")
def test_text_says_what_json_says_and_leaves_out_the_same() -> None:
    record = failed("what somebody wrote")
    text, line = Text().format(record), json.loads(Lines().format(record))
    assert text.startswith("error: failed (path=/posts/{id}; reason=first\\u000aerror: second\\u001b[31m; error=ValueError; ")
    assert set(line) == {"at", "level", "logger", "message", "path", "reason", "error", "trace"}
    assert all(frame in text for frame in line["trace"])
    for said in (text, json.dumps(line)):
        assert "what somebody wrote" not in said
        assert "Ilse" not in said


def test_an_event_is_one_line_of_text_whatever_it_holds() -> None:
    assert len(Text().format(failed("two\nlines")).splitlines()) == 1
    record = logging.LogRecord("fedcollab.x", logging.INFO, "x.py", 1, "plain", None, None)
    assert Text().format(record) == "info: plain"
