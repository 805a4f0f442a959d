"""The file of a form ends where its boundary stands, however the bytes are cut on their way."""

import asyncio
from unittest.mock import Mock

import pytest
from aiohttp.streams import StreamReader

from fedcollab.base.errors import BadRequest
from fedcollab.files.lastpart import LastPart, boundary

FILES = (b"", b"x", b"\r\n", b"\r\n--", b"\r\n--bo", b"line\r\n--boun\r\n--bounx\r\n" * 3, bytes(range(256)) * 4)


async def read(body: bytes, step: int) -> bytes:
    """What comes out of a part whose bytes come so many at a time."""
    loop = asyncio.get_running_loop()
    content = StreamReader(Mock(_reading_paused=False), limit=1 << 16, loop=loop)
    part, found = LastPart(content, b"bound"), b""

    async def feed() -> None:
        for at in range(0, len(body), step):
            content.feed_data(body[at : at + step])
            await asyncio.sleep(0)
        content.feed_eof()

    feeding = asyncio.create_task(feed())
    try:
        while piece := await part.read():
            found += piece
    finally:
        await feeding
    return found


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("data", FILES)
async def test_a_file_comes_out_as_it_went_in(data: bytes, step: int) -> None:
    assert await read(data + b"\r\n--bound--\r\n", step) == data
    assert await read(data + b"\r\n--bound\r\nContent-Disposition: form-data\r\n\r\nmore\r\n--bound--\r\n", step) == data


async def test_a_part_with_no_bytes_may_end_with_its_header() -> None:
    assert await read(b"--bound--\r\n", 3) == b""


@pytest.mark.parametrize("step", [1, 1000])
async def test_a_form_that_ends_before_its_boundary_is_cut(step: int) -> None:
    with pytest.raises(ConnectionError):
        await read(b"half of a file\r\n--bou", step)


@pytest.mark.parametrize("said", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71])
def test_a_form_without_a_boundary_is_refused(said: str) -> None:
    with pytest.raises(BadRequest):
        boundary(said)
    assert boundary('multipart/form-data; boundary="----WebKit x"') == b"----WebKit x"
