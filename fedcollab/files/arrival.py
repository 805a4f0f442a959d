"""Decides what becomes of bytes that have come in whole, from a member or a partner, before anybody can open them."""

from dataclasses import dataclass
from pathlib import Path

from . import kinds, scanning
from .kinds import Kind
from .shelves import Shelves


@dataclass(frozen=True)
class Whole:
    """Bytes that are whole, on this machine's disk, and not yet in a store."""

    path: Path
    name: str
    size: int
    sha256: str


async def look(shelves: Shelves, whole: Whole) -> Kind:
    """What it is, by its content, and that the scanner has nothing against it. Raises Refused, Malware, Unavailable."""
    kind = await shelves.disk.do(_kind, whole)
    await scanning.check(shelves.scanner, whole.path, shelves.disk)
    return kind


def _kind(whole: Whole) -> Kind:
    with whole.path.open("rb") as file:
        head = file.read(kinds.HEAD)
        file.seek(0)
        return kinds.detect(head, file, whole.name)
