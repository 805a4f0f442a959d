"""Shows that files pass through Caddy and nginx with our examples: large ones, both ways, as they come and with their headers, and that
neither keeps any of them."""

import contextlib
import http.client
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.browserless import Browser
from tests.journeys.processes import CLI, Process, until
from tests.ports import free_ports

from .web_servers import NAME, connect, through_caddy, through_nginx

pytestmark = pytest.mark.timeout(180)
MEGABYTE = 1_000_000
TEXT = b"a line of plain text, as people write them\n" * 280_000  # 12 MB: what nginx takes is 1 MB unless it is told otherwise
SEEN = 5 * MEGABYTE  # of an upload, of which the rest has not been sent
LIMIT = 20  # MB, of the node
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
Server = Callable[[Path, int], AbstractContextManager[int]]


@dataclass
class Named(Process):
    """A node in earnest, known by a name of its own."""

    def init(self, name: str, peers: list[int], database_url: str = "") -> None:
        words = ["init", str(self.place), "--name", name, "--base-url", f"https://{NAME}", "--listen", f"127.0.0.1:{self.port}"]
        subprocess.run([*CLI, *words], check=True, capture_output=True, timeout=60)
        with (self.place / "node.toml").open("a") as settings:
            settings.write(f"file_limit = {LIMIT}\n")


@dataclass
class Through(Browser):
    """A member's browser, at the web server's port."""

    port: int = 0

    def connect(self) -> http.client.HTTPConnection:
        return connect(self.port, 20)

    def sent(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        with contextlib.closing(self.connect()) as line:
            line.request(method, path, body, {"Cookie": self.cookie, "X-Form-Token": self.token} | headers)
            answer = line.getresponse()
            return answer.status, answer.headers, answer.read()

    def form(self, data: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        head = f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{self.token}\r\n--b\r\n'
        head += 'Content-Disposition: form-data; name="file"; filename="Guía.txt"\r\nContent-Type: text/plain\r\n\r\n'
        return self.sent("POST", "/files?next=/settings", head.encode() + data + b"\r\n--b--\r\n", **FORM)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    made = Named(tmp_path_factory.mktemp("named") / "node", free_ports(1)[0])
    made.init("Meridian Outreach", [])
    made.run("user", "add", "omar", "--role", "member")
    made.serve()
    yield made
    made.kill()


@pytest.fixture(
    params=[pytest.param(through_nginx, marks=pytest.mark.nginx), pytest.param(through_caddy, marks=pytest.mark.caddy)],
    ids=["nginx", "caddy"],
)
def omar(node: Named, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Through]:
    server: Server = request.param
    with server(tmp_path, node.port) as port:
        browser = Through(node, port=port)
        until("the web server answers", lambda: _answers(browser), 60)
        browser.sign_in(node.json("login-link", "omar")["link"])
        yield browser


def _answers(browser: Through) -> bool:
    with contextlib.suppress(OSError):
        return browser.ask("GET", "/healthz")[0] == 200
    return False


def spooled(root: Path) -> list[Path]:
    """What nginx keeps of bodies and of answers on its disk."""
    return [path for kind in ("body", "proxy") for path in (root / kind).rglob("*") if path.is_file()]


@pytest.mark.rule("OPS-02")
def test_a_large_file_goes_in_and_out_with_its_headers_whole_or_in_part(omar: Through) -> None:
    status, headers, page = omar.form(TEXT)
    assert status == 303, page
    path = "/files/" + headers["Location"].partition("file=")[2]
    status, headers, came = omar.sent("GET", path)
    assert (status, came == TEXT) == (200, True)
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert (headers["X-Content-Type-Options"], headers["Content-Encoding"]) == ("nosniff", None)
    for said, start, end in (("bytes=0-99", 0, 100), ("bytes=7000000-", 7_000_000, len(TEXT)), ("bytes=-43", len(TEXT) - 43, len(TEXT))):
        status, partly, came = omar.sent("GET", path, Range=said)
        assert (status, partly["Content-Range"]) == (206, f"bytes {start}-{end - 1}/{len(TEXT)}")
        assert came == TEXT[start:end]
        assert partly["Content-Security-Policy"] == headers["Content-Security-Policy"]
    assert omar.sent("GET", path, Range="bytes=99000000-")[0] == 416
    assert omar.sent("GET", path, **{"If-None-Match": headers["ETag"]})[::2] == (304, b"")
    status, headers, _ = omar.sent("HEAD", path)
    assert (status, headers["Content-Length"]) == (200, str(len(TEXT)))


@pytest.mark.rule("OPS-02")
def test_what_is_sent_is_the_nodes_at_once_and_on_no_other_disk(omar: Through, node: Named, tmp_path: Path) -> None:
    fields = f"name=guide.txt&size={len(TEXT)}&token={omar.token}".encode()
    status, _, body = omar.sent("POST", "/uploads", fields, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 201, body
    place = f"/uploads/{json.loads(body)['id']}"
    with contextlib.closing(omar.connect()) as line:
        line.putrequest("PATCH", place)
        said = {"Cookie": omar.cookie, "X-Form-Token": omar.token, "Content-Type": "application/partial-upload", "Upload-Offset": "0"}
        for name, value in {**said, "Content-Length": str(len(TEXT))}.items():
            line.putheader(name, value)
        line.endheaders(TEXT[:SEEN])
        until("the node has what was sent so far", lambda: _grown(node) > SEEN - MEGABYTE)
        assert spooled(tmp_path) == []
        line.send(TEXT[SEEN:])
        answer = line.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 201, told
    with contextlib.closing(omar.connect()) as line:
        line.request("GET", told["path"], headers={"Cookie": omar.cookie})
        answer = line.getresponse()
        came = answer.read(100_000)  # and now whoever reads stops for a while
        assert spooled(tmp_path) == []
        assert came + answer.read() == TEXT


def _grown(node: Named) -> int:
    return sum(path.stat().st_size for path in (node.place / "uploads").rglob("*") if path.is_file())


def test_a_file_that_is_too_large_is_refused_by_the_node_in_its_words(omar: Through) -> None:
    status, _, page = omar.form(TEXT + TEXT)
    assert (status, f"at most {LIMIT} MB" in page.decode()) == (413, True)
    status, headers, _ = omar.form(TEXT[:2_000_000])
    assert (status, "file=" in headers["Location"]) == (303, True)
