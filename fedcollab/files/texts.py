"""Decides what is a text that people read, and says of what is none what to do instead, by name where it is known."""

import codecs
import re

from fedcollab.base.errors import N_, Refused

from .binary import SeekableBinary

PIECE = 1 << 20
UNKNOWN = N_("This kind of file is not taken. Save it as PDF, or as a JPEG or PNG picture, and add that.")
MACHINE = N_("Programs are not taken.")
ARCHIVE = N_("Archives are not taken. Unpack it and add the files one by one.")
OLD_OFFICE = N_("Files of old office programs are not taken. Open it, save it as PDF, DOCX, XLSX or PPTX and add that.")
PHOTO = N_("This kind of picture is not taken. Save it as JPEG or PNG and add that; phones offer it as “most compatible”.")
RECORDING = N_("This kind of recording is not taken. Save sound as MP3 or M4A, films as MP4.")
PAGE = N_("Web pages, drawings (SVG) and XML are not taken, for they can carry programs. Save it as PDF and add that.")
DATA = N_("Files for programs (such as JSON or scripts) are not taken. Save what people are to read as PDF, TXT or CSV.")

ENDINGS = {"txt": "text", "text": "text", "log": "text", "csv": "csv", "tsv": "csv", "md": "markdown", "markdown": "markdown"}
PAGES = re.compile(r"x?html?|[xr]ht|xml|xslt?|svgz?|rdf|rss|atom|mht|mhtml|hta")
SCRIPTS = re.compile(
    r"json[ld]?|jsonld|ndjson|geojson|[cm]?js|jsx|tsx?|css|php[0-9]?|py|sh|bash|bat|cmd|com|ps1|vb[se]?|wsf|eml|ics|vcf|reg|inf|url|desktop|"
    r"lnk|jar|rb|pl|exe|scr|dll|msi|apk|app|dmg"
)
# What begins so is no text for people, though it is one. A page that another program has saved as a message names its parts.
TEXTS = (
    (re.compile(rb"<(?:[!?]|/?(?:html|head|body|svg|script|style|iframe|meta|link|title|rdf|rss|feed|math|xsl)\b)", re.IGNORECASE), PAGE),
    (re.compile(rb"(?:[^\n]{0,400}\n){0,20}content-type:\s*multipart/related", re.IGNORECASE), PAGE),
    (re.compile(rb'\{\s*["}]|\[\s*\{\s*"'), DATA),
    (re.compile(rb"#!"), MACHINE),
    (re.compile(rb"\{\\rtf|%!PS"), OLD_OFFICE),
)
BEGINNINGS = {
    MACHINE: (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"),
    ARCHIVE: (b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"MSCF"),
    OLD_OFFICE: (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
    PHOTO: (b"II*\0", b"II+\0", b"MM\0*", b"MM\0+", b"\0\0\0\x0cJXL ", b"\xff\x0a", b"BM"),
    RECORDING: (b"fLaC", b"#!AMR", b"FLV\x01", b"\x30\x26\xb2\x75", b"\x1a\x45\xdf\xa3", b"OggS"),
}
PHOTO_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b")) + b"\x7f"


def look(head: bytes, reader: SeekableBinary, ending: str) -> str:
    """Which kind of text a file is, by its name's ending among those that are texts: `text`, `csv`, `markdown`.

    Raises Refused for anything that is no text, and for texts that browsers and programs act on."""
    mark = next((known for bom, known in MARKS.items() if head.startswith(bom)), "")
    if not _is_text(reader, mark or "utf-8", older=ending in ENDINGS):
        raise Refused(_binary(head))
    start = (head.decode(mark, "ignore").lstrip("\ufeff").encode() if mark else head).lstrip()
    if found := next((words for pattern, words in TEXTS if pattern.match(start)), ""):
        raise Refused(found)
    if PAGES.fullmatch(ending) or SCRIPTS.fullmatch(ending):
        raise Refused(PAGE if PAGES.fullmatch(ending) else DATA)
    return ENDINGS.get(ending, "text")


def _binary(head: bytes) -> str:
    """What to say of a file that is neither text nor of a kind that is taken."""
    if head[257:262] == b"ustar":
        return ARCHIVE
    if head[4:8] == b"ftyp":
        return PHOTO if head[8:12] in PHOTO_BRANDS else RECORDING
    if head[:4] == b"RIFF":
        return RECORDING
    return next((words for words, beginnings in BEGINNINGS.items() if head.startswith(beginnings)), UNKNOWN)


def _is_text(reader: SeekableBinary, encoding: str, *, older: bool) -> bool:
    """Whether all of it is text in that encoding, without NUL and other marks for machines; `older`: its name says that it is one, so one
    of the many encodings from before UTF-8 will do, which cannot be told from each other."""
    decoder, wide = codecs.getincrementaldecoder(encoding)(), encoding == "utf-16"
    decodes = True
    reader.seek(0)
    while piece := reader.read(PIECE):
        if not wide and piece.translate(None, CONTROLS) != piece:
            return False
        try:
            if decodes and "\0" in decoder.decode(piece):
                return False
        except UnicodeDecodeError:
            decodes = False
        if not decodes and (wide or not older):
            return False
    return not decodes or _ends(decoder) or (older and not wide)


def _ends(decoder: codecs.IncrementalDecoder) -> bool:
    """Whether it does not end within a letter."""
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
