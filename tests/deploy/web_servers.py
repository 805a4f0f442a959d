"""Gives a test Caddy or nginx with the examples that admins are given: nothing changed in them but ports, places and the certificate."""

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy._node import caddy
from deploy._node.answers import Answers
from tests.ports import free_ports

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = DEPLOY / "nginx" / "fedcollab.conf"
NAME = "node.example.org"


def connect(port: int, seconds: float = 10) -> http.client.HTTPConnection:
    """A line to the web server by the node's name, as anybody's; the address is loopback's. Raises OSError."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    line = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    try:
        asking = http.client.HTTPConnection(NAME)
        asking.sock = context.wrap_socket(line, server_hostname=NAME)
    except OSError:
        line.close()
        raise
    return asking


@contextlib.contextmanager
def running(words: list[str], env: dict[str, str]) -> Iterator[None]:
    """A program until the block ends."""
    process = subprocess.Popen(words, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def through_caddy(root: Path, behind: int) -> Iterator[int]:
    """Caddy before the port `behind`, as `deploy/install` sets it up; its own port."""
    port, plain = free_ports(2)
    site = caddy.site(Answers("example", "E", NAME, "ilse", "/nowhere", behind, tls="internal"))
    common = (DEPLOY / "caddy" / "Caddyfile").read_text().replace("/etc/caddy/fedcollab", str(root))
    assert "log" not in site.replace("There is no `log` here", "")
    (root / "node.caddy").write_text(site)
    ports = f"{{\n\tadmin off\n\tskip_install_trust\n\thttps_port {port}\n\thttp_port {plain}\n"
    (root / "Caddyfile").write_text(common.replace("{\n", ports, 1))
    words = [os.environ["FEDCOLLAB_TEST_CADDY"], "run", "--config", str(root / "Caddyfile"), "--adapter", "caddyfile"]
    with running(words, {"HOME": str(root), "XDG_DATA_HOME": str(root), "XDG_CONFIG_HOME": str(root)}):
        yield port


@contextlib.contextmanager
def through_nginx(root: Path, behind: int) -> Iterator[int]:
    """nginx before the port `behind`, after it has found nothing to say about the example; its own port."""
    words, port = nginx(root, behind)
    done = subprocess.run([*words, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, "warn" in done.stderr) == (0, False), done.stderr
    with running(words, {}):
        yield port


def nginx(root: Path, behind: int) -> tuple[list[str], int]:
    """The words that start it, and the port for https."""
    port, plain = free_ports(2)
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"]
    subprocess.run([*certificate, "-keyout", root / "key.pem", "-out", root / "chain.pem"], check=True, capture_output=True)
    text = NGINX.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{behind}").replace("/var/log/nginx", str(root))
    text = text.replace("/etc/letsencrypt/live/node.example.org/fullchain.pem", str(root / "chain.pem"))
    text = text.replace("/etc/letsencrypt/live/node.example.org/privkey.pem", str(root / "key.pem"))
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
    whole = f"daemon off;\npid {root}/pid;\nevents {{}}\nhttp {{\naccess_log {root}/all.log;\nclient_body_temp_path {root}/body;\n"
    whole += "".join(f"{kind}_temp_path {root}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (root / "nginx.conf").write_text(f"{whole}{text}\n}}\n")
    return [os.environ["FEDCOLLAB_TEST_NGINX"], "-e", str(root / "error.log"), "-c", str(root / "nginx.conf")], port
