"""Decides what a picture or a PDF's first page looks like, in a process of its own that can open nothing, reach nobody and start nothing.

Run by its path with one of `clean KIND` and `preview KIND`, the file as standard input. It imports nothing of the node's. What it makes is
on standard output: a line of JSON (width, height, pages; how long the preview is), the preview, then the picture written anew. It ends
with 3 where the file is damaged, with 4 where it is larger than it may be. Whoever finds a hole in a decoder has a process without files,
network, environment and children, for a few seconds.
"""

import codecs
import ctypes
import io
import json
import mmap
import os
import platform
import stat
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

PIXELS = 64_000_000  # of one picture, and of all frames of a moving one; phones take 50 million
SIDE = 30_000
FRAMES = 300
PAGES = 20_000
PREVIEW = 800  # pixels of a preview's longer side
PROFILE = 4096  # bytes of a colour profile that stays: larger ones are a printer's, and carry more than colours
PICTURE_BYTES, PDF_BYTES = 64 << 20, 256 << 20
MEMORY, CPU_SECONDS = 1 << 30, 20
DAMAGED, TOO_LARGE = 3, 4
FORMATS = {"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP"}
MODES = {
    "JPEG": {"L", "RGB"},
    "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"},
    "GIF": {"1", "L", "P", "RGB", "RGBA"},
    "WEBP": {"RGB", "RGBA"},
}
KEPT = ("transparency", "duration", "loop", "disposal")  # what is the picture's own among what is written beside it
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # orientation by EXIF: Pillow's number of what makes it upright
SAMPLE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 8]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)

DENIED = {  # system calls by machine: files, network, programs, children, other processes (their signals, limits, places, memory, queues)
    "x86_64": (
        0xC000003E,
        *(2, 85, 257, 304, 437, 41, 42, 49, 53, 56, 57, 58, 59, 322, 435, 101, 310, 311, 62, 200, 234, 424, 82, 83, 86, 87, 88, 90, 92),
        *(263, 264, 265, 266, 268, 316, 76, 165, 155, 272, 308, 321, 425, 426, 427, 438, 250),
        *(84, 94, 132, 133, 188, 189, 190, 197, 198, 199, 235, 258, 259, 260, 261, 280, 452),
        *(129, 297, 302, 141, 142, 144, 203, 314, 251, 312, 298, 323, 256, 279, 434, 440, 448, 29, 30, 31, 64, 68, 240, 241),
    ),
    "aarch64": (
        0xC00000B7,
        *(56, 437, 198, 199, 200, 203, 220, 221, 281, 435, 117, 270, 271, 129, 130, 131, 424, 33, 34, 35, 36, 37, 38, 45, 53, 54, 276),
        *(265, 40, 41, 97, 268, 280, 425, 426, 427, 438, 219),
        *(5, 6, 7, 14, 15, 16, 88, 452),
        *(138, 240, 261, 140, 118, 119, 122, 274, 30, 272, 241, 282, 238, 239, 434, 440, 448, 194, 195, 196, 190, 186, 180, 181),
    ),
}


class TooLarge(Exception):
    """More pixels, frames or pages than may be."""


def limit() -> None:
    """Bounds memory, time, files; asks to be the first to end where the machine has no memory left."""
    import resource

    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    try:
        os.write(handle := os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"1000")
        os.close(handle)
    except OSError:
        return


