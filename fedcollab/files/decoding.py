"""Decides how files are decoded: one at a time, by a process of its own that is killed when it takes too long; never in the node's own."""

import asyncio
import contextlib
import importlib.util
import json
import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fedcollab.base.errors import N_, Refused, Unavailable

PROGRAM = Path(__file__).with_name("decoder.py")
SECONDS = 40.0
PREVIEW_BYTES, PICTURE_BYTES = 1 << 20, 256 << 20  # of what may come out
PIECE, LINE = 1 << 16, 200
WAITING = 20  # how many may wait for their turn
DAMAGED, TOO_LARGE = 3, 4  # how the process ends; anything else is a decoder that broke, or was killed

BROKEN = N_("The picture is damaged or not complete. Open it where it was made, save it anew and add that.")
LARGE = N_("The picture is too large to be read here: make it smaller (fewer pixels, fewer frames) and add that.")
BUSY = N_("Many pictures are being read at this moment. Try again in a minute.")
MISSING = N_("This node can't take pictures: the programs that read them are not installed. Tell your administrator.")
PICTURES = {"image/jpeg": "jpeg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
KINDS = PICTURES | {"application/pdf": "pdf"}

log = logging.getLogger("fedcollab.files")


@dataclass(frozen=True)
class Measures:
    """Of a picture its width and height in pixels; of a PDF its pages."""

    width: int | None = None
    height: int | None = None
    pages: int | None = None


class Decoder:
    """A node's decoding: whoever wants a file decoded waits for their turn."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def clean(self, source: BinaryIO, media_type: str, write: Callable[[bytes], object]) -> Measures:
        """Writes a picture anew without what is written beside its pixels (place, author, device, small copies). `source` is an open
        file. Raises Refused for one that is damaged or too large, Unavailable where too many wait."""
        if not available():
            raise Refused(MISSING)
        source.seek(0)
        code, said = await self._run("clean", PICTURES[media_type], source, write, PICTURE_BYTES)
        if said is None:
            raise Refused(LARGE if code == TOO_LARGE else BROKEN, reason=f"a decoder ended with {code}")
        return Measures(said.width, said.height)

    async def preview(self, source: BinaryIO, media_type: str) -> tuple[bytes, Measures] | None:
        """A small picture (WebP) of a file, and what it measures; None where there is none to be had. Raises Unavailable."""
        if media_type not in KINDS or not available():
            return None
        found = bytearray()
        source.seek(0)
        code, said = await self._run("preview", KINDS[media_type], source, found.extend, PREVIEW_BYTES)
        if said is None:
            log.info("no preview", extra={"code": code})
            return None
        return bytes(found), said

    async def _run(
        self, work: str, kind: str, source: BinaryIO, write: Callable[[bytes], object], most: int
    ) -> tuple[int, Measures | None]:
        if self._waiting >= WAITING:
            raise Unavailable(BUSY, retry_after=60)
        self._waiting += 1
        try:
            async with self._turn:
                return await _decode(work, kind, source, write, most)
        finally:
            self._waiting -= 1


def available() -> bool:
    """Whether the libraries that decode are installed; none of them is loaded."""
    return importlib.util.find_spec("PIL") is not None and importlib.util.find_spec("pypdfium2") is not None


async def _decode(work: str, kind: str, source: BinaryIO, write: Callable[[bytes], object], most: int) -> tuple[int, Measures | None]:
    """How the process ended, and what it has measured: nothing where it did not end well, or has written more than it may."""
    with tempfile.TemporaryDirectory() as empty:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", str(PROGRAM), work, kind),
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=empty,
            env={},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(SECONDS):
                said = await _take(process.stdout, write, most)
                return await process.wait(), said
        except TimeoutError:
            return -1, None
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends a process that has not ended by itself, and reads away what it left in the pipe, which closes it."""
    with contextlib.suppress(ProcessLookupError):
        if process.returncode is None:
            process.kill()
    while process.stdout is not None and await process.stdout.read(PIECE):
        continue
    await process.wait()


async def _take(out: asyncio.StreamReader | None, write: Callable[[bytes], object], most: int) -> Measures | None:
    assert out is not None
    line = await out.readline()
    received = 0
    while piece := await out.read(PIECE):
        received += len(piece)
        if received > most:
            raise TimeoutError  # it would write for ever
        write(piece)
    try:
        said = json.loads(line[:LINE])
        return Measures(**{name: int(value) for name, value in said.items()}) if received else None
    except (ValueError, TypeError, AttributeError):
        return None
