"""A file of 50 MB goes into a case: the system sees the node write none of its bytes in clear, but to whoever opens it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files.pictures import AUTHOR, jpeg
from tests.needs import lacking

from .cased import Cased, posted, prepared, repeated
from .processes import until

CANARY = "the house behind the mill, CANARY-5071"
LINE = (CANARY + "\n").encode()
SIZE = 50_000_000
WRITES = "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice,tee,vmsplice,copy_file_range,process_vm_writev"
CALL = re.compile(r"(\w+)\((\d+)<([^>]*)>?")
BETWEEN = ("pipe:", "UNIX", "socket:")  # between the node and the decoder: in memory
MORE = 20.0  # MiB that the node may hold more


class Traced:
    """A node of which every write is noted: its first 4,096 bytes, and to where."""

    def __init__(self, cased: Cased, log: Path) -> None:
        self.cased, self.log = cased, log
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = ["strace", "-f", "-qq", "-yy", "-s", "4096", "-e", f"trace={WRITES}", "-o", str(self.log)]
        words += [sys.executable, "-m", "fedcollab", "-C", str(self.cased.node.place), "serve"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("ready ")

    @property
    def node(self) -> int:
        assert self.process is not None
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def memory(self, field: str = "VmHWM") -> float:
        """MiB that the node holds at the most since `forget`."""
        lines = Path(f"/proc/{self.node}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024

    def forget(self) -> None:
        Path(f"/proc/{self.node}/clear_refs").write_text("5")

    def stop(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        if self.process.poll() is None:
            os.kill(self.node, signal.SIGTERM)
            self.process.wait(30)
        self.process.stdout.close()

    def clear(self, words: str = CANARY) -> list[str]:
        """The places that something was written to in which these words stand."""
        lines = (line for line in self.log.read_text("latin-1").splitlines() if words in line)
        return [call[3] for line in lines if (call := CALL.search(line))]


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    if shutil.which("strace") is None:
        lacking("strace is missing: apt-get install strace")
    made = Traced(prepared(tmp_path), tmp_path / "writes")
    made.start()
    yield made
    made.stop()


def files_of(place: Path) -> Iterator[Path]:
    yield from (path for path in place.rglob("*") if path.is_file())


@pytest.mark.rule("CONF-16", "P14")
def test_no_byte_of_a_file_is_written_in_clear_but_to_whoever_opens_it(traced: Traced) -> None:
    cased = traced.cased
    assert cased.send(repeated(LINE, 2_000_000), 2_000_000) == 303  # what is loaded once is not this file's
    traced.forget()
    before = traced.memory()
    assert cased.send(repeated(LINE, SIZE), SIZE) == 303
    assert traced.memory() - before < MORE
    assert cased.send(iter([jpeg()]), len(jpeg()), "photo.jpg") == 303
    assert cased.send(repeated(LINE, 300_000), 300_000, "broken.jpg") == 303
    page = cased.browser.ask("GET", cased.files)[2]
    paths = re.findall(rf'href="({cased.files}/[0-9a-f-]+)"', page)
    assert len(paths) == 4
    assert traced.clear() == []
    assert [place for place in traced.clear(AUTHOR) if not place.startswith(BETWEEN)] == []
    assert SIZE in [cased.download(path) for path in paths]
    written = until("it is noted", traced.clear)
    assert [place for place in written if not place.startswith("TCP")] == []
    for path in files_of(cased.node.place):
        assert CANARY.encode() not in path.read_bytes(), path
    # The same words as a file of the library are seen: so this test would see them.
    token = cased.browser.find_token("/settings")
    assert posted(cased.browser, "/files?next=/", {"token": token}, repeated(LINE, 300_000), 300_000, "notes.txt") == 303
    assert any("/uploads/" in place for place in traced.clear())
