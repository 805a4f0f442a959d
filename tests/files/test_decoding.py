"""Pictures are written anew without what stands beside, by a process that can do nothing else: what breaks a reader breaks that."""

import asyncio
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fedcollab.base.errors import Refused, Unavailable
from fedcollab.files import decoder, decoding
from fedcollab.files.decoding import Decoder, Drawn
from tests.files import pictures
from tests.files.made import PDF

PROGRAM = str(decoding.PROGRAM)


async def cleaned(content: bytes, media_type: str) -> tuple[bytes, Drawn]:
    made = bytearray()

    async def write(piece: bytes) -> None:
        made.extend(piece)

    with tempfile.TemporaryFile() as source:
        source.write(content)
        source.flush()
        drawn = await Decoder().clean(source, media_type, write)
    return bytes(made), drawn


async def previewed(content: bytes, media_type: str) -> tuple[Image.Image, Drawn] | None:
    with tempfile.TemporaryFile() as source:
        source.write(content)
        source.flush()
        drawn = await Decoder().preview(source, media_type)
    return (Image.open(io.BytesIO(drawn.preview)), drawn) if drawn.preview else None


@pytest.mark.rule("FILE-03")
@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (pictures.jpeg(), "image/jpeg"),
        (pictures.png(), "image/png"),
        (pictures.webp(), "image/webp"),
        (pictures.gif(), "image/gif"),
    ],
)
async def test_place_and_author_are_gone_and_the_picture_is_there(content: bytes, media_type: str) -> None:
    assert pictures.AUTHOR.encode() in content
    made, measures = await cleaned(content, media_type)
    for trace in (pictures.AUTHOR, pictures.PLACE, "Exif", "eXIf", "EXIF", "xmpmeta"):
        assert trace.encode() not in made
    picture = Image.open(io.BytesIO(made))
    assert Image.MIME[str(picture.format)] == media_type
    assert picture.size == (measures.width, measures.height)
    assert not picture.getexif()
    assert picture.convert("RGB").getpixel((2, 2)) != (0, 0, 0)


async def test_a_picture_stands_as_its_camera_was_held() -> None:
    made, measures = await cleaned(pictures.jpeg(orientation=6), "image/jpeg")
    assert (measures.width, measures.height) == (40, 60)
    red, blue = (Image.open(io.BytesIO(made)).getpixel((20, y)) for y in (5, 55))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]


async def test_what_hangs_behind_a_picture_goes() -> None:
    """Phones hang films and places behind the end of a picture; attackers pages."""
    made, _ = await cleaned(pictures.jpeg() + b"<script>CANARY</script>", "image/jpeg")
    assert b"CANARY" not in made


async def test_a_moving_picture_still_moves_and_what_is_transparent_stays_so() -> None:
    made, _ = await cleaned(pictures.gif(frames=5), "image/gif")
    assert getattr(Image.open(io.BytesIO(made)), "n_frames", 1) == 5
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    made, _ = await cleaned(pictures.saved(clear, "PNG"), "image/png")
    assert Image.open(io.BytesIO(made)).convert("RGBA").getpixel((1, 1)) == (0, 0, 0, 0)


async def test_a_small_colour_profile_stays_and_a_large_one_goes() -> None:
    for size, stays in ((500, True), (5000, False)):
        content = pictures.saved(pictures.drawn(), "PNG", icc_profile=b"p" * size)
        made, _ = await cleaned(content, "image/png")
        assert ("icc_profile" in Image.open(io.BytesIO(made)).info) is stays


@pytest.mark.parametrize(
    ("content", "media_type", "words"),
    [
        (pictures.bomb(), "image/png", decoding.LARGE),
        (pictures.frames(10_000), "image/gif", decoding.LARGE),
        (pictures.gif(frames=290, side=500), "image/gif", decoding.LARGE),
        (pictures.jpeg(width=2000, height=1500)[:9000], "image/jpeg", decoding.BROKEN),
        (b"GIF89a/*<html><script>alert(1)</script>*/=1;", "image/gif", decoding.BROKEN),
        (b"\x89PNG\r\n\x1a\n", "image/png", decoding.BROKEN),
        (pictures.png(), "image/jpeg", decoding.BROKEN),
    ],
)
async def test_what_is_broken_or_made_to_break_a_reader_is_refused_soon(content: bytes, media_type: str, words: str) -> None:
    began = time.monotonic()
    with pytest.raises(Refused) as caught:
        await cleaned(content, media_type)
    assert caught.value.text == words
    assert time.monotonic() - began < 15
    assert await previewed(content, media_type) is None or words == decoding.LARGE  # the first of many frames is small enough to be shown
    assert (await cleaned(pictures.png(), "image/png"))[1].width == 60


async def test_previews_are_small_whatever_they_are_of() -> None:
    found = await previewed(pictures.jpeg(width=3000, height=1000, orientation=6), "image/jpeg")
    assert found is not None
    picture, measures = found
    assert picture.format == "WEBP"
    assert max(picture.size) == 800
    assert picture.size[1] > picture.size[0]
    assert (measures.width, measures.height) == (1000, 3000)
    assert await previewed(b"words", "text/plain") is None


async def test_a_pdf_shows_its_first_page_and_tells_its_pages() -> None:
    found = await previewed(PDF, "application/pdf")
    assert found is not None
    picture, measures = found
    assert measures.pages == 1
    assert max(picture.size) == 800
    middle = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(middle, tuple)
    assert middle[2] > 200 > 60 > middle[0]


