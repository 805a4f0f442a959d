"""Files in a bucket: a node with a real S3 server that checks signatures (s3rver, tests/peers/bucket.cjs)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.files import service, sweeping
from fedcollab.files.holding import HOLDS
from fedcollab.files.shelves import SHELVES
from tests.files.holder import PDF, Sender, library, rows, stored
from tests.nodes import free_port

pytestmark = pytest.mark.peers
TEXT = b"a line of plain text, as people write them\n" * 250_000  # 11 MB: two parts


@dataclass
class Server:
    """The S3 server of a test."""

    port: int
    place: Path
    program: str
    process: Any = None

    @property
    def settings(self) -> dict[str, object]:
        return {"s3_url": f"http://127.0.0.1:{self.port}", "s3_bucket": "meridian-files", "s3_key": "S3RVER", "s3_secret": "S3RVER"}

    def kept(self) -> list[Path]:
        """What lies in the bucket, as the server writes it down."""
        return sorted(path for path in self.place.rglob("*_object") if "uploads" not in str(path.relative_to(self.place)))

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            self.program,
            str(Path(__file__).with_name("bucket.cjs")),
            str(self.port),
            str(self.place),
            "meridian-files",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert await asyncio.wait_for(self.process.stdout.readline(), 30) == b"ready\n"

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


@pytest.fixture
async def server(tmp_path: Path, program: str) -> AsyncIterator[Server]:
    made = Server(free_port(), tmp_path / "bucket", program)
    made.place.mkdir()
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def test_a_file_lies_in_the_bucket_alone_and_is_served_from_there(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library(tmp_path, monkeypatch, **server.settings) as (here, _):
        ilse = Sender(await here.member("ilse"))
        small, large = await ilse.upload(), await ilse.upload("notes.txt", TEXT)
        assert stored(here) == []
        assert len(server.kept()) == 2
        assert (await ilse.ask("GET", f"/files/{small}"))[2] == PDF
        assert (await ilse.ask("GET", f"/files/{large}"))[2] == TEXT
        status, headers, body = await ilse.ask("GET", f"/files/{large}", Range="bytes=9000000-9000009")
        assert (status, body) == (206, TEXT[9_000_000:9_000_010])
        assert headers["Content-Range"] == f"bytes 9000000-9000009/{len(TEXT)}"
        key = server.kept()[0].name
        assert all(word not in key for word in ("guide", "notes", "pdf"))


async def test_bytes_go_from_the_bucket_with_their_file(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch, **server.settings) as (here, holder):
        ilse = Sender(await here.member("ilse"))
        kept, gone = await ilse.upload(), await ilse.upload()
        holder.things[kept] = {"anybody"}
        await here.write(service.let_go, [kept, gone])
        await sweeping.sweep(here.kernel, here.runner.app[SHELVES], here.runner.app[HOLDS])
        assert len(server.kept()) == 1
        assert (await ilse.ask("GET", f"/files/{kept}"))[2] == PDF


async def test_with_a_wrong_secret_nothing_is_kept_and_nobody_reads_why(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with library(tmp_path, monkeypatch, **(server.settings | {"s3_secret": "another"})) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, _, page = await ilse.form("a.pdf", PDF)
        assert (status, "does not answer" in page) == (503, True)
        assert not any(word in page for word in ("meridian-files", "S3RVER", "another"))
        assert (server.kept(), (await rows(here))["file"]) == ([], 0)
        assert stored(here) == []


async def test_a_server_that_is_away_stops_files_and_nothing_else(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async with library(tmp_path, monkeypatch, **server.settings) as (here, _):
        ilse = Sender(await here.member("ilse"))
        file_id = await ilse.upload()
        await server.stop()
        status, headers, page = await ilse.ask("GET", f"/files/{file_id}")
        assert (status, headers["Retry-After"], "does not answer" in page.decode()) == (503, "60", True)
        _, begun = await ilse.begin("b.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF))[0] == 503
        assert (await ilse.ask("GET", "/settings"))[0] == 200
        await server.start()
        assert (await ilse.part(begun["id"], len(PDF), b""))[0] == 201  # what has arrived is not sent again
        assert (await ilse.ask("GET", f"/files/{begun['id']}"))[2] == PDF


async def test_what_the_environment_has_for_other_programs_is_not_used(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("AWS_ENDPOINT_URL", "AWS_PROXY_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "x")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    async with library(tmp_path, monkeypatch, **server.settings) as (here, _):
        ilse = Sender(await here.member("ilse"))
        assert (await ilse.ask("GET", f"/files/{await ilse.upload()}"))[2] == PDF
