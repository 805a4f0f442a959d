"""Shows that the examples for Caddy and nginx are read by them, and that what comes through arrives at a node as its partners signed it."""

import contextlib
import http.client
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy._node import caddy
from deploy._node.answers import Answers
from fedcollab.demo import free_ports

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = DEPLOY / "nginx" / "fedcollab.conf"
NAME = "node.example.org"
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
    """A request by the name, as a partner's; the address is loopback's."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line, context.wrap_socket(line, server_hostname=NAME) as secret:
        asking = http.client.HTTPConnection(NAME)
        asking.sock = secret
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


@contextlib.contextmanager
def running(words: list[str], env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(words, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.caddy
def test_what_comes_through_caddy_arrives_as_it_was_signed(behind: Behind, tmp_path: Path) -> None:
    port, plain = free_ports(2)
    site = caddy.site(Answers("example", "E", NAME, "ilse", "/nowhere", behind.port, tls="internal"))
    common = (DEPLOY / "caddy" / "Caddyfile").read_text().replace("/etc/caddy/fedcollab", str(tmp_path))
    assert "log" not in site.replace("There is no `log` here", "")
    (tmp_path / "node.caddy").write_text(site)
    ports = f"{{\n\tadmin off\n\tskip_install_trust\n\thttps_port {port}\n\thttp_port {plain}\n"
    (tmp_path / "Caddyfile").write_text(common.replace("{\n", ports, 1))
    words = [os.environ["FEDCOLLAB_TEST_CADDY"], "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    with running(words, {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}):
        arrives(port, behind)


@pytest.fixture
def nginx(behind: Behind, tmp_path: Path) -> tuple[list[str], int]:
    """nginx with the example, its ports, certificate and places alone changed; and the port for https."""
    port, plain = free_ports(2)
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"]
    subprocess.run([*certificate, "-keyout", tmp_path / "key.pem", "-out", tmp_path / "chain.pem"], check=True, capture_output=True)
    text = NGINX.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{behind.port}").replace("/var/log/nginx", str(tmp_path))
    text = text.replace("/etc/letsencrypt/live/node.example.org/fullchain.pem", str(tmp_path / "chain.pem"))
    text = text.replace("/etc/letsencrypt/live/node.example.org/privkey.pem", str(tmp_path / "key.pem"))
    for said, here in (
        ("[::]:80", f"[::]:{plain}"),
        ("[::]:443", f"[::]:{port}"),
        ("listen 80;", f"listen {plain};"),
        ("listen 443", f"listen {port}"),
    ):
        assert said in text
        text = (
            text.replace(said, here)
            if Path("/proc/net/if_inet6").exists() or "[::]" not in said
            else text.replace(f"    listen {said}", "    #")
        )
    whole = (
        f"daemon off;\npid {tmp_path}/pid;\nevents {{}}\nhttp {{\naccess_log {tmp_path}/all.log;\nclient_body_temp_path {tmp_path}/body;\n"
    )
    whole += "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(f"{whole}{text}\n}}\n")
    return [os.environ["FEDCOLLAB_TEST_NGINX"], "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")], port


@pytest.mark.nginx
def test_what_comes_through_nginx_arrives_as_it_was_signed_and_no_list_is_kept(
    nginx: tuple[list[str], int], behind: Behind, tmp_path: Path
) -> None:
    words, port = nginx
    done = subprocess.run([*words, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, "warn" in done.stderr) == (0, False), done.stderr
    with running(words, {}):
        arrives(port, behind)
    assert (tmp_path / "all.log").read_text() == ""


@pytest.mark.rule("OPS-02")
def test_nginx_writes_nothing_to_its_disk_that_people_write_or_read_and_leads_to_the_nodes_own_name_alone() -> None:
    text = NGINX.read_text()
    sizes = dict(re.findall(r"^ {4}(client_\w+_size) (\w+);", text, re.MULTILINE))
    assert sizes["client_body_buffer_size"] == sizes["client_max_body_size"], "a larger body would go into a file"
    assert text.count("proxy_max_temp_file_size 0;") == text.count("proxy_pass ")
    [through] = re.findall(r"location ~ \^/\(files\|uploads/\[\^/\]\+\)\$ \{(.*?)\}", text, re.DOTALL)
    assert "client_max_body_size 0;" in through
    assert "proxy_request_buffering off;" in through, "a file that is uploaded would go into one of nginx"
    assert "$host" not in re.sub(r"\$http_host", "", text), "a visitor's Host decides where nobody is led"


def test_a_site_has_the_nodes_own_name_and_port() -> None:
    site = caddy.site(Answers("example", "E", "harbour.example.com", "ilse", "/nowhere", 8123))
    assert "harbour.example.com {\n\treverse_proxy 127.0.0.1:8123\n}" in site
    assert "example.org" not in site