def confine() -> bool:
    """Gives up all but reading and writing what is open. False where the machine has no such thing: then the limits alone hold."""
    denied = DENIED.get(platform.machine())
    if sys.platform != "linux" or denied is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    machine, *calls = denied
    load, equals, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, refuse, end = 0x7FFF0000, 0x00050000 | 1, 0x80000000
    # Of another machine's calls none (some machines have two sets: the numbers of the other lie above); of ours all but those denied.
    program = [(load, 0, 0, 4), (equals, 1, 0, machine), (give, 0, 0, end), (load, 0, 0, 0), (at_least, len(calls) + 1, 0, 0x40000000)]
    program += [(equals, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    program += [(give, 0, 0, allow), (give, 0, 0, refuse)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    no_new_privileges, seccomp, by_filter = 38, 22, 2
    return not libc.prctl(no_new_privileges, 1, 0, 0, 0) and not libc.prctl(seccomp, by_filter, whole, 0, 0)


def ready(kind: str) -> None:
    """Has the libraries load all that they load late, by doing with pictures of their own what will be done with the file."""
    for name in ("latin-1", "ascii", "utf-8", "utf-16", "utf-16-be", "utf-16-le", "utf-8-sig"):
        codecs.lookup(name)
    from PIL import ExifTags, Image, MpoImagePlugin, TiffImagePlugin  # noqa: F401

    beside = Image.Exif()
    beside[ExifTags.Base.Orientation] = 6
    for of, form in FORMATS.items():
        for moves in ({}, {"save_all": True, "append_images": [Image.new("RGB", (9, 8), "red")], "duration": 20}):
            made, options = io.BytesIO(), {} if of == "gif" else {"exif": beside}
            Image.new("RGB", (9, 8)).save(made, form, **options, **({} if of == "jpeg" else moves))
            clean(made, of)
            preview(made, of)
    Image.MAX_IMAGE_PIXELS = PIXELS
    if kind == "pdf":
        first_page(io.BytesIO(SAMPLE))


def open_picture(source: BinaryIO, kind: str) -> Any:
    """A picture of exactly this kind whose pixels are within bounds; nothing of them is read yet."""
    from PIL import Image

    picture = Image.open(source, formats=[FORMATS[kind]])
    width, height = picture.size
    if width * height > PIXELS or max(width, height) > SIDE:
        raise TooLarge
    return picture


def frames(picture: Any) -> Iterator[Any]:
    """The frames of a picture one by one, of all of them together no more pixels than of one that stands still."""
    width, height = picture.size
    for number in range(FRAMES + 1):
        try:
            picture.seek(number)
        except EOFError:
            return
        if number == FRAMES or (number + 1) * width * height > PIXELS:
            raise TooLarge
        picture.load()
        yield picture


def upright(picture: Any) -> Any:
    """A picture as its camera was held."""
    try:
        turn = TURNS.get(picture.getexif().get(0x0112, 1))
    except Exception:  # noqa: BLE001  # what is written beside a picture may be anything; then it stays as it lies
        turn = None
    return picture if turn is None else picture.transpose(turn)


def bare(picture: Any, form: str) -> Any:
    """A picture's pixels alone, in a mode that its form can hold."""
    profile = picture.info.get("icc_profile") or b""
    info = {name: picture.info[name] for name in KEPT if name in picture.info}
    see_through = picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in info
    made = picture.copy()
    if made.mode not in MODES[form]:
        made = made.convert("RGBA" if see_through and "RGBA" in MODES[form] else "RGB")
    made.info = {name: value for name, value in info.items() if name != "transparency" or made.mode not in ("RGBA", "LA")}
    if 0 < len(profile) <= PROFILE and picture.mode not in ("CMYK", "YCCK"):
        made.info["icc_profile"] = profile
    return made


def clean(source: BinaryIO, kind: str) -> tuple[dict[str, int], bytes, bytes]:
    """The same picture without what is written beside its pixels: place, author, device, comments, small copies of itself. What it
    measures, its preview, and itself."""
    form, picture = FORMATS[kind], open_picture(source, kind)
    if kind == "jpeg":
        picture.load()
        pictures = [bare(upright(picture), form)]
    else:
        pictures = [bare(upright(one), form) for one in frames(picture)]
    first, target = pictures[0], io.BytesIO()
    options: dict[str, Any] = {"icc_profile": first.info.get("icc_profile")} | ({"quality": 90} if kind in ("jpeg", "webp") else {})
    if len(pictures) > 1:
        moves = {"duration": [int(one.info.get("duration", 100)) for one in pictures], "loop": int(first.info.get("loop", 0))}
        options |= moves | {"save_all": True, "append_images": pictures[1:]}
    first.save(target, form, **options)
    said = {"width": first.width, "height": first.height}
    del pictures, options
    return said, small(bare(first, "WEBP")), target.getvalue()


def preview(source: BinaryIO, kind: str) -> tuple[dict[str, int], bytes, bytes]:
    """What a file measures, and a small picture of it, in WebP."""
    if kind == "pdf":
        return first_page(source)
    picture = open_picture(source, kind)
    width, height = picture.size
    if kind == "jpeg":
        picture.draft(None, (PREVIEW, PREVIEW))
    if picture.mode in ("L", "RGB", "RGBA", "CMYK"):  # made small before anything is copied
        picture.thumbnail((PREVIEW, PREVIEW))
    made = bare(upright(picture), "WEBP")
    if (width > height) is not (made.width > made.height):
        width, height = height, width
    return {"width": width, "height": height}, small(made), b""


def first_page(source: BinaryIO) -> tuple[dict[str, int], bytes, bytes]:
    """A PDF's first page; nothing that it holds is run, and its fields stay empty."""
    import pypdfium2

    if not isinstance(source, io.BytesIO):
        mapped = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_COPY)  # read in place, as far as the page needs it
        given: Any = (ctypes.c_char * len(mapped)).from_buffer(mapped)
    else:
        given = source.read()
    document = pypdfium2.PdfDocument(given)
    pages = min(len(document), PAGES)
    page = document[0]
    longer = max(*page.get_size(), 1.0)
    drawn = page.render(scale=PREVIEW / longer, may_draw_forms=False).to_pil()
    return {"pages": pages}, small(bare(drawn, "WEBP")), b""


def small(picture: Any) -> bytes:
    """A picture at the size of a preview."""
    picture.thumbnail((PREVIEW, PREVIEW))
    target = io.BytesIO()
    picture.info = {}
    picture.save(target, "WEBP", quality=75, method=4)
    return target.getvalue()


def opened(kind: str) -> BinaryIO:
    """Standard input as something that can be read at any place, within bounds."""
    most = PDF_BYTES if kind == "pdf" else PICTURE_BYTES
    source = os.fdopen(0, "rb", closefd=False)
    if stat.S_ISREG((found := os.fstat(0)).st_mode):
        if found.st_size > most:
            raise TooLarge
        return source
    content = source.read(PICTURE_BYTES + 1)
    if len(content) > PICTURE_BYTES:
        raise TooLarge
    return io.BytesIO(content)


def main(work: str, kind: str) -> int:
    """The work that was asked for; answers how it went."""
    limit()
    ready(kind)
    confine()
    try:
        said, small_one, content = (clean if work == "clean" else preview)(opened(kind), kind)
    except (TooLarge, MemoryError):
        return TOO_LARGE
    except Exception as error:  # noqa: BLE001  # whatever a decoder makes of a broken file: it is broken
        return TOO_LARGE if type(error).__name__.startswith("DecompressionBomb") else DAMAGED
    with os.fdopen(1, "wb", closefd=False) as out:
        out.write(json.dumps(said | {"preview": len(small_one)}).encode() + b"\n")
        out.write(small_one)
        out.write(content)
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1], sys.argv[2])
    os._exit(code)  # nothing of a decoder's own is run at the end
