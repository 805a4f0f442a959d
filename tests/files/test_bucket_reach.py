"""What keeps files in a bucket asks the server of the settings, and nobody whom that one names; with a real one: peers/test_bucket.py."""

import hashlib
from pathlib import Path

import pytest
from aiohttp import web

from fedcollab.base import config
from fedcollab.base.blobs import Arriving, Disk, new_key
from fedcollab.base.blobs_s3 import Bucket
from fedcollab.base.errors import Misconfigured, Unavailable
from fedcollab.base.paths import NodeFiles
from fedcollab.files.shelves import shelves
from tests.nodes import free_port

NODE = {"name": "Meridian Outreach", "base_url": "https://node.example.org"}
WHOLE = {"s3_url": "https://s3.example.org", "s3_bucket": "meridian-files", "s3_key": "key", "s3_secret": "very-secret"}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_where_the_server_leads_elsewhere_nobody_is_asked(status: int, tmp_path: Path) -> None:
    asked: list[str] = []
    server, canary = free_port(), free_port()

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.url.port}")
        if request.url.port == canary:
            return web.Response(text="the inside of another network")
        return web.Response(status=status, headers={"Location": f"http://localhost:{canary}/latest/meta-data"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    for port in (server, canary):
        await web.TCPSite(runner, "127.0.0.1", port).start()
    settings = config.parse(NODE | WHOLE | {"s3_url": f"http://127.0.0.1:{server}"}, {})
    disk, key, path = Disk(), new_key(), tmp_path / "a"
    path.write_bytes(b"x")
    bucket = Bucket(settings, Arriving(tmp_path / "arriving", disk))
    try:
        for work in (bucket.size(key), bucket.remove(key), anext(bucket.read(key, 0, 5)), bucket.take(path, key, sha256(b"x"))):
            with pytest.raises(Unavailable):
                await work
    finally:
        await runner.cleanup()
        disk.close()
    assert asked
    assert {one.rpartition(" ")[2] for one in asked} == {str(server)}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("lacking", ["s3_bucket", "s3_key", "s3_secret"])
def test_what_lacks_for_a_bucket_is_named(lacking: str, tmp_path: Path) -> None:
    settings = config.parse(NODE | {name: value for name, value in WHOLE.items() if name != lacking}, {})
    with pytest.raises(Misconfigured) as found:
        shelves(settings, NodeFiles(tmp_path))
    assert lacking in found.value.in_words()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("s3_url", "http://s3.example.org"),
        ("s3_url", "https://s3.example.org/path"),
        ("s3_url", "ftp://s3.example.org"),
        ("s3_bucket", "../other"),
        ("s3_bucket", "A"),
        ("s3_region", "eu central"),
        ("s3_secret", "with blank"),
    ],
)
def test_odd_settings_of_a_bucket_are_refused(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        config.parse(NODE | WHOLE | {name: value}, {})


def test_secrets_of_a_bucket_are_shown_nowhere() -> None:
    settings = config.parse(NODE | WHOLE, {})
    assert "very-secret" not in repr(settings)
    assert "key=" not in repr(settings).replace("s3_key", "")
