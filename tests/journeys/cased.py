"""Prepares a node with one open case in its directory, for a process of its own; sends files into the case as a browser does."""

import asyncio
import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.features.cases.desks import office

from .browserless import Browser
from .processes import Process

BLOCK = 1 << 20
DIVIDER = "----WebKitFormBoundary7MA4YWxkTrZu0gWq"  # as browsers make them


@dataclass
class Cased:
    """The node, stopped; a browser whose person is on the case `case` and has unlocked their keys."""

    node: Process
    browser: Browser
    case: str

    @property
    def files(self) -> str:
        return f"/cases/{self.case}/files"

    def send(self, body: Iterator[bytes], size: int, name: str = "notes.txt", picture: str = "bare") -> int:
        """Shares a file of `size` bytes; the status."""
        self.browser.token = self.browser.token or self.browser.find_token(self.files)
        return posted(self.browser, self.files, {"token": self.browser.token, "picture": picture}, body, size, name)

    def download(self, path: str) -> int:
        """How many bytes come."""
        connection = self.browser.connect()
        connection.request("GET", path, headers={"Cookie": self.browser.cookie})
        answer, size = connection.getresponse(), 0
        while piece := answer.read(BLOCK):
            size += len(piece)
        connection.close()
        return size


def prepared(root: Path) -> Cased:
    """On a disk; the person has signed in already."""
    place = root / "node"

    async def make() -> tuple[int, dict[str, str], str]:
        async with office(root) as at:
            case = await at.case("noor")
            return int(at.site.kernel.node.settings.listen.rpartition(":")[2]), at["noor"].cookies, case

    port, cookies, case = asyncio.run(make())
    node = Process(place, port)
    return Cased(node, Browser(node, dict(cookies)), case)


def posted(browser: Browser, path: str, fields: dict[str, str], body: Iterator[bytes], size: int, name: str) -> int:
    """The status of a form with a file of `size` bytes, sent as they come out of `body`."""
    parts = "".join(f'--{DIVIDER}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items())
    head = (parts + f'--{DIVIDER}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n').encode()
    end = f"\r\n--{DIVIDER}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", browser.node.port, timeout=300)
    connection.putrequest("POST", path)
    said = {"Cookie": browser.cookie, "Content-Type": f"multipart/form-data; boundary={DIVIDER}"}
    said["Content-Length"] = str(len(head) + size + len(end))
    for field, value in said.items():
        connection.putheader(field, value)
    connection.endheaders()
    connection.send(head)
    for piece in body:
        connection.send(piece)
    connection.send(end)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def repeated(line: bytes, size: int) -> Iterator[bytes]:
    """`size` bytes of one line again and again."""
    block = line * (BLOCK // len(line))
    for left in range(size, 0, -len(block)):
        yield block[:left]
