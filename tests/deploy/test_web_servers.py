"""Shows that the examples for Caddy and nginx are read by them, and that what comes through arrives at a node as its partners signed it."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy._node import caddy
from deploy._node.answers import Answers
from tests.ports import free_ports

from .web_servers import NAME, NGINX, connect, through_caddy, through_nginx

PATH = "/actor/inbox?a=%2F%20b&c=d//e"


@dataclass
class Behind:
    """What stands where the node would: notes what arrives."""

    port: int
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def behind() -> Iterator[Behind]:
    found = Behind(free_ports(1)[0])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            found.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", found.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def post(port: int, body: bytes, sent: dict[str, str]) -> int:
    """A request as a partner's."""
    with contextlib.closing(connect(port)) as asking:
        asking.request("POST", PATH, body, sent)
        return asking.getresponse().status


SIGNED = {
    "Signature-Input": 'sig1=("@method" "@target-uri" "content-digest");created=1',
    "Signature": "sig1=:YWJj:",
    "Content-Digest": "sha-256=:YWJj:",
    "Date": "Thu, 26 Nov 2026 10:00:00 GMT",
    "Content-Type": "application/activity+json",
    "X-Forwarded-For": "198.51.100.1",
}


def arrives(port: int, behind: Behind) -> None:
    """What a partner signs comes through as it was, and who came is the web server's to say."""
    body = b'{"a": "\\u00e9"}\n' * 100
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError):
            if post(port, body, SIGNED) == 202:
                break
        assert time.monotonic() < until
        time.sleep(0.1)
    path, headers, came = behind.came[-1]
    assert (path, headers["host"], came) == (PATH, NAME, body)
    assert {name: headers[name.lower()] for name in SIGNED if name != "X-Forwarded-For"} == {
        name: value for name, value in SIGNED.items() if name != "X-Forwarded-For"
    }
    assert headers["x-forwarded-for"].split(", ")[-1] == "127.0.0.1"


@pytest.mark.caddy
def test_what_comes_through_caddy_arrives_as_it_was_signed(behind: Behind, tmp_path: Path) -> None:
    with through_caddy(tmp_path, behind.port) as port:
        arrives(port, behind)


@pytest.mark.nginx
def test_what_comes_through_nginx_arrives_as_it_was_signed_and_no_list_is_kept(behind: Behind, tmp_path: Path) -> None:
    with through_nginx(tmp_path, behind.port) as port:
        arrives(port, behind)
    assert (tmp_path / "all.log").read_text() == ""


@pytest.mark.rule("OPS-02")
def test_nginx_writes_nothing_to_its_disk_that_people_write_or_read_and_leads_to_the_nodes_own_name_alone() -> None:
    text = NGINX.read_text()
    sizes = dict(re.findall(r"^ {4}(client_\w+_size) (\w+);", text, re.MULTILINE))
    assert sizes["client_body_buffer_size"] == sizes["client_max_body_size"], "a larger body would go into a file"
    assert text.count("proxy_max_temp_file_size 0;") == text.count("proxy_pass ")
    [through] = re.findall(r"location ~ \^/\(files\|uploads/\S+\$ \{(.*?)\}", text, re.DOTALL)
    assert "client_max_body_size 0;" in through
    assert "proxy_request_buffering off;" in through, "a file that is uploaded would go into one of nginx"
    assert "$host" not in re.sub(r"\$http_host", "", text), "a visitor's Host decides where nobody is led"


def test_a_site_has_the_nodes_own_name_and_port() -> None:
    site = caddy.site(Answers("example", "E", "harbour.example.com", "ilse", "/nowhere", 8123))
    assert "harbour.example.com {\n\treverse_proxy 127.0.0.1:8123\n}" in site
    assert "example.org" not in site
