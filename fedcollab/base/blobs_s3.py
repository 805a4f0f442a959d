"""Decides how the bytes of files lie in an S3 bucket: obstore's one door. It asks the server that the settings name, and no other host
(docs/decisions/0018-files-in-a-bucket.md)."""

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from .blobs import MISSING, PIECE, Arriving, new_key
from .config import Settings
from .errors import N_, Unavailable

PART, PARTS_AT_ONCE = 8 * 1024 * 1024, 2  # bytes of a part; how many are sent side by side, each of which is in memory
AWAY = N_("The server that keeps this node's files does not answer. Try again in a few minutes; tell your administrator if it stays so.")
ELSEWHERE = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
NOWHERE = "http://127.0.0.1:1"  # nobody listens there
RETRY = 60  # seconds


class Bucket:
    """A store in the bucket of the settings; whole files pass through `arriving` where they are needed on this machine."""

    def __init__(self, settings: Settings, arriving: Arriving) -> None:
        self.arriving = arriving
        self.store = _opened(settings)

    async def take(self, path: Path, key: str, sha256: str) -> None:
        """Sends it in parts, hashed once more on the way: what the disk has spoilt meanwhile is not kept."""
        with _answers():
            await obstore.put_async(
                self.store, _place(key), _checked(path, sha256), use_multipart=True, chunk_size=PART, max_concurrency=PARTS_AT_ONCE
            )
        path.unlink()

    async def read(self, key: str, start: int, length: int) -> AsyncGenerator[bytes, None]:
        if not length:
            return
        with _answers():
            found = await obstore.get_async(self.store, _place(key), options={"range": (start, start + length)})
            left = length
            async for piece in found.stream(min_chunk_size=PIECE):
                left -= len(piece)
                yield bytes(piece)
        if left:
            raise Unavailable(MISSING, reason="a file's bytes end too early")

    async def size(self, key: str) -> int | None:
        with _answers():
            try:
                return (await obstore.head_async(self.store, _place(key)))["size"]
            except (NotFoundError, FileNotFoundError):
                return None

    async def remove(self, key: str) -> None:
        with _answers():
            try:
                await obstore.delete_async(self.store, _place(key))
            except (NotFoundError, FileNotFoundError):
                return

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        size = await self.size(key)
        if size is None:
            raise Unavailable(MISSING, reason="a file's bytes are missing")
        copy = self.arriving.growing(new_key())
        try:
            await copy.begin()
            async for piece in self.read(key, 0, size):
                await copy.add(piece)
            yield copy.path
        finally:
            await copy.remove()


def _opened(settings: Settings) -> S3Store:
    """Each field by the settings: what lies in the environment for other programs is not ours, and neither is a proxy."""
    host = urlsplit(settings.s3_url).hostname or ""
    for name in [name for name in os.environ if name in ELSEWHERE or name.startswith("AWS_")]:
        del os.environ[name]
    return S3Store(
        settings.s3_bucket,
        prefix=settings.host.replace(":", "-"),
        endpoint=settings.s3_url,
        region=settings.s3_region,
        access_key_id=settings.s3_key,
        secret_access_key=settings.s3_secret,
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": settings.s3_url.startswith("http://"),
            "connect_timeout": "5s",
            "timeout": "120s",
            "proxy_url": NOWHERE,  # obstore follows redirects: what leads to another host ends there
            "proxy_excludes": host.strip("[]"),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )


def _place(key: str) -> str:
    return f"{key[:2]}/{key}"


def _checked(path: Path, sha256: str) -> Iterator[bytes]:
    """The file in pieces. Raises Unavailable at its end where it is not what had come in."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
            yield piece
    if found.hexdigest() != sha256:
        raise Unavailable(reason="a file has changed on the disk before it was sent on")


@contextmanager
def _answers() -> Iterator[None]:
    """Raises Unavailable, without the server's words, which may name the bucket and its key."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise Unavailable(MISSING, reason="a file's bytes are missing in the bucket") from None
    except (BaseError, OSError) as error:
        raise Unavailable(AWAY, reason=f"the bucket: {type(error).__name__}", retry_after=RETRY) from None
