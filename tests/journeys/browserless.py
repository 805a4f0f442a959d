"""Posts as a browser without script does: signed in by a one-time link, by forms with their tokens; retries a form as people do."""

import http.client
import re
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from fedcollab.base.clock import new_id

from .processes import Process

TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
SURE = re.compile(r'name="sure" value="([0-9a-f]+)"')


@dataclass
class Browser:
    """One member's session on one node."""

    node: Process
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def connect(self) -> http.client.HTTPConnection:
        """A new line to the node."""
        return http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=20)

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """(status, Location, body) of one request; raises OSError or HTTPException where nobody answered whole."""
        connection = self.connect()
        headers = {"Cookie": self.cookie}
        body = urllib.parse.urlencode(form) if form is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers.get("Location", ""), text
        finally:
            connection.close()

    def send(self, path: str, form: dict[str, str]) -> tuple[int, str, str]:
        """As `ask`, for a composer: where it asks whether certain organisations may read along, says yes to them."""
        answer = self.ask("POST", path, form)
        box = SURE.search(answer[2]) if answer[0] == 422 else None
        return self.ask("POST", path, form | {"sure": box.group(1)}) if box else answer

    def sign_in(self, link: str, password: str = "correct horse battery") -> None:
        """By a one-time link, choosing a password."""
        path = urllib.parse.urlsplit(link).path
        token = self.find_token(path)
        assert self.ask("POST", path, {"token": token})[0] == 303
        token = self.find_token("/settings/password")
        assert self.ask("POST", "/settings/password", {"token": token, "password": password})[0] == 303
        self.token = self.find_token("/settings")

    def find_token(self, path: str) -> str:
        status, _, text = self.ask("GET", path)
        found = TOKEN.search(text)
        assert status == 200, (status, path)
        assert found, path
        return found.group(1)


@dataclass
class Sender(threading.Thread):
    """Answers in one thread, numbered, until told to stop; a form that got no answer is sent again, the same."""

    browser: Browser
    thread_id: str
    name_: str
    pause: float
    acknowledged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            self.send(f"{self.name_}-{number:05d}")
            time.sleep(self.pause)

    def send(self, mark: str) -> None:
        form = {"token": self.browser.token, "once": new_id(), "text": f"marker {mark} end", "act": "send"}
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                status, location, _ = self.browser.send(f"/threads/{self.thread_id}", form)
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
                continue
            if status == 303 and location.startswith("/posts/"):
                self.acknowledged.append(mark)
                return
            assert status in (503, 507), status
            time.sleep(0.2)
        raise AssertionError(f"{mark} was not taken within a minute")
