"""Decides what a packed document (Office, OpenDocument, EPUB) is by the list of what is in it; nothing is unpacked but its own label."""

import struct
import zipfile
import zlib
from typing import IO, cast

from fedcollab.base.errors import N_, Refused

from .binary import SeekableBinary

BEGINNING = b"PK\x03\x04"
ENTRIES = 5_000
LIST_BYTES = 2 << 20
UNPACKED = 1 << 30
RATIO, RATIO_FROM = 150, 16 << 20  # how far it may swell, looked at where it swells to more than this
LABEL = 256 << 10  # bytes of a document's own label that are read
END = struct.Struct("<4sHHHHIIH")
BROKEN = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, RuntimeError),
    *(ValueError, LookupError, OverflowError, OSError, EOFError),
)

DAMAGED = N_("The file is damaged or not complete. Open it once more where it was made, save it anew and add that.")
ARCHIVE = N_("Archives are not taken. Unpack it and add the files one by one.")
SWELLS = N_("The file would unpack to far more than it is. Save it as PDF and add that.")
LOCKED = N_("The file is locked with a password. Take the password away, or save it as PDF, and add that.")
MACROS = N_("Documents with macros are not taken, for they carry programs. Save it without macros (DOCX, XLSX, PPTX) or as PDF.")

OFFICE = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}
LABELS = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/epub+zip": "epub",
}
PROGRAMS = (".exe", ".dll", ".com", ".scr", ".msi", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".wsf", ".hta", ".jar", ".class", ".sh", ".lnk")
PACKED = (".zip", ".7z", ".rar", ".tar", ".gz", ".bz2", ".xz")
MACRO_NAMES = ("vbaproject.bin", "vbadata.xml", ".docm", ".xlsm", ".pptm", ".dotm", ".xltm", ".xlsb")


class _Whole:
    """A reader as zipfile wants it: one that says that it can be read at any place."""

    def __init__(self, reader: SeekableBinary) -> None:
        self.read, self.seek, self.tell = reader.read, reader.seek, reader.tell

    def seekable(self) -> bool:
        return True


def look(reader: SeekableBinary) -> str:
    """The code of the kind of packed document; raises Refused for whatever else is packed, and for what would swell, is locked with a
    password, damaged, or carries programs."""
    size = _check_end(reader)
    try:
        with zipfile.ZipFile(cast(IO[bytes], _Whole(reader))) as archive:
            entries = archive.infolist()
            _check_bounds(entries, size)
            return _kind(archive, entries)
    except BROKEN as error:
        raise Refused(DAMAGED, reason=f"a packed document that can't be read: {type(error).__name__}") from error


def _check_end(reader: SeekableBinary) -> int:
    """The size of the file, whose list must be its very end, and short: then all that is read of it is bounded. Raises Refused."""
    size = reader.seek(0, 2)
    reader.seek(max(0, size - END.size - 20))
    end = reader.read(END.size + 20)
    if len(end) < END.size or end[-END.size :][:4] != b"PK\x05\x06" or end[:4] == b"PK\x06\x07":
        raise Refused(DAMAGED, reason="the list of a packed file is not its end")
    _, disk, first, here, entries, length, offset, comment = END.unpack(end[-END.size :])
    if disk or first or here != entries or comment or length + offset + END.size != size:
        raise Refused(DAMAGED, reason="the list of a packed file is not what its end says")
    if entries > ENTRIES or length > LIST_BYTES:
        raise Refused(SWELLS, reason="the list of a packed file is too long")
    return size


def _check_bounds(entries: list[zipfile.ZipInfo], size: int) -> None:
    """That it swells within bounds, that its parts don't lie over each other, that each name stands once. Raises Refused."""
    whole, stored = sum(one.file_size for one in entries), sum(one.compress_size for one in entries)
    if whole > UNPACKED or (whole > RATIO_FROM and whole > RATIO * max(stored, 1)) or stored > size:
        raise Refused(SWELLS)
    if any(one.flag_bits & 0x2041 for one in entries):
        raise Refused(LOCKED)
    names = {one.filename.lower() for one in entries}
    if len(names) != len(entries) or any(name.startswith("/") or ".." in name.split("/") for name in names):
        raise Refused(DAMAGED, reason="names in a packed file that lead out of it, or stand twice")
    if min((one.header_offset for one in entries), default=0):
        raise Refused(DAMAGED, reason="something stands before the first part of a packed file")
    if any(name.endswith(MACRO_NAMES) for name in names):
        raise Refused(MACROS)
    if any(name.endswith(PROGRAMS) for name in names):
        raise Refused(MACROS, reason="a program in a packed document")


def _kind(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> str:
    names = {one.filename for one in entries}
    if "[Content_Types].xml" in names:
        types = _read(archive, "[Content_Types].xml")
        if b"macroenabled" in types.lower() or b"vbaproject" in types.lower():
            raise Refused(MACROS)
        found = [code for name, code in OFFICE.items() if name in names]
        return found[0] if len(found) == 1 and not _holds_archives(names) else _refuse()
    if entries and entries[0].filename == "mimetype":
        code = LABELS.get(_read(archive, "mimetype").strip(), "")
        if code.startswith("od") and any(name.startswith(("Basic/", "Scripts/")) for name in names):
            raise Refused(MACROS)
        return code if code and not _holds_archives(names) else _refuse()
    return _refuse()


def _holds_archives(names: set[str]) -> bool:
    return any(name.lower().endswith(PACKED) for name in names)


def _refuse() -> str:
    raise Refused(ARCHIVE)


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """The beginning of a part, as far as a label goes. Raises Refused."""
    with archive.open(name) as part:
        found = part.read(LABEL + 1)
    if len(found) > LABEL:
        raise Refused(DAMAGED, reason="the label of a packed document is too long")
    return found
