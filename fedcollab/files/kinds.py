"""Decides what a file is by its bytes alone, from a short list of kinds that are taken; a name only chooses among texts and sounds."""

from dataclasses import dataclass

from fedcollab.base.errors import N_, Refused

from . import packed, sounds, texts
from .binary import SeekableBinary

HEAD = 4096  # bytes that `detect` wants to see at once
EMPTY = N_("The file is empty.")


@dataclass(frozen=True)
class Kind:
    """A kind of file: our short name for it, how it is served, the ending of its name (without the dot), what people call it (a message
    id), and whether it is a picture, which is written anew before it is kept."""

    code: str
    media_type: str
    extension: str
    word: str
    picture: bool = False


OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."
ALL = (
    Kind("pdf", "application/pdf", "pdf", N_("PDF")),
    Kind("png", "image/png", "png", N_("Picture"), picture=True),
    Kind("jpeg", "image/jpeg", "jpg", N_("Picture"), picture=True),
    Kind("gif", "image/gif", "gif", N_("Picture"), picture=True),
    Kind("webp", "image/webp", "webp", N_("Picture"), picture=True),
    Kind("docx", OOXML + "wordprocessingml.document", "docx", N_("Text document")),
    Kind("xlsx", OOXML + "spreadsheetml.sheet", "xlsx", N_("Spreadsheet")),
    Kind("pptx", OOXML + "presentationml.presentation", "pptx", N_("Presentation")),
    Kind("odt", ODF + "text", "odt", N_("Text document")),
    Kind("ods", ODF + "spreadsheet", "ods", N_("Spreadsheet")),
    Kind("odp", ODF + "presentation", "odp", N_("Presentation")),
    Kind("epub", "application/epub+zip", "epub", N_("E-book")),
    Kind("text", "text/plain", "txt", N_("Plain text")),
    Kind("csv", "text/csv", "csv", N_("Table")),
    Kind("markdown", "text/markdown", "md", N_("Plain text")),
    Kind("mp3", "audio/mpeg", "mp3", N_("Sound")),
    Kind("m4a", "audio/mp4", "m4a", N_("Sound")),
    Kind("mp4", "video/mp4", "mp4", N_("Film")),
    Kind("ogg", "audio/ogg", "ogg", N_("Sound")),
    Kind("webm", "video/webm", "webm", N_("Film")),
)
KINDS = {kind.code: kind for kind in ALL}
BY_TYPE = {kind.media_type: kind for kind in ALL}
ENDINGS = {kind.extension for kind in ALL} | texts.ENDINGS.keys() | {"jpeg", "oga", "opus"}
PREVIEWED = frozenset(kind.media_type for kind in ALL if kind.picture or kind.code == "pdf")

BEGINNINGS = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)

__all__ = ["ALL", "BY_TYPE", "HEAD", "KINDS", "PREVIEWED", "Kind", "SeekableBinary", "corrected", "detect", "ending"]


def detect(head: bytes, reader: SeekableBinary, name: str) -> Kind:
    """What a whole file is: `head` its first bytes (HEAD of them, or all there are), `reader` the file, `name` what its sender calls it.

    Reads further where the kind needs it: the list of what is inside for packed documents, all of it for texts. Raises Refused, in words
    that say what to do instead."""
    if not head:
        raise Refused(EMPTY)
    for beginning, code in BEGINNINGS:
        if head.startswith(beginning):
            return KINDS[code]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return KINDS["webp"]
    if head.startswith(packed.BEGINNING):
        return KINDS[packed.look(reader)]
    if found := sounds.look(head, reader, ending(name)):
        return KINDS[found]
    return KINDS[texts.look(head, reader, ending(name))]


def ending(name: str) -> str:
    """The ending of a file's name, in small letters and without its dot; empty where there is none."""
    stem, dot, last = name.rpartition(".")
    return last.strip().lower() if dot and stem else ""


def corrected(name: str, kind: Kind) -> str:
    """A name whose ending is that of the file's kind: `a.html` that is a picture is `a.gif`. The rest of it stays."""
    last = ending(name)
    fits = last == kind.extension or texts.ENDINGS.get(last) == kind.code or (last == "jpeg" and kind.code == "jpeg")
    if fits or (kind.code == "ogg" and last in ("oga", "opus")):
        return name
    stem = name.rpartition(".")[0] if last in ENDINGS or texts.PAGES.fullmatch(last) or texts.SCRIPTS.fullmatch(last) else name
    return f"{stem.strip() or 'file'}.{kind.extension}"
