"""Files as tests send them, made here byte by byte: one of each kind that is taken, and many that are not."""

import io
import zipfile
from collections.abc import Mapping

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>endobj\n"
    b"4 0 obj<</Length 27>>stream\n0 0 1 rg 50 50 400 700 re f\nendstream endobj\ntrailer<</Root 1 0 R/Size 5>>\n%%EOF\n"
)
OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES = '<?xml version="1.0"?><Types><Override PartName="/%s" ContentType="%s.main+xml"/></Types>'
MAIN = {
    "docx": ("word/document.xml", "wordprocessingml.document"),
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet"),
    "pptx": ("ppt/presentation.xml", "presentationml.presentation"),
}
OPEN = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}
FRAME = b"\xff\xfb\x90\x00" + b"\0" * 413  # 128 kbit/s at 44.1 kHz


def packed(parts: Mapping[str, bytes | str], *, store: tuple[str, ...] = ("mimetype",)) -> bytes:
    """A packed file of these parts, in their order."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name in store else zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def office(kind: str, more: Mapping[str, bytes | str] | None = None, types: str = "") -> bytes:
    """A document of an office program, with further parts."""
    part, name = MAIN[kind]
    parts = {"[Content_Types].xml": types or TYPES % (part, OFFICE + name), part: "<w:document/>"}
    return packed(parts | dict(more or {}))


def opened(kind: str, more: Mapping[str, bytes | str] | None = None) -> bytes:
    """An OpenDocument, with further parts."""
    return packed({"mimetype": f"application/vnd.oasis.opendocument.{OPEN[kind]}", "content.xml": "<office:document/>"} | dict(more or {}))


TAKEN = {
    "pdf": PDF,
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "gif": b"GIF89a\x01\0\x01\0",
    "webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "docx": office("docx"),
    "xlsx": office("xlsx"),
    "pptx": office("pptx"),
    "odt": opened("odt"),
    "ods": opened("ods"),
    "odp": opened("odp"),
    "epub": packed({"mimetype": "application/epub+zip", "META-INF/container.xml": "<container/>"}),
    "text": "Ein Text für Menschen, ภาษาไทย.\n".encode(),
    "csv": b"a,b\r\n1,2\r\n",
    "markdown": b"# A heading\n\ntext\n",
    "mp3": b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 10 + FRAME * 2,
    "m4a": b"\0\0\0\x20ftypM4A \0\0\0\0isom",
    "mp4": b"\0\0\0\x20ftypisom\0\0\2\0isom",
    "ogg": b"OggS\0\2" + b"\0" * 20 + b"\x01\x13OpusHead\1",
    "webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm",
}
