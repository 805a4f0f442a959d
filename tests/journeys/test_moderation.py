"""Shows a report's whole way between real processes, by forms: made on A, decided at the host B, obeyed on the author's node C and on A."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .browserless import Browser
from .databases import query
from .processes import Process, befriend, nodes, until

Urls = Callable[[int], list[str]]
NAMES = ["Meridian Outreach", "Réseau Passerelle", "Casa Ladera"]
REASON = "It lets somebody be found."


def member(node: Process) -> Browser:
    made = Browser(node)
    made.sign_in(node.json("login-link", "ilse")["link"])
    return made


def row(node: Process, column: str, uri: str) -> str:
    rows = query(node, f"SELECT {column} FROM post WHERE uri = '{uri}' AND confirmed_at IS NOT NULL")
    return str(rows[0][0] or "") if rows else ""


def page(browser: Browser, path: str) -> str:
    status, _, text = browser.ask("GET", path)
    assert status == 200, (status, path)
    return text


@pytest.mark.sampled
def test_a_post_is_reported_on_one_node_removed_by_the_host_and_restored_again(tmp_path: Path, urls: Urls) -> None:
    with nodes(tmp_path, NAMES, urls(3)) as (a, b, c):
        befriend(a, b)
        befriend(b, c)
        group = b.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")["uri"]
        for node in (a, c):
            until("the group is known", lambda node=node: query(node, f"SELECT 1 FROM actor WHERE uri = '{group}'"))
        uri = c.json("post", group, "--as", "ilse", "--title", "Adverts", "--text", "She stays at number seven.")["uri"]
        for node in (a, b, c):
            until("the post is everywhere", lambda node=node: row(node, "id", uri))
        reader, host, author = member(a), member(b), member(c)
        _report(reader, row(a, "id", uri))
        _decide(host, c, row(b, "id", uri))
        for node in (a, b, c):
            until("it is removed everywhere", lambda node=node: row(node, "removed", uri))
        until("the outcome has come back", lambda: page(reader, "/reports").count("closed: removed") >= 2)
        assert "seven" not in page(reader, f"/threads/{row(a, 'thread_id', uri)}")
        assert "seven" not in str(query(a, "SELECT html, source FROM post"))
        assert "Your post was removed by the moderators of" in page(author, "/")
        assert "seven" in page(author, f"/threads/{row(c, 'thread_id', uri)}"), "its author still reads it"
        path = f"/posts/{row(b, 'id', uri)}/moderate"
        assert host.ask("POST", path, {"token": host.token, "reason": "It was another house."})[0] == 303
        for node, browser in ((a, reader), (b, host), (c, author)):
            until("the text is back", lambda node=node: "seven" in row(node, "html", uri) and not row(node, "removed", uri))
            log = page(browser, f"/threads/{row(node, 'thread_id', uri)}/log")
            assert REASON in log
            assert "It was another house." in log
        for node in (a, b, c):
            assert node.json("audit", "verify")["broken_at"] is None
            assert node.json("federation", "status")["inbox"] == {}
            assert node.stop() == 0


def _report(reader: Browser, post_id: str) -> None:
    """The form says who will get it: the host, and through it the author's organisation."""
    path = f"/posts/{post_id}/report"
    form = page(reader, path)
    assert re.search(r'name="host" value="yes" checked>.*?Réseau Passerelle', form)
    assert re.search(r'name="author" value="yes" checked>.*?Casa Ladera', form)
    fields = {"token": reader.token, "reason": "person", "text": "The number.", "host": "yes", "author": "yes"}
    assert reader.ask("POST", path, fields)[:2] == (303, "/reports?sent=1")


def _decide(host: Browser, author: Process, post_id: str) -> None:
    until("the report is at the host", lambda: "The number." in page(host, "/moderation"))
    until("the host has passed it on", lambda: query(author, "SELECT 1 FROM flag"))
    queue = page(host, "/moderation")
    assert "Somebody of" in queue
    assert "1 to look at" in queue
    assert host.ask("POST", f"/moderation/{post_id}", {"token": host.token, "act": "remove", "reason": REASON})[0] == 303
