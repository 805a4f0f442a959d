"""Decides where this process has what it needs for files: the stores, what is coming in, and who is being served."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from fedcollab.base.blobs import Arriving, Disk, Folder, Growing, Store
from fedcollab.base.config import Settings
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles

from .decoding import Decoder
from .models import CACHED

SENDERS, SENDERS_EACH = 48, 6  # whose bodies are read side by side, in all and of one person
FETCHES, FETCHES_EACH = 6, 2  # of partners' files, side by side, in all and from one host


@dataclass
class Hand:
    """An upload that this process has open: its bytes, the connection that they come over just now, who else waits."""

    growing: Growing | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: asyncio.Transport | None = None
    used: float = 0.0
    waiting: int = 0  # for their turn


@dataclass
class Turn:
    """The fetches from one host: how many are `under_way` or wait, and the places of those that transfer something."""

    under_way: int = 0
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FETCHES_EACH))


@dataclass
class Shelves:
    """`own` keeps members' files, `cache` partners', `arriving` what is not whole. `hands` are uploads by their ids, `fetching` fetches by
    their files' ids, `turns` those of each host, `failed` until when a partner is not asked again for a file (in microseconds)."""

    own: Store
    cache: Folder
    arriving: Arriving
    disk: Disk
    scanner: str = ""
    hands: dict[str, Hand] = field(default_factory=dict)
    senders: Counter[str] = field(default_factory=Counter)
    fetching: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    turns: dict[str, Turn] = field(default_factory=dict)
    fetches: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FETCHES))
    failed: dict[str, int] = field(default_factory=dict)
    decoder: Decoder = field(default_factory=Decoder)

    def store(self, place: str) -> Store:
        """The store of a place of bytes."""
        return self.cache if place == CACHED else self.own


SHELVES = web.AppKey("shelves", Shelves)


def shelves(settings: Settings, files: NodeFiles) -> Shelves:
    """As the settings say. Raises Misconfigured."""
    disk = Disk()
    arriving = Arriving(files.arriving, disk)
    return Shelves(_own(settings, files, arriving, disk), Folder(files.cache, disk), arriving, disk, settings.scanner)


def _own(settings: Settings, files: NodeFiles, arriving: Arriving, disk: Disk) -> Store:
    if not settings.s3_url:
        return Folder(files.uploads, disk)
    lacking = next((name for name in ("s3_bucket", "s3_key", "s3_secret") if not getattr(settings, name)), "")
    if lacking:
        raise Misconfigured("s3_url is set, but %(name)s is not. Write it into node.toml too, or leave s3_url empty.", name=lacking)
    try:
        from fedcollab.base.blobs_s3 import Bucket
    except ModuleNotFoundError:
        raise Misconfigured('The part for S3 is missing. In the program\'s environment: pip install "fedcollab[s3]"') from None
    return Bucket(settings, arriving)
