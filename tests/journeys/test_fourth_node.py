"""Shows on the fourth node's pages what a member there reads of organisations that only the host knows, and what blocking one hides."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .browserless import Browser
from .databases import query
from .processes import Process, befriend, nodes, until

NAMES = ["Meridian Outreach", "Réseau Passerelle", "دار السنابل", "Casa Ladera"]
ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)


def member(node: Process) -> Browser:
    made = Browser(node)
    made.sign_in(node.json("login-link", "ilse")["link"])
    return made


def row_of(node: Process, uri: str) -> str:
    """The row id of the thread that holds a post; empty where the node has none, or none confirmed."""
    rows = query(node, f"SELECT thread_id FROM post WHERE uri = '{uri}' AND confirmed_at IS NOT NULL")
    return rows[0][0] if rows else ""


def posts(browser: Browser, thread: str) -> dict[str, str]:
    """{author: the plain words of their post} of a thread's page, in its order."""
    status, _, page = browser.ask("GET", f"/threads/{thread}")
    assert status == 200, (status, thread)
    found = {}
    for article in ARTICLE.findall(page):
        author = re.search(r'class="i-name">.*?<bdi>(.*?)</bdi>', article, re.DOTALL)
        assert author, article
        found[author.group(1)] = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", article)))
    return found


@pytest.mark.timeout(600)
@pytest.mark.rule("CONF-01")
@pytest.mark.sampled
def test_the_fourth_node_shows_every_author_and_hides_one_that_it_has_blocked(tmp_path: Path, urls: Callable[[int], list[str]]) -> None:
    with nodes(tmp_path, NAMES, urls(4)) as (host, second, third, fourth):
        for one, other in ((host, second), (host, third), (second, third), (host, fourth)):
            befriend(one, other)
        group = host.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")["uri"]
        host.json("group", "add", "handover", "--name", "Handover", "--label", "TLP:AMBER+STRICT")
        ours = host.json("post", "handover", "--as", "ilse", "--title", "Ours alone", "--text", "For us alone.")
        for node in (second, third, fourth):
            until("the group is known", lambda node=node: query(node, f"SELECT 1 FROM actor WHERE uri = '{group}'"))
        opener = host.json("post", "leads", "--as", "ilse", "--title", "Adverts", "--text", "Said by node 1.")["uri"]
        uris = [opener]
        for number, node in enumerate((second, third, fourth), start=2):
            until("the opener has arrived", lambda node=node: row_of(node, opener))
            uris.append(node.json("post", group, "--as", "ilse", "--reply-to", opener, "--text", f"Said by node {number}.")["uri"])
        for node in (host, second, third, fourth):
            for uri in uris:
                until("every post is everywhere and confirmed", lambda node=node, uri=uri: row_of(node, uri))
        _every_author_is_shown(host, fourth, opener)
        _what_is_not_for_them_is_not_found(host, fourth, row_of(host, ours["uri"]), row_of(host, opener))
        _blocked_here_and_shown_elsewhere((host, third, fourth), second, group, opener)


def _every_author_is_shown(host: Process, fourth: Process, opener: str) -> None:
    found = posts(member(fourth), row_of(fourth, opener))
    assert set(found) == {"Ilse 1", "Ilse 2", "Ilse 3", "Ilse 4"}
    for number in range(1, 5):
        assert f"Said by node {number}." in found[f"Ilse {number}"]
    for number in (2, 3):
        assert f"through {NAMES[0]}" in found[f"Ilse {number}"]
    for number in (1, 4):
        assert "through" not in found[f"Ilse {number}"]
    assert set(posts(member(host), row_of(host, opener))) == set(found)


def _what_is_not_for_them_is_not_found(host: Process, fourth: Process, ours: str, shared: str) -> None:
    reader, stranger = member(fourth), Browser(host)
    assert member(host).ask("GET", f"/threads/{ours}")[0] == 200
    assert reader.ask("GET", f"/threads/{ours}")[0] == 404
    for thread in (ours, shared):
        status, _, page = stranger.ask("GET", f"/threads/{thread}")
        assert (status, "Said by" in page, "alone" in page) == (404, False, False)
    assert "Ours alone" not in reader.ask("GET", "/")[2] + reader.ask("GET", "/groups")[2]


def _blocked_here_and_shown_elsewhere(others: tuple[Process, Process, Process], second: Process, group: str, opener: str) -> None:
    """The fourth node blocks the second's organisation, which is no partner of its own, and shows it again."""
    host, third, fourth = others
    everybody = {"Ilse 1", "Ilse 2", "Ilse 3", "Ilse 4"}
    fourth.run("partner", "block", second.url + "/actor")
    reader = member(fourth)
    assert set(posts(reader, row_of(fourth, opener))) == everybody - {"Ilse 2"}
    [(hidden,)] = query(fourth, "SELECT p.id FROM post p JOIN actor a ON a.id = p.author_id WHERE a.name = 'Ilse 2'")
    assert reader.ask("GET", f"/posts/{hidden}")[0] == 404
    for node in (host, second, third):
        assert set(posts(member(node), row_of(node, opener))) == everybody
    late = second.json("post", group, "--as", "ilse", "--reply-to", opener, "--text", "Said later.")["uri"]
    until("what the blocked say later has arrived", lambda: row_of(fourth, late))
    assert "Said later." not in reader.ask("GET", f"/threads/{row_of(fourth, opener)}")[2]
    fourth.run("partner", "unblock", second.url)
    assert set(posts(reader, row_of(fourth, opener))) == everybody
