"""Decides how files are decoded: one at a time, by a process of its own that is killed when it takes too long; never in the node's own."""

import asyncio
import contextlib
import importlib.util
import json
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fedcollab.base.errors import N_, Refused, Unavailable

PROGRAM = Path(__file__).with_name("decoder.py")
SECONDS = 40.0
PREVIEW_BYTES, PICTURE_BYTES = 1 << 20, 256 << 20  # of what may come out
PIPED = 64 << 20  # that the process reads of a pipe
PIECE, LINE = 1 << 16, 200
WAITING = 20  # how many may wait for their turn
DAMAGED, TOO_LARGE = 3, 4  # how the process ends; anything else is a decoder that broke, or was killed

BROKEN = N_("The picture is damaged or not complete. Open it where it was made, save it anew and add that.")
LARGE = N_("The picture is too large to be read here: make it smaller (fewer pixels, fewer frames) and add that.")
BUSY = N_("Many pictures are being read at this moment. Try again in a minute.")
LIBRARIES = {"PIL": "Pillow", "pypdfium2": "pypdfium2"}
MISSING = N_("This node can't take pictures: the programs that read them are not installed. Tell your administrator.")
PICTURES = {"image/jpeg": "jpeg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
Write = Callable[[bytes], Awaitable[object]]
Source = BinaryIO | AsyncIterator[bytes]
KINDS = PICTURES | {"application/pdf": "pdf"}

log = logging.getLogger("fedcollab.files")


@dataclass(frozen=True)
class Drawn:
    """A preview (WebP; empty where there is none), and what was measured: of a picture its width and height, of a PDF its pages."""

    preview: bytes = b""
    width: int | None = None
    height: int | None = None
    pages: int | None = None


class Decoder:
    """A node's decoding: whoever wants a file decoded waits for their turn."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def clean(self, source: BinaryIO, media_type: str, write: Write) -> Drawn:
        """Writes a picture anew without what is written beside its pixels (place, author, device, small copies). `source` is an open
        file. Raises Refused for one that is damaged or too large, Unavailable where too many wait."""
        if not available():
            raise Refused(MISSING)
        code, drawn = await self._run("clean", PICTURES[media_type], source, write)
        if drawn is None:
            raise Refused(LARGE if code == TOO_LARGE else BROKEN, reason=f"a decoder ended with {code}")
        return drawn

    async def clean_piped(self, pieces: AsyncIterator[bytes], media_type: str, write: Write) -> None:
        """The same for a picture that lies in no file: its `pieces` go through a pipe. Raises as `clean`."""
        if not available():
            raise Refused(MISSING)
        code, drawn = await self._run("clean", PICTURES[media_type], pieces, write)
        if drawn is None:
            raise Refused(LARGE if code == TOO_LARGE else BROKEN, reason=f"a decoder ended with {code}")

    async def preview(self, source: BinaryIO, media_type: str) -> Drawn:
        """A small picture of a file, where there is one to be had. Raises Unavailable."""
        if media_type not in KINDS or not available():
            return Drawn()
        code, drawn = await self._run("preview", KINDS[media_type], source, _nothing)
        if drawn is None:
            log.info("no preview", extra={"code": code})
        return drawn or Drawn()

    async def _run(self, work: str, kind: str, source: Source, write: Write) -> tuple[int, Drawn | None]:
        if self._waiting >= WAITING:
            raise Unavailable(BUSY, retry_after=60)
        self._waiting += 1
        try:
            async with self._turn:
                if not isinstance(source, AsyncIterator):
                    source.seek(0)
                return await _decode(work, kind, source, write)
        finally:
            self._waiting -= 1


async def _nothing(_piece: bytes) -> None:
    """Where a preview alone is wanted, nothing else comes."""


def missing() -> list[str]:
    """The libraries that decode and are not installed, by the names of their packages; none of them is loaded."""
    return [package for name, package in LIBRARIES.items() if importlib.util.find_spec(name) is None]


def available() -> bool:
    return not missing()


async def _decode(work: str, kind: str, source: Source, write: Write) -> tuple[int, Drawn | None]:
    """How the process ended, and what it has made: nothing where it did not end well, or has written more than it may."""
    with tempfile.TemporaryDirectory() as empty:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", str(PROGRAM), work, kind),
            stdin=asyncio.subprocess.PIPE if isinstance(source, AsyncIterator) else source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=empty,
            env={},
            start_new_session=True,
        )
        feeding = asyncio.create_task(_feed(process.stdin, source)) if isinstance(source, AsyncIterator) else None
        try:
            async with asyncio.timeout(SECONDS):
                drawn = await _take(process.stdout, write)
                code = await process.wait()
                return code, None if code else drawn
        except TimeoutError:
            return -1, None
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            await _end(process)


async def _feed(into: asyncio.StreamWriter | None, pieces: AsyncIterator[bytes]) -> None:
    """Writes what the process reads; of one that stops reading, the rest is left."""
    assert into is not None
    try:
        with contextlib.suppress(ConnectionError):
            async for piece in pieces:
                into.write(piece)
                await into.drain()
    finally:
        into.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends a process that has not ended by itself, and reads away what it left in the pipe, which closes it."""
    with contextlib.suppress(ProcessLookupError):
        if process.returncode is None:
            process.kill()
    while process.stdout is not None and await process.stdout.read(PIECE):
        continue
    await process.wait()


async def _take(out: asyncio.StreamReader | None, write: Write) -> Drawn | None:
    """Reads what the process makes, the picture piece by piece; None where it has ended before. Raises TimeoutError for one that writes
    what it should not: it would go on for ever."""
    assert out is not None
    if not (line := await out.readline()):
        return None
    try:
        said = {name: int(value) for name, value in json.loads(line[:LINE]).items()}
        length = said.pop("preview")
        drawn = Drawn(await out.readexactly(min(length, PREVIEW_BYTES)), **said)
    except (ValueError, TypeError, AttributeError, KeyError, asyncio.IncompleteReadError) as error:
        raise TimeoutError from error
    received = 0
    while piece := await out.read(PIECE):
        received += len(piece)
        if received > PICTURE_BYTES:
            raise TimeoutError
        await write(piece)
    return drawn
