"""Decides how a form with one small file is read: in memory, within bounds of size, parts and time, and nothing of it on the disk."""

import asyncio
from dataclasses import dataclass

from aiohttp import BodyPartReader, web
from multidict import MultiDict, MultiDictProxy

from .errors import BadRequest, FedcollabError, TooLarge

FIELDS, FIELD_BYTES, SECONDS = 30, 600_000, 60.0
MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class SmallFile:
    """A file of a form: the name that it had, and its bytes; both empty where none was chosen."""

    name: str = ""
    data: bytes = b""


async def read_fields_with_file(request: web.Request, field: str, most: int) -> "tuple[MultiDictProxy[str], SmallFile]":
    """The fields of a form in UTF-8, not yet checked (see `web.read_fields`), and the file in one of them, whose bytes are passed over
    where `most` is 0. The handler has to take a stream. Raises TooLarge (the rest is not read), BadRequest."""
    if request.content_type != MULTIPART:
        raise BadRequest(reason="a form with a file has to be sent in parts")
    if (request.content_length or 0) > most + FIELD_BYTES:
        raise TooLarge()
    fields, file = MultiDict[str](), SmallFile()
    try:
        async with asyncio.timeout(SECONDS):
            reader = await request.multipart()
            for _ in range(FIELDS + 1):
                part = await reader.next()
                if part is None:
                    break
                if not isinstance(part, BodyPartReader) or part.name is None:
                    raise BadRequest(reason="a part of a form that is none")
                if part.name == field and part.filename is not None:
                    file = SmallFile(part.filename, await _bytes(part, most) if most else b"")
                else:
                    fields.add(part.name, (await _bytes(part, FIELD_BYTES)).decode().replace("\0", ""))
            else:
                raise BadRequest(reason="a form of too many fields")
    except TimeoutError:
        late = BadRequest(reason="a form that came too slowly")
        late.status = 408
        raise late from None
    except FedcollabError:
        raise
    except (ValueError, LookupError, RuntimeError, web.HTTPException) as error:  # headers, boundaries or letters that can't be read
        raise BadRequest(reason=f"a form that can't be read: {type(error).__name__}") from None
    return MultiDictProxy(fields), file


async def _bytes(part: BodyPartReader, most: int) -> bytes:
    """All of a part as it was sent. Raises TooLarge."""
    found = bytearray()
    while chunk := await part.read_chunk():
        found += chunk
        if len(found) > most:
            raise TooLarge()
    return bytes(found)
