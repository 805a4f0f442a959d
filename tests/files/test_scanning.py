"""Malware: with a scanner set, no file comes in that it refuses, or that it has not looked at. The scanner is a stand-in for clamd that
speaks its protocol over a real socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.base import config
from fedcollab.base.errors import Misconfigured
from fedcollab.files import scanning
from fedcollab.files.shelves import SHELVES

from .holder import PDF, Sender, library, rows, stored
from .test_fetching import WORDS, pair

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"  # harmless; scanners know it


class Clamd:
    """What it was given to read, and what it says."""

    def __init__(self) -> None:
        self.read: list[bytes] = []
        self.mood = "well"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            command = await reader.readuntil(b"\0")
            if command == b"zPING\0":
                writer.write(b"PONG\0")
            elif command == b"zINSTREAM\0":
                writer.write(await self._verdict(reader))
            await writer.drain()
        writer.close()

    async def _verdict(self, reader: asyncio.StreamReader) -> bytes:
        found = b""
        while size := int.from_bytes(await reader.readexactly(4)):
            found += await reader.readexactly(size)
            if self.mood == "too large":
                return b"INSTREAM size limit exceeded. ERROR\0"
        self.read.append(found)
        if self.mood == "ends":
            return b""
        return b"stream: Eicar-Signature FOUND\0" if EICAR in found else b"stream: OK\0"


@contextlib.asynccontextmanager
async def clamd(place: Path) -> AsyncIterator[Clamd]:
    made = Clamd()
    server = await asyncio.start_unix_server(made.serve, place)
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.rule("FILE-11")
async def test_what_the_scanner_refuses_is_not_stored_by_either_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "clamd"
    async with clamd(place) as scanner, library(tmp_path, monkeypatch, scanner=str(place)) as (here, _):
        ilse = Sender(await here.member("ilse"))
        status, _, page = await ilse.form("a.txt", EICAR)
        assert (status, "takes this file for malware" in page) == (422, True)
        _, begun = await ilse.begin("a.txt", len(EICAR))
        status, _, told = await ilse.part(begun["id"], 0, EICAR)
        assert (status, "malware" in told["error"]) == (422, True)
        assert scanner.read == [EICAR, EICAR]
        assert stored(here) == []
        assert (await rows(here))["file"] == 0
        large = PDF + b"% " + b"x" * 700_000
        assert (await ilse.ask("GET", f"/files/{await ilse.upload('good.pdf', large)}"))[2] == large
        assert scanner.read[2] == large


@pytest.mark.rule("FILE-11")
async def test_a_partners_malware_is_refused_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "clamd"
    async with clamd(place), pair(tmp_path, monkeypatch, scanner=str(place)) as two:
        file_id = await two.learn("a.txt", EICAR)
        status, _, page = await two.open(file_id)
        assert (status, "malware" in page.decode()) == (502, True)
        assert await two.state(file_id) == ("refused", "malware")
        assert stored(two.here) == []
        assert (await two.open(await two.learn("b.txt", WORDS)))[0] == 200


@pytest.mark.rule("FILE-11")
@pytest.mark.parametrize("mood", ["ends", "too large", "away"])
async def test_without_a_verdict_no_file_is_taken_and_the_upload_can_be_gone_on_with(
    mood: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "clamd"
    async with clamd(place) as scanner, library(tmp_path, monkeypatch, scanner=str(place)) as (here, _):
        ilse = Sender(await here.member("ilse"))
        scanner.mood = mood
        shelves = here.runner.app[SHELVES]
        shelves.scanner = str(tmp_path / "nothing") if mood == "away" else str(place)
        _, begun = await ilse.begin("a.pdf", len(PDF))
        status, headers, told = await ilse.part(begun["id"], 0, PDF)
        assert (status, headers["Retry-After"], "does not answer" in told["error"]) == (503, "60", True)
        assert (await rows(here))["file"] == 0
        scanner.mood, shelves.scanner = "well", str(place)
        assert (await ilse.part(begun["id"], len(PDF), b""))[0] == 201


async def test_whether_a_scanner_is_there_can_be_asked(tmp_path: Path) -> None:
    async with clamd(tmp_path / "clamd"):
        assert await scanning.answers(str(tmp_path / "clamd"))
    assert not await scanning.answers(str(tmp_path / "nothing"))
    assert not await scanning.answers("127.0.0.1:1")


@pytest.mark.parametrize("place", ["192.0.2.1:3310", "clamd.example:3310", "https://127.0.0.1", "relative.sock"])
def test_a_scanner_is_on_this_machine_or_refused(place: str) -> None:
    node = {"name": "Meridian Outreach", "base_url": "https://node.example.org"}
    with pytest.raises(Misconfigured, match="scanner"):
        config.parse(node | {"scanner": place}, {})
    for good in ("/run/clamav/clamd.ctl", "127.0.0.1:3310"):
        assert config.parse(node | {"scanner": good}, {}).scanner == good