LOOP = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2/Parent 2 0 R>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</A 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 5>>stream\n/A Do\nendstream endobj\n"
    b"5 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</A 5 0 R>>>>/Length 11>>stream\n/A Do /A Do\n"
    b"endstream endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


@pytest.mark.parametrize("content", [PDF[:200], b"%PDF-1.7\n" + os.urandom(5000), LOOP, PDF.replace(b"595 842", b"9e9 9e9"), b"%PDF-1.7"])
async def test_a_broken_pdf_hangs_nothing(content: bytes) -> None:
    began = time.monotonic()
    found = await previewed(content, "application/pdf")
    assert found is None or max(found[0].size) <= 800
    assert time.monotonic() - began < 15
    assert await previewed(PDF, "application/pdf") is not None


def test_memory_has_a_limit() -> None:
    script = "import sys; sys.path.insert(0, sys.argv[1]); import decoder; decoder.limit(); bytearray(decoder.MEMORY)"
    words = [sys.executable, "-I", "-B", "-c", script, str(decoding.PROGRAM.parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert "MemoryError" in done.stderr


TRIES = """
import ctypes, os, resource, socket, sys, threading
sys.path.insert(0, sys.argv[1])
import decoder
libc, us, node = ctypes.CDLL(None, use_errno=True), os.PRIO_PROCESS, os.getppid()
same = os.getpriority(us, node), os.sched_getaffinity(node)
def done(answer):
    if answer < 0:
        raise OSError(ctypes.get_errno(), "")
decoder.limit()
if not decoder.confine():
    sys.exit(9)
tries = [lambda: open("/etc/hostname"), lambda: open("x", "w"), lambda: os.mkdir("/tmp/x"), lambda: os.unlink(sys.argv[2]), socket.socket,
         socket.socketpair, os.fork, lambda: os.execv("/bin/true", ["true"]), lambda: os.kill(os.getppid(), 9),
         lambda: threading.Thread(target=print).start(), lambda: os.rename(sys.argv[2], "/tmp/y"),
         lambda: done(libc.sigqueue(node, 0, ctypes.c_void_p())), lambda: resource.prlimit(node, resource.RLIMIT_NOFILE),
         lambda: os.setpriority(us, node, same[0]), lambda: os.sched_setaffinity(node, same[1]), lambda: os.mkfifo(sys.argv[2] + ".pipe"),
         lambda: os.rmdir(sys.argv[3]), lambda: os.utime(sys.argv[2], (1, 1)), lambda: done(libc.shmget(0, 4096, 0o1600))]
for one in tries:
    try:
        one()
    except (PermissionError, RuntimeError):
        continue
    sys.exit(7)
sys.stdout.write("still speaks")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_the_process_can_open_reach_and_start_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("x")
    empty = tmp_path / "empty"
    empty.mkdir()
    words = [sys.executable, "-I", "-B", "-c", TRIES, str(decoding.PROGRAM.parent), str(kept), str(empty)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, "still speaks"), done.stderr
    assert sorted(tmp_path.iterdir()) == [empty, kept]


async def test_one_that_takes_too_long_is_killed_by_its_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow, start, started = tmp_path / "slow.py", asyncio.create_subprocess_exec, list[int]()
    slow.write_text("import time\ntime.sleep(60)\n")

    async def noted(*words: Any, **how: Any) -> asyncio.subprocess.Process:
        process = await start(*words, **how)
        started.append(process.pid)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    monkeypatch.setattr(decoding, "PROGRAM", slow)
    monkeypatch.setattr(decoding, "SECONDS", 1.0)
    began = time.monotonic()
    assert await previewed(PDF, "application/pdf") is None
    assert time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


async def test_one_that_writes_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("import sys\nprint('{\"preview\": 5}', flush=True)\nwhile True: sys.stdout.write('x' * 65536)\n")
    monkeypatch.setattr(decoding, "PROGRAM", endless)
    assert await asyncio.wait_for(previewed(PDF, "application/pdf"), 20) is None


@pytest.fixture
def many() -> Iterator[io.BufferedRandom]:
    with tempfile.TemporaryFile() as source:
        source.write(pictures.png())
        source.flush()
        yield source


async def test_who_comes_when_many_wait_is_told_to_come_again(many: io.BufferedRandom, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Decoder()
    monkeypatch.setattr(decoding, "WAITING", 3)
    said = await asyncio.gather(*(one.preview(many, "image/png") for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in said) == 3
    assert (await one.preview(many, "image/png")).preview


def test_the_nodes_own_process_never_loads_a_decoder() -> None:
    names = ("app", "serve", "worker", "files.kinds", "files.decoding")
    script = (
        "import importlib.util, sys\n"
        f"for name in {names!r}:\n"
        "    if importlib.util.find_spec('fedcollab.' + name): importlib.import_module('fedcollab.' + name)\n"
        "sys.exit(any(name.split('.')[0] in ('PIL', 'pypdfium2', 'pypdfium2_raw') for name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False, timeout=60).returncode == 0


def test_the_numbers_of_both_halves_agree() -> None:
    assert (decoder.DAMAGED, decoder.TOO_LARGE) == (decoding.DAMAGED, decoding.TOO_LARGE)
    assert decoder.FORMATS.keys() | {"pdf"} == set(decoding.KINDS.values())


def test_what_is_missing_is_said_by_the_name_under_which_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (decoding.missing(), decoding.available()) == ([], True)
    monkeypatch.setattr(decoding.importlib.util, "find_spec", lambda name: None if name == "PIL" else object())
    assert (decoding.missing(), decoding.available()) == (["Pillow"], False)
