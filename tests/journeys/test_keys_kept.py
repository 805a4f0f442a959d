"""Shows with real processes that unlocked keys outlast a restart and serve every process of a node, die with their session wherever that is
ended, and that nothing which opens them lies in any file."""

import http.client
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base import config
from fedcollab.base.paths import NodeFiles
from fedcollab.sealing import unlocked
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.ring import open_ring
from tests.ports import free_ports

from .browserless import Browser
from .databases import change
from .processes import Process, until

PASSWORD = "four plain words here"
NEW = "six other plain words, all new"


@dataclass
class Led(Browser):
    """A browser that the web server in front has led to one of a node's processes."""

    port: int = 0

    def connect(self) -> http.client.HTTPConnection:
        made: Any = super().connect()  # which says the node's own name, as a browser does
        made._create_connection = lambda _address, *more: socket.create_connection(("127.0.0.1", self.port), *more)
        return made


def led(browser: Browser, to: Process) -> Browser:
    return Led(browser.node, dict(browser.cookies), port=to.port)


def set_up(root: Path, urls: list[str]) -> tuple[Process, Process]:
    """One node, to be served by two processes."""
    port, other = free_ports(2)
    node = Process(root / "node", port)
    words = ["init", str(node.place), "--name", "Meridian Outreach", "--base-url", node.url, "--listen", f"127.0.0.1:{port}", "--trial"]
    node.command(*words, *(f"--{name}={url}" for name, url in zip(("database-url", "ring-url"), urls, strict=False))).check_returncode()
    node.run("user", "add", "ilse", "--role", "admin", "--password-stdin", stdin=PASSWORD + "\n")
    node.run("user", "add", "daan", "--password-stdin", stdin=PASSWORD + "\n")
    change(node, "INSERT INTO sealing_state (id, on_at) VALUES (1, 1)")
    return node, Process(node.place, other, {"FEDCOLLAB_LISTEN": f"127.0.0.1:{other}"})


def login(node: Process, name: str, word: str = PASSWORD) -> Browser:
    browser = Browser(node)
    sent = {"token": browser.find_token("/login"), "username": name, "password": word}
    assert browser.ask("POST", "/login", sent)[:2] == (303, "/")
    return browser


def state(browser: Browser, at: Process | None = None) -> str:
    """What the page of keys says to a browser, asked of either process."""
    status, to, text = led(browser, at or browser.node).ask("GET", "/settings/keys")
    found = re.findall(r"<span>(Unlocked|Locked)</span>", text)
    return str(found[0]) if found else f"{status} {to}"


def held(browser: Browser) -> list[PersonPrivate]:
    """What the browser's cookie opens of the key ring, read beside the node."""
    token = next(value for name, value in browser.cookies.items() if name.startswith("session"))
    ring = open_ring(config.load(browser.node.place), NodeFiles(browser.node.place))
    try:
        with ring.look() as look:
            return unlocked.held(look, token)
    finally:
        ring.close()


def written(node: Process) -> bytes:
    """Every byte of every file of the node, its log with them."""
    return b"\0".join(path.read_bytes() for path in node.place.rglob("*") if path.is_file())


def paper(browser: Browser) -> list[str]:
    """Makes a paper, types its code back, and answers the groups."""
    sent = {"token": browser.find_token("/settings"), "act": "paper", "password": PASSWORD}
    text = browser.ask("POST", "/settings/keys", sent)[2]
    groups = re.findall(r'translate="no">([0-9A-Z]{4})<', text)
    made = re.findall(r'name="made" value="(\w+)"', text)[0]
    typed = {"token": sent["token"], "act": "typed", "code": " ".join(groups), "made": made}
    assert browser.ask("POST", "/settings/keys", typed)[0] == 303
    return groups


@pytest.mark.rule("P28")
@pytest.mark.rule("AUTH-02")
def test_unlocked_keys_outlast_a_restart_serve_both_processes_and_die_with_their_session(
    tmp_path: Path, urls: Callable[[int], list[str]]
) -> None:
    shared = [url for url in urls(2) if url]
    node, second = set_up(tmp_path, shared)
    try:
        node.serve()
        daan, other, ilse = login(node, "daan"), login(node, "daan"), login(node, "ilse")
        [private] = held(daan)
        assert [state(who) for who in (daan, other, ilse)] == ["Unlocked"] * 3
        node.kill()
        node.serve()
        assert [state(who) for who in (daan, other, ilse)] == ["Unlocked"] * 3
        if shared:  # SQLite serves one process
            second.serve()
            assert state(daan, second) == "Unlocked"
            lock = {"token": other.find_token("/settings"), "act": "lock"}
            assert led(other, second).ask("POST", "/settings/keys", lock)[0] == 303
            assert [state(other, at) for at in (node, second)] == ["Locked"] * 2
        assert state(daan) == "Unlocked"
        node.run("user", "disable", "daan")
        asked = [(daan, at) for at in (node, second) if at.running]
        until("the person is out", lambda: all(state(who, at).startswith("303 /login") for who, at in asked), 5)
        assert held(daan) == []
        assert state(ilse) == "Unlocked"
        assert private.to_bytes() not in written(node)
    finally:
        for one in (node, second):
            one.kill()


@pytest.mark.rule("P14")
@pytest.mark.rule("AUTH-09")
@pytest.mark.slow
def test_no_file_of_a_node_holds_what_opens_a_key_and_a_reset_does_not_either(tmp_path: Path) -> None:
    node, _ = set_up(tmp_path, [])
    with (node.place / "node.toml").open("a") as settings:
        settings.write('log_level = "debug"\n')
    try:
        node.serve()
        daan, ilse = login(node, "daan"), login(node, "ilse")
        groups, [private] = paper(daan), held(daan)
        wrong = {"token": daan.find_token("/unlock"), "next": "/settings/keys", "password": "wrong " + PASSWORD}
        assert daan.ask("POST", "/unlock", wrong)[0] == 422
        token = next(value for name, value in daan.cookies.items() if name.startswith("session"))
        secrets = [PASSWORD, token, " ".join(groups), "".join(groups), "".join(groups).lower()]
        for raw in (private.raw, private.raw[:64], private.raw[64:], private.signing):
            assert raw not in written(node)
            assert raw.hex().encode() not in written(node)
        assert [secret for secret in secrets if secret.encode() in written(node)] == []
        link = node.json("login-link", "daan")["link"]
        assert (held(daan), state(ilse)) == ([], "Unlocked"), "the link has locked all browsers"
        admin = Browser(node)
        admin.sign_in(link, NEW)
        assert [one.public.kid for one in held(admin)] != [private.public.kid]
        assert "opens nothing yet" in admin.ask("GET", "/settings/keys")[2]
        sent = {"token": admin.token, "act": "recover", "code": "-".join(groups), "password": NEW}
        assert admin.ask("POST", "/settings/keys", sent)[0] == 303
        assert [one.public.kid for one in held(admin)] == [private.public.kid], "its person has the paper"
        assert [secret for secret in (*secrets, NEW) if secret.encode() in written(node)] == []
    finally:
        node.kill()
