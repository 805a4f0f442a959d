"""Shares sealed files between nodes of a test: sent as a browser sends them, fetched as nodes do, opened with the key in the message."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fedcollab.files.shelves import SHELVES, Shelves
from fedcollab.sealing import file_asking, file_receiving, room_content
from fedcollab.sealing.chunks import FileSecret, Opener, parse
from tests.nodes import Here, asked
from tests.sealing.at_work import Desk, Person

CANARY = b"the house behind the mill, canary-1f83"


def shelves(here: Here) -> Shelves:
    return here.runner.app[SHELVES]  # type: ignore[union-attr]


def reading(content: bytes, piece: int = 65_536) -> Callable[[], Awaitable[bytes]]:
    """What a browser's body gives, piece by piece."""
    left = memoryview(content)

    async def read() -> bytes:
        nonlocal left
        found, left = bytes(left[:piece]), left[piece:]
        return found

    return read


async def share(person: Person, room_id: str, content: bytes, name: str = "notes.txt") -> dict[str, Any]:
    """A file goes into a room; what its message says of it."""
    here = person.here
    opened = await person.open(room_id)
    async with file_receiving.sealed(here.kernel, shelves(here), person.viewer, reading(content), name, len(content)) as came:
        one = await came.store()
        said = {"uri": one.uri, "name": came.name, "media": came.media, "secret": came.secret.document()}
        message = await here.write(room_content.write, opened, said, files=[one])
    return said | {"message": message}


async def fetch(desk: Desk) -> int:
    """Asks for files that are due, now."""
    return await asked(file_asking.lanes(desk.here.kernel, shelves(desk.here)))


async def state(here: Here) -> list[Any]:
    return await here.sql("SELECT state, reason FROM sealed_file ORDER BY id")  # type: ignore[no-any-return]


def secret_of(said: dict[str, Any]) -> FileSecret:
    return parse(json.loads(json.dumps(said["secret"])))


async def opened(here: Here, secret: FileSecret) -> bytes:
    """The clear bytes of the only file that lies here."""
    [(key, size)] = await here.sql("SELECT key, size FROM sealed_file WHERE state = 'here'")
    opener = Opener(secret)
    clear = b"".join([opener.update(piece) async for piece in shelves(here).own.read(key, 0, size)])
    opener.finish()
    return clear


def on_disk(here: Here) -> list[Path]:
    """All that lies in the node's folders of files."""
    files = here.kernel.node.files
    return [path for folder in (files.uploads, files.cache, files.arriving) for path in folder.rglob("*") if path.is_file()]
