"""Shows a node that is closed from the command line while it runs: it stays so over a restart, and what its partner wrote arrives later."""

from pathlib import Path

import pytest

from .browserless import Browser
from .databases import query
from .processes import Process, befriend, nodes, until


def answers(node: Process, browser: Browser, path: str, status: int) -> bool:
    return browser.ask("GET", path)[0] == status


@pytest.mark.slow
def test_a_node_that_is_worked_on_loses_nothing_and_stays_closed_over_a_restart(tmp_path: Path) -> None:
    with nodes(tmp_path, ["Meridian Outreach", "Tamarind Circle"]) as (one, other):
        befriend(one, other)
        one.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")
        until("the group is known", lambda: query(other, "SELECT 1 FROM actor WHERE username = 'leads'"))
        stranger, member = Browser(other), Browser(other)
        other.run("user", "add", "daan")
        member.sign_in(other.json("login-link", "daan")["link"])
        said = other.json("maintenance", "on", "--until", "20m", "--words", "New disk.")
        assert said["words"] == "New disk."
        until("it is closed within a second", lambda: answers(other, stranger, "/", 503), 2)
        assert answers(other, stranger, "/healthz", 200)
        assert answers(other, stranger, "/readyz", 503)
        assert "New disk." not in stranger.ask("GET", "/")[2], "that is for members"
        assert "New disk." in member.ask("GET", "/")[2]
        one.json("post", "leads", "--as", "ilse", "--title", "While you work", "--text", "Who knows?")
        until("it was tried", lambda: query(one, "SELECT 1 FROM partner WHERE last_error = 'answered 503'"))
        other.kill()
        other.serve()
        assert answers(other, stranger, "/", 503)
        assert query(other, "SELECT count(*) FROM post") == [(0,)]
        assert other.run("maintenance", "on", "--until", "soon", check=False).returncode == 1
        other.run("maintenance", "off")
        other.run("maintenance", "off")
        until("it is open", lambda: answers(other, stranger, "/", 200), 3)
        until("it has asked for the post, long before it is sent again", lambda: query(other, "SELECT count(*) FROM post") == [(1,)])
        actions = [row[0] for row in query(other, "SELECT action FROM audit_entry WHERE action LIKE 'node.%' ORDER BY seq")]
        assert actions == ["node.init", "node.close", "node.open"]
