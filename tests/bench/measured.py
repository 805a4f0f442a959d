"""Decides how a server process is measured from outside: processor time, memory, first answer; the client is no part of it."""

import contextlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0


@dataclass
class Server:
    """A server process on loopback and one connection to it that stays open."""

    process: "subprocess.Popen[bytes]"
    port: int

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, path: str, cookie: str = "", body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """(status, body) of one request."""
        sent = ({"Cookie": cookie} if cookie else {}) | (headers or {})
        self.connection.request("GET" if body is None else "POST", path, body, sent)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def cpu(self) -> float:
        """Microseconds of processor time, user and system, of all its threads so far."""
        return time.clock_gettime_ns(~self.process.pid << 3 | 2) / 1000  # the number that clock_getcpuclockid(3) gives

    def memory(self) -> float:
        """Resident memory in MiB, shared libraries counted whole."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def wait(self, path: str = "/") -> None:
        """Until it answers 200 for the first time."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask(path)[0] == 200:
                    return
            self.connection.close()
            time.sleep(0.002)
        raise TimeoutError(f"{self.process.args!r} did not answer")


@contextlib.contextmanager
def server(port: int, *words: str) -> Iterator[Server]:
    """Starts `python -m WORDS`, which has to listen on `port`; ends it afterwards. It keeps its bytecode, as an installed node's is kept:
    without, a start is the compiler's for a third."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as process:
        try:
            yield Server(process, port)
        finally:
            process.kill()


def node(place: Path, port: int) -> "contextlib.AbstractContextManager[Server]":
    """The node in `place`, served."""
    return server(port, "fedcollab", "-C", str(place), "serve")


def bare(port: int, *words: str) -> "contextlib.AbstractContextManager[Server]":
    """A floor."""
    return server(port, "tests.bench.bare", str(port), *words)


def alternating(subjects: Sequence[tuple[Server, Callable[[], None]]], blocks: int, times: int) -> list[float]:
    """Processor microseconds a call for each subject: the best of blocks that take turns, for other work on the machine only adds."""
    found: list[list[float]] = [[] for _ in subjects]
    for _ in range(blocks):
        for at, (measured, call) in enumerate(subjects):
            before = measured.cpu()
            for _ in range(times):
                call()
            found[at].append((measured.cpu() - before) / times)
    return [min(each) for each in found]
