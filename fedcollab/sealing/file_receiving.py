"""Decides how one of our people's files comes in: sealed piece by piece as it comes, so that no byte of it is ever on a disk in clear.

What it is, is looked at through the ciphertext. A picture may lose what is written beside its pixels: it is opened into the decoder's pipe
and sealed anew out of it. The scanner is not asked: it would put what it is sent into a file of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from fedcollab.access.viewer import Viewer
from fedcollab.base.blobs import PIECE, Disk, Growing, new_key
from fedcollab.base.crash import reach
from fedcollab.base.errors import N_, Refused, Unavailable
from fedcollab.federation.kernel import Kernel
from fedcollab.files import kinds, quotas, uploading
from fedcollab.files.decoding import PIPED
from fedcollab.files.kinds import Kind
from fedcollab.files.naming import label
from fedcollab.files.pace import Read
from fedcollab.files.shelves import Shelves

from . import carried, sealed_files
from .carried import Carried
from .chunks import FileSecret, Sealer
from .file_reading import OpenedFile

AT_ONCE = 1 << 19  # bytes that are sealed in one go
TOO_LARGE = N_("The picture is too large to lose what its camera wrote beside it. Make it smaller, or choose to send it as it is.")


class Sealing:
    """What comes in: `size` clear bytes of it by now, its ciphertext in `growing`."""

    def __init__(self, growing: Growing, disk: Disk) -> None:
        self.growing, self.disk, self.sealer = growing, disk, Sealer()

    @property
    def size(self) -> int:
        return self.sealer.size

    async def add(self, data: bytes | bytearray) -> None:
        """Seals and writes what comes next. Raises StorageFull."""
        await self.disk.do(self._add, data)

    def _add(self, data: bytes | bytearray) -> None:
        self.growing.write(self.sealer.update(data))

    async def end(self) -> None:
        """Seals and writes the rest; all of it outlives a loss of power when this returns."""
        for piece in self.sealer.finish():
            await self.growing.add(piece)
        await self.growing.safe()


@dataclass
class Incoming:
    """A file that has come in whole and lies on this machine, sealed: what opens it, what it is (None: none of the kinds that are known
    here), what it is called."""

    kernel: Kernel
    shelves: Shelves
    key: str
    growing: Growing
    name: str
    secret: FileSecret = field(repr=False)
    kind: Kind | None = None

    @property
    def media(self) -> str:
        return self.kind.media_type if self.kind else carried.MEDIA

    async def store(self) -> Carried:
        """Puts the ciphertext into the node's store; what stands beside its message. Raises Unavailable, StorageFull."""
        await self.shelves.own.take(self.growing.path, self.key, self.secret.digest.hex())
        reach("sealed.stored")
        return carried.of(self.kernel.node, self.secret, self.key)

    async def bare(self) -> None:
        """Takes away what is written beside a picture's pixels: place, time, device, author. Raises Refused where that can't be done."""
        if self.kind is None or not self.kind.picture:
            return
        if self.secret.size > PIPED:
            raise Refused(TOO_LARGE)
        made = self.shelves.arriving.growing(new_key(), hashed=False)
        try:
            await made.begin()
            sealing = Sealing(made, self.shelves.disk)
            await self.shelves.decoder.clean_piped(self._pieces(), self.kind.media_type, sealing.add)
            await sealing.end()
            made.path.replace(self.growing.path)
            self.secret = sealing.sealer.secret
        finally:
            await made.remove()

    async def _pieces(self) -> AsyncIterator[bytes]:
        """The file in clear, for the decoder's pipe."""
        disk, opened = self.shelves.disk, OpenedFile(self.growing.path, self.secret)
        with opened:
            while piece := await disk.do(opened.read, PIECE):
                yield piece


@asynccontextmanager
async def sealed(kernel: Kernel, shelves: Shelves, viewer: Viewer, read: Read, name: str, announced: int) -> AsyncIterator[Incoming]:
    """Takes in what `read` brings, of which `announced` bytes are expected at most. Unless its message names it before the block ends,
    nothing is left of it. Raises Refused, TooLarge, StorageFull; Cut where it breaks off."""
    key = await kernel.database.write(sealed_files.begin, kernel.node, viewer, announced)
    growing = shelves.arriving.growing(key, hashed=False)
    try:
        await growing.begin()
        sealing = Sealing(growing, shelves.disk)
        await uploading.pour(sealing, read, quotas.limit(kernel.node.settings), kernel.node.room, piece=AT_ONCE)
        if not sealing.size:
            raise Refused(quotas.EMPTY)
        await sealing.end()
        made = Incoming(kernel, shelves, key, growing, label(name), sealing.sealer.secret)
        made.kind = await shelves.disk.do(_kind, made)
        made.name = label(kinds.corrected(made.name, made.kind)) if made.kind else made.name
        yield made
    except BaseException:
        with suppress(Unavailable):  # a disk that is full: the sweeper does it
            await kernel.database.write(sealed_files.forget, kernel.node, [key])
        raise
    finally:
        await growing.remove()


def _kind(made: Incoming) -> Kind | None:
    with OpenedFile(made.growing.path, made.secret) as opened:
        head = opened.read(kinds.HEAD)
        opened.seek(0)
        try:
            return kinds.detect(head, opened, made.name)
        except Refused:
            return None
