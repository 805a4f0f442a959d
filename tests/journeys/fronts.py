"""Decides what stands before a node of a journey: a listener at its address that notes who asks, and can keep everybody waiting."""

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.ports import free_ports

from .processes import Process

AGENT = re.compile(r"fedcollab/\S+ \(\+(http://127\.0\.0\.1:\d+)/\)")
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


@dataclass
class Front:
    """The listener before one node. `connections` has, for each, the nodes that its requests say to come from. A closed one asks
    everybody to come again, and counts how often something was brought to it in vain."""

    port: int
    behind: int
    connections: list[set[str]] = field(default_factory=list)
    closed: bool = False
    in_vain: int = 0

    def askers(self) -> set[str]:
        """The addresses of all nodes that have connected; empty text where a connection says nothing of itself."""
        return {address for said in self.connections for address in said or {""}}

    def serve(self) -> ThreadingHTTPServer:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.said: set[str] = set()
                front.connections.append(self.said)

            def handle_one(self) -> None:
                named = AGENT.fullmatch(self.headers.get("User-Agent", ""))
                self.said.add(named.group(1) if named else "")
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                if front.closed:
                    front.in_vain += self.command == "POST"
                    self._answer(503, [("Retry-After", "1")], b"")
                    return
                asking = http.client.HTTPConnection("127.0.0.1", front.behind, timeout=20)
                asking.request(self.command, self.path, body or None, dict(self.headers.items()))
                answer = asking.getresponse()
                self._answer(answer.status, answer.getheaders(), answer.read())
                asking.close()

            do_GET = do_POST = handle_one  # noqa: N815  # the names that the library looks for

            def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@dataclass
class Fronted(Process):
    """A node whose address is its front's."""

    front: Front = field(default_factory=lambda: Front(0, 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.front.port}"


@contextmanager
def fronted(root: Path, names: list[str], urls: list[str]) -> Iterator[list[Fronted]]:
    """Initialised and serving nodes, each behind its front; by their settings, all of them may talk to each other."""
    ports = free_ports(2 * len(names))
    fronts = ports[: len(names)]
    made = [Fronted(root / f"node{port}", port, front=Front(front, port)) for front, port in zip(fronts, ports[len(names) :], strict=True)]
    servers = [node.front.serve() for node in made]
    try:
        for node, name, url in zip(made, names, urls, strict=True):
            node.init(name, [port for port in fronts if port != node.front.port], url)
            node.run("user", "add", "ilse", "--role", "admin", "--role", "member", "--shown", f"Ilse of {name}")
            node.serve()
        yield made
    finally:
        for node in made:
            node.kill()
        for server in servers:
            server.shutdown()
            server.server_close()
