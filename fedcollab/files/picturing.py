"""Decides what is kept of a picture and shown of a file: members' pictures as they are written anew, and beside each file its preview."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fedcollab.base.blobs import new_key
from fedcollab.base.errors import Unavailable

from .arrival import Whole
from .decoding import Drawn
from .kinds import Kind
from .service import preview_of
from .shelves import Shelves


@asynccontextmanager
async def prepared(shelves: Shelves, whole: Whole, kind: Kind) -> AsyncIterator[tuple[Whole, Drawn]]:
    """What is kept of a member's file, as long as the block lasts, and what is shown of it. Raises Refused for a picture that is damaged
    or too large, Unavailable where many wait."""
    if not kind.picture:
        yield whole, await drawn(shelves, whole, kind)
        return
    growing = shelves.arriving.growing(new_key())
    try:
        await growing.begin()
        with await shelves.disk.do(whole.path.open, "rb") as source:
            made = await shelves.decoder.clean(source, kind.media_type, growing.add)
        await growing.safe()
        yield Whole(growing.path, whole.name, growing.size, growing.sha256()), made
    finally:
        await growing.remove()


async def drawn(shelves: Shelves, whole: Whole, kind: Kind) -> Drawn:
    """What is shown of a file that is kept as it is; where many wait, nothing."""
    with suppress(Unavailable), await shelves.disk.do(whole.path.open, "rb") as source:
        return await shelves.decoder.preview(source, kind.media_type)
    return Drawn()


async def store(shelves: Shelves, place: str, key: str, made: Drawn) -> str:
    """Keeps the preview of the file whose bytes lie under `key`; answers its own key, empty where there is none."""
    if not made.preview:
        return ""
    growing = shelves.arriving.growing(new_key())
    try:
        await growing.begin()
        await growing.add(made.preview)
        await growing.safe()
        await shelves.store(place).take(growing.path, preview_of(key), growing.sha256())
    finally:
        await growing.remove()
    return preview_of(key)
