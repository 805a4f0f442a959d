"""Pictures as phones and programs make them, with all that they write beside the pixels, and some that are made to break a reader."""

import io
import struct
import zlib

from PIL import ExifTags, Image, PngImagePlugin

AUTHOR, PLACE = "CANARY-AUTHOR", "CANARY-PLACE"
XMP = f"<x:xmpmeta><dc:creator>{AUTHOR}</dc:creator></x:xmpmeta>".encode()


def beside(orientation: int = 1) -> Image.Exif:
    """Who made it, with what, where, and how the camera was held."""
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = orientation
    made[ExifTags.Base.Artist] = AUTHOR
    place = made.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (48.0, 12.0, 30.0)
    place[ExifTags.GPS.GPSAreaInformation] = PLACE.encode()
    return made


def drawn(width: int = 60, height: int = 40) -> Image.Image:
    """Red on the left, blue on the right."""
    made = Image.new("RGB", (width, height), "blue")
    made.paste("red", (0, 0, width // 2, height))
    return made


def jpeg(orientation: int = 1, width: int = 60, height: int = 40) -> bytes:
    return saved(drawn(width, height), "JPEG", exif=beside(orientation), comment=AUTHOR.encode(), xmp=XMP)


def png() -> bytes:
    said = PngImagePlugin.PngInfo()
    said.add_text("Author", AUTHOR)
    said.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return saved(drawn(), "PNG", exif=beside(), pnginfo=said)


def webp() -> bytes:
    return saved(drawn(), "WEBP", exif=beside(), xmp=XMP)


def gif(frames: int = 3, side: int = 8) -> bytes:
    pictures = [Image.new("L", (side, side), 20 + number % 200) for number in range(frames)]
    return saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=40, comment=AUTHOR.encode())


def frames(number: int) -> bytes:
    """A moving picture of so many frames, each of one pixel."""
    frame = b"\x21\xf9\x04\0\x05\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + frame * number + b"\x3b"


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, form, **options)
    return target.getvalue()


def bomb(side: int = 50_000) -> bytes:
    """A PNG of a few hundred kilobytes whose pixels would fill gigabytes."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * ((side // 8 + 1) * side), 9)
    parts = b"".join(_part(kind, data) for kind, data in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + parts


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
