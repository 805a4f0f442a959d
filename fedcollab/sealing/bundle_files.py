"""Decides whether the files in a bundle are those that its entries name, and where they go in clear: under numbers of ours alone, into a
folder that was made for them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from fedcollab.base.errors import BadRequest

from . import chunks, texts
from .chunks import FileSecret, Opener
from .reading import members, uri
from .shut import Shut

PIECE = 480 * 1024  # sealed bytes in a line
FILE = "file"  # the kind of an entry that names one


class Files:
    """The files of one bundle: what its proved entries say of them (`named`), and those that are in it and whole ({number: name})."""

    def __init__(self, says: Callable[[str], None], into: Path | None = None) -> None:
        self.named: dict[str, tuple[FileSecret, str]] = {}
        self.whole: dict[int, str] = {}
        self._says, self._into = says, into
        self._now, self._number, self._seen = "", 0, set[str]()
        self._opener: Opener | None = None
        self._out: BinaryIO | None = None

    def name(self, entry: str, content: Mapping[str, Any]) -> None:
        """An entry that is signed by whom it names. Raises BadRequest for a file without what opens it."""
        if content.get("kind") == FILE:
            self.named[entry] = chunks.parse(content.get("secret")), str(content.get("name"))

    def piece(self, value: object) -> None:
        """The next sealed bytes of a file. Raises BadRequest."""
        said = members(value, {"of", "data"})
        of, data = uri(said["of"]), texts.read(said["data"], 1, PIECE)
        if of != self._now:
            self.end()
            self._begin(of)
        if self._opener is not None:
            try:
                clear = self._opener.update(data)
            except Shut:
                self._broken()
            else:
                if self._out is not None:
                    self._out.write(clear)

    def _begin(self, of: str) -> None:
        self._now = of
        if of not in self.named or of in self._seen:
            raise BadRequest(reason="sealing: a file that no entry names, or one for the second time")
        self._seen.add(of)
        self._number += 1
        self._opener = Opener(self.named[of][0])
        self._out = self._path(".part").open("xb") if self._into is not None else None

    def _path(self, more: str = "") -> Path:
        assert self._into is not None
        return self._into / f"{self._number:04d}{more}"

    def _broken(self) -> None:
        self._says(f"the file of the entry {self._now} is not the one that was shared: it was changed or cut short")
        self._close()

    def _close(self, *, whole: bool = False) -> None:
        if self._out is not None:
            self._out.close()
            if whole:
                self._path(".part").rename(self._path())
            else:
                self._path(".part").unlink()
        self._opener = self._out = None

    def end(self) -> None:
        """No more pieces of the file that came last: whether it was whole."""
        if self._opener is None:
            return
        try:
            self._opener.finish()
        except Shut:
            self._broken()
        else:
            self.whole[self._number] = self.named[self._now][1]
            self._close(whole=True)
