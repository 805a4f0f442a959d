"""Decides how a file is looked at for malware: by ClamAV's clamd on this machine, where a setting names one, before anybody opens it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fedcollab.base.blobs import PIECE, Disk
from fedcollab.base.errors import N_, Refused, Unavailable

SECONDS = 120.0  # for one file
MALWARE = N_("The scanner of this node takes this file for malware, so it was not stored. Do not open it; tell your administrator.")
NO_ANSWER = N_("The scanner that looks at files does not answer, so the file was not stored. Try again later; tell your administrator.")


class Malware(Refused):
    """The scanner has found something; what, is for the log."""

    text = MALWARE


async def check(place: str, path: Path, disk: Disk) -> None:
    """Has the scanner at `place` read a file; nothing where there is none. Raises Malware; Unavailable where it gives no verdict, for a
    file that nobody has looked at is not taken."""
    if not place:
        return
    answer = await _asked(place, path, disk)
    if answer.endswith("FOUND"):
        raise Malware(reason="a file that the scanner refuses")
    if not answer.endswith("OK"):
        raise Unavailable(NO_ANSWER, reason="the scanner gave no verdict", retry_after=60)


async def answers(place: str) -> bool:
    """Whether a scanner answers there."""
    try:
        async with asyncio.timeout(5.0), _line(place) as (reader, writer):
            writer.write(b"zPING\0")
            return (await reader.readuntil(b"\0")) == b"PONG\0"
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return False


async def _asked(place: str, path: Path, disk: Disk) -> str:
    """clamd's verdict on what it is sent (INSTREAM): it never opens a file of ours itself."""
    try:
        async with asyncio.timeout(SECONDS), _line(place) as (reader, writer):
            writer.write(b"zINSTREAM\0")
            with path.open("rb") as file:
                while piece := await disk.do(file.read, PIECE):
                    writer.write(len(piece).to_bytes(4) + piece)
                    await writer.drain()
            writer.write(bytes(4))
            return (await reader.readuntil(b"\0")).rstrip(b"\0").decode("utf-8", "replace").strip()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return ""


@asynccontextmanager
async def _line(place: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = place.rpartition(":")
    opening = asyncio.open_unix_connection(place) if place.startswith("/") else asyncio.open_connection(host.strip("[]"), int(port))
    reader, writer = await opening
    try:
        yield reader, writer
    finally:
        writer.close()
