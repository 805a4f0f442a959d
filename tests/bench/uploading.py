"""Measures what an upload of 1 GB costs: the node's processor time against hashing and writing alone, and the memory that it adds."""

import hashlib
import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fedcollab.demo import free_ports
from fedcollab.files.receiving import COMPLETE, OFFSET, PARTIAL, TOKEN
from tests.journeys.browserless import Browser
from tests.journeys.processes import Process

from .table import Row

SIZE, BLOCK = 1_000_000_000, 1 << 20
PART = 16 * BLOCK  # as the page's script sends it over a good network
TWICE, MORE = 2.0, 20.0  # the most: times the floor, MiB
HEAD = b"%PDF-1.7\n"


def measure(root: Path) -> Iterator[Row]:
    """One request of 1 GB, the same in parts, and by the form without script; the floor before and after, of which the mean counts."""
    place = root / "uploading"
    place.mkdir()
    node, browser = _node(place / "node")
    try:
        yield from _rows(node, browser, place)
    finally:
        node.kill()


def _rows(node: Process, browser: Browser, place: Path) -> Iterator[Row]:
    ways: tuple[tuple[str, Callable[[Browser], None]], ...] = (
        ("in one request", _whole),
        ("in parts of 16 MB", _parts),
        ("by a form", _form),
    )
    for name, send in ways:
        floor, watched = _floor(place / "floor"), Watched(node)
        cpu, memory = watched.during(lambda send=send: send(browser))  # type: ignore[misc]  # of this round
        floor = (floor + _floor(place / "floor")) / 2
        yield Row(f"1 GB uploaded {name}: CPU", cpu, "s", floor, TWICE * floor)
        yield Row(f"1 GB uploaded {name}: memory", memory, "MiB", None, MORE)


def _node(place: Path) -> tuple[Process, Browser]:
    node = Process(place, free_ports(1)[0])
    node.init("Meridian Outreach", [])
    with (place / "node.toml").open("a") as file:
        file.write("upload_quota = 10000\n")
    node.run("user", "add", "ilse", "--role", "member")
    node.serve()
    browser = Browser(node)
    browser.sign_in(node.json("login-link", "ilse")["link"])
    small = 4 * BLOCK  # what is loaded or allotted once is not the upload's
    _whole(browser, small)
    _form(browser, small)
    return node, browser


def _floor(path: Path) -> float:
    """Seconds of processor time for hashing and writing 1 GB, and having it safe."""
    began, block, digest = time.process_time(), bytes(BLOCK), hashlib.sha256()
    with path.open("wb", buffering=0) as file:
        for left in range(SIZE, 0, -BLOCK):
            piece = block[:left]
            digest.update(piece)
            file.write(piece)
        os.fdatasync(file.fileno())
    path.unlink()
    return time.process_time() - began


class Watched:
    """The node's process: its processor time, and the most memory that it held."""

    def __init__(self, node: Process) -> None:
        assert node.running is not None
        self.pid = node.running.pid
        self.most, self.over = 0.0, threading.Event()

    def during(self, work: Callable[[], None]) -> tuple[float, float]:
        """(seconds of its processor time, MiB that it held more than before at the most)."""
        before, cpu = self.memory(), self.cpu()
        looking = threading.Thread(target=self._look)
        looking.start()
        work()
        self.over.set()
        looking.join()
        return self.cpu() - cpu, self.most - before

    def _look(self) -> None:
        while not self.over.wait(0.02):
            self.most = max(self.most, self.memory())

    def memory(self) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def cpu(self) -> float:
        return time.clock_gettime_ns(~self.pid << 3 | 2) / 1e9


def _begin(browser: Browser, size: int) -> str:
    status, place, _ = browser.ask("POST", "/uploads", {"token": browser.token, "name": "film.pdf", "size": str(size)})
    assert status == 201, status
    return place


def _whole(browser: Browser, size: int = 0) -> None:
    size = size or SIZE
    assert _patch(browser, _begin(browser, size), 0, size, size)[0] == 201


def _parts(browser: Browser) -> None:
    place, at, status = _begin(browser, SIZE), 0, 204
    while at < SIZE:
        status, at = _patch(browser, place, at, min(PART, SIZE - at), SIZE)
    assert status == 201


def _patch(browser: Browser, place: str, at: int, length: int, size: int) -> tuple[int, int]:
    """(status, how far the node is) of one request."""
    headers = {TOKEN: browser.token, "Content-Type": PARTIAL, OFFSET: str(at)}
    status, answered = _send(browser, "PATCH", place, headers, HEAD if at == 0 else b"", length, b"")
    assert answered[COMPLETE] == ("?1" if status == 201 else "?0")
    return status, min(size, int(answered[OFFSET]))


def _form(browser: Browser, size: int = 0) -> None:
    size = size or SIZE
    lines = ("--b", 'Content-Disposition: form-data; name="token"', "", browser.token, "--b")
    head = "\r\n".join((*lines, 'Content-Disposition: form-data; name="file"; filename="film.pdf"', "", "")).encode() + HEAD
    end = b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert _send(browser, "POST", "/files?next=/", headers, head, size, end)[0] == 303


def _send(
    browser: Browser, method: str, path: str, headers: dict[str, str], head: bytes, length: int, end: bytes
) -> tuple[int, "http.client.HTTPMessage"]:
    """(status, fields) of a request whose body is `head`, zeros up to `length`, and `end`."""
    connection = http.client.HTTPConnection("127.0.0.1", browser.node.port, timeout=300)
    connection.putrequest(method, path)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    for name, value in {"Cookie": cookies, "Content-Length": str(length + len(end)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert isinstance(connection.sock, socket.socket)
    connection.sock.sendall(head)
    block = bytes(BLOCK)
    for left in range(length - len(head), 0, -BLOCK):
        connection.sock.sendall(block[:left])
    connection.sock.sendall(end)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers
