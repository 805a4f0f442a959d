"""Decides how a sealed file is opened for somebody: piece by piece as it goes out, as an attachment that no browser runs; a changed byte
ends it in its middle, so that nothing cut short looks whole."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from aiohttp import web

from fedcollab.base.errors import Conflict, N_, Unavailable
from fedcollab.base.web import OWN_POLICY
from fedcollab.federation.kernel import KERNEL
from fedcollab.files import kinds
from fedcollab.files.models import SEALED
from fedcollab.files.shelves import SHELVES
from fedcollab.files.views import POLICY, disposition

from . import sealed_files
from .carried import MEDIA
from .chunks import FileSecret, Opener, sealed_size
from .sealed_files import FileRow
from .shut import Shut

CHANGED = N_(
    "This file changed after it was shared: its bytes on this node are not those that were sealed. Nothing of it was opened. The node asks"
    " the other organisations for it; try again in some minutes."
)
OTHER = N_("This file is not the one that its message names, so it is not opened. Tell whoever shared it.")
CLAIMED = frozenset(("pdf", "png", "jpg", "jpeg", "gif", "webp", "docx", "xlsx", "pptx", "odt", "ods", "odp", "epub"))
Still = Callable[[], Awaitable[bool]]
EVERY = 3.0  # seconds between two looks whether somebody may still have it
BEGIN = {"pdf": b"%PDF-", "png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "webp": b"RIFF"}


class Changed(Conflict):
    """What lies here is not what was shared."""

    text = CHANGED


def fits(file: FileRow, secret: FileSecret) -> bool:
    """Whether a file is the one that this opens, by what its message says in clear."""
    return (secret.digest.hex(), sealed_size(secret.size)) == (file.digest, file.size)


async def send(request: web.Request, file: FileRow, secret: FileSecret, name: str, still: Still) -> web.StreamResponse:
    """The file in clear, to whoever may have it, and as long as `still` says that they may and nobody marks it: a slow download outlives
    no session. Raises Changed before anything was sent; later the connection ends."""
    request[OWN_POLICY] = POLICY
    async with aclosing(_opened(request, file, secret)) as pieces:
        try:
            first = await anext(pieces)
        except Shut:
            raise await _told(request, file) from None
        headers = {"Content-Type": MEDIA, "Content-Length": str(secret.size), "Content-Disposition": disposition(called(name, first))}
        response = web.StreamResponse(headers=headers | {"Cache-Control": "no-store", "Accept-Ranges": "none"})
        await response.prepare(request)
        try:
            await response.write(first)
            asked_at = time.monotonic()
            async for piece in pieces:
                if time.monotonic() - asked_at >= EVERY:
                    if not await still() or await request.app[KERNEL].database.read(sealed_files.is_marked, file.id):
                        raise ConnectionError
                    asked_at = time.monotonic()
                await response.write(piece)
            await response.write_eof()
        except (ConnectionError, Unavailable, OSError):
            _cut(request)
        except Shut:
            _cut(request)
            await _told(request, file)
    return response


async def _opened(request: web.Request, file: FileRow, secret: FileSecret) -> AsyncGenerator[bytes, None]:
    """Its clear bytes; the last of them only once the whole has been found to be what was shared. Raises Shut."""
    opener, held = Opener(secret), b""
    async with aclosing(request.app[SHELVES].store(SEALED).read(file.key, 0, file.size)) as sealed:
        async for piece in _pieces(sealed):
            if clear := opener.update(piece):
                if held:
                    yield held
                held = clear
    opener.finish()
    yield held


async def _pieces(sealed: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """What lies here; what is missing is as what has changed."""
    try:
        async for piece in sealed:
            yield piece
    except Unavailable as error:
        if error.retry_after is not None:  # a bucket that does not answer
            raise
        raise Shut from None


def _cut(request: web.Request) -> None:
    if request.transport is not None:  # the length is said already: only an end in the middle tells that something is missing
        request.transport.abort()


async def _told(request: web.Request, file: FileRow) -> Changed:
    kernel = request.app[KERNEL]
    await kernel.database.write(sealed_files.changed, kernel.node, file.id)
    return Changed()


def called(name: str, first: bytes) -> str:
    """The name that it gets: one that promises a kind which its bytes do not begin as promises it no more, whoever gave it."""
    ending = kinds.ending(name)
    promised = BEGIN.get(ending, b"PK\x03\x04") if ending in CLAIMED else b""
    return name if first.startswith(promised) else f"{name}.bin"
