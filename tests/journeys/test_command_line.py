"""Shows each command beside a running node, in words and as JSON, on both databases."""

import fcntl
import http.client
import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import free_ports

from .databases import change, query
from .processes import CLI, Process, nodes, until

Urls = Callable[[int], list[str]]


def both(node: Process, *words: str) -> tuple[str, object]:
    """What a command that changes nothing says in words and as JSON."""
    spoken, written = node.run(*words), node.run(*words, "--json")
    assert spoken.stderr == written.stderr == ""
    return spoken.stdout, json.loads(written.stdout)


def listens(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def refusal(node: Process, *words: str) -> str:
    """The one line of a command that is refused; with --json it is the same."""
    for more in ((), ("--json",)):
        done = node.run(*words, *more, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("fedcollab: ")
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.timeout(600)
@pytest.mark.sampled
def test_every_command_works_beside_a_running_node(tmp_path: Path, urls: Urls) -> None:
    with nodes(tmp_path, ["Meridian Outreach", "Casa Ladera"], urls(2)) as (one, other):
        _members(one)
        _partners(one, other)
        _posts(one)
        spoken, found = both(one, "migrate")
        assert isinstance(found, dict)
        assert found["from"] == found["to"]
        assert found["to"] in spoken
        assert one.stop() == 0
        assert one.json("user", "list"), "commands work beside no running node as well"


def _members(one: Process) -> None:
    made = one.json("user", "add", "daan", "--role", "moderator", "--role", "member", "--shown", "Daan K.")
    assert (made["username"], made["roles"], made["name"]) == ("daan", ["member", "moderator"], "Daan K.")
    assert "login-link noor" in one.run("user", "add", "noor").stdout
    done = one.run("user", "add", "amal", "--password-stdin", stdin="four plain words here\n")
    assert "amal can sign in as member" in done.stdout
    assert query(one, "SELECT count(*) FROM member WHERE password_hash LIKE '$fc1$m=%'") == [(1,)]
    assert "at least 12 characters" in refusal(one, "user", "add", "x", "--password-stdin")
    assert "taken" in refusal(one, "user", "add", "daan")
    spoken, found = both(one, "user", "list")
    assert isinstance(found, list)
    assert {m["username"] for m in found} == {"ilse", "daan", "noor", "amal"}
    assert "Daan K." in spoken
    assert one.json("login-link", "daan")["link"].startswith(one.url + "/link/")
    assert one.run("login-link", "daan").stdout.startswith(one.url + "/link/")
    assert one.json("invite", "--role", "member")["link"].startswith(one.url + "/join/")
    assert one.json("user", "disable", "noor") == {"disabled": "noor"}
    assert "last admin" in refusal(one, "user", "disable", "ilse")
    assert "fedcollab user list" in refusal(one, "login-link", "nobody")


def _partners(one: Process, other: Process) -> None:
    assert f"partner approve 127.0.0.1:{other.port}" in one.run("partner", "add", other.url).stdout
    by_actor = one.json("partner", "add", other.url + "/actor")
    assert (by_actor["state"], by_actor["uri"], by_actor["name"]) == ("applied", other.url + "/actor", "Casa Ladera")
    assert other.json("partner", "add", one.url + "/actor", "--approve")["state"] == "admitted"
    assert one.json("partner", "approve", other.url)["state"] == "admitted"
    until("both follow", lambda: query(one, "SELECT count(*) FROM follow WHERE state = 'accepted'") == [(2,)])
    for verb, state in (("suspend", "suspended"), ("approve", "admitted")):
        assert f"is {state}" in one.run("partner", verb, other.url + "/actor").stdout
    spoken, found = both(one, "partner", "list")
    assert isinstance(found, list)
    assert [(p["host"], p["state"]) for p in found] == [(f"127.0.0.1:{other.port}", "admitted")]
    assert "Casa Ladera" in spoken
    spoken, status = both(one, "federation", "status")
    assert isinstance(status, dict)
    assert {"partners", "applications", "inbox"} <= set(status)
    assert "waiting" in spoken
    assert "fedcollab partner list" in refusal(one, "partner", "approve", "https://nowhere.example")
    assert refusal(one, "partner", "add", "http://127.0.0.1:1")
    assert "only https" not in refusal(one, "partner", "add", "nonsense.invalid"), "a bare name means https"


def _posts(one: Process) -> None:
    made = one.json("group", "add", "leads", "--name", "Leads", "--label", "TLP:GREEN")
    assert (made["slug"], made["label"], made["uri"].startswith(one.url + "/groups/")) == ("leads", "TLP:GREEN", True)
    assert "is for what is sealed" in refusal(one, "group", "add", "red", "--name", "Red", "--label", "TLP:RED")
    opener = one.run("post", "leads", "--as", "ilse", "--title", "Adverts", "--text", "What do *you* see?").stdout.strip()
    assert opener.startswith(one.url + "/posts/")
    reply = one.json("post", made["uri"], "--as", "daan", "--text", "This.", "--reply-to", opener)
    assert query(one, f"SELECT reply_to FROM post WHERE uri = '{reply['uri']}'") == [(opener,)]
    assert "no member nobody" in refusal(one, "post", "leads", "--as", "nobody", "--title", "x", "--text", "x")
    assert "no group lost" in refusal(one, "post", "lost", "--as", "ilse", "--title", "x", "--text", "x")
    assert one.json("partner", "remove", one.json("partner", "list")[0]["uri"])["state"] == "left"


@pytest.mark.sampled
def test_a_changed_record_is_found_and_exits_with_1(tmp_path: Path, urls: Urls) -> None:
    with nodes(tmp_path, ["Meridian Outreach"], urls(1)) as (one,):
        spoken, found = both(one, "audit", "verify")
        assert isinstance(found, dict)
        assert (found["broken_at"], f"{found['entries']} entries, the chain holds" in spoken) == (None, True)
        assert (found["rooms"], found["rooms_broken_at"]) == (0, {})
        change(one, "UPDATE audit_entry SET subject = 'another' WHERE seq = 2")
        for more in ((), ("--json",)):
            done = one.run("audit", "verify", *more, check=False)
            assert (done.returncode, done.stderr) == (1, "")
        assert json.loads(done.stdout)["broken_at"] == 2
        assert "broken at entry 2" in one.run("audit", "verify", check=False).stdout


@pytest.mark.slow
def test_serve_prints_ready_and_its_address_and_answers_from_then_on(tmp_path: Path) -> None:
    with nodes(tmp_path, ["Meridian Outreach"]) as (one,):
        for options, expected in (((), f"ready {one.url}\n"), (("--json",), json.dumps({"ready": one.url}) + "\n")):
            one.stop()
            assert one.start(*options) == expected
            connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=10)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            connection.close()


@pytest.mark.slow
def test_a_node_told_to_stop_before_its_first_word_is_read_ends_in_good_order(tmp_path: Path) -> None:
    """Nobody reads what it prints: the "ready" line waits in a full pipe while the signal comes."""
    node = Process(tmp_path / "node", free_ports(1)[0])
    node.init("Meridian Outreach", [])
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    running = subprocess.Popen([*CLI, "-C", str(node.place), "serve"], stdout=writing)
    try:
        until("the node listens", lambda: listens(node.port))
        running.terminate()
        os.read(reading, 4096)
        assert running.wait(20) == 0
    finally:
        running.kill()
        for end in (reading, writing):
            os.close(end)


@pytest.mark.slow
def test_a_node_in_earnest_posts_in_nobodys_name_and_does_all_else(tmp_path: Path) -> None:
    one = Process(tmp_path / "earnest", 1)
    words = ("init", str(one.place), "--name", "Meridian Outreach", "--base-url", "https://node.example.org/")
    made = json.loads(Process.command(*words, "--json").stdout)
    assert (made["base_url"], made["actor"]) == ("https://node.example.org", "https://node.example.org/actor")
    assert "holds a node already" in Process.command(*words).stderr
    one.run("user", "add", "ilse", "--role", "admin")
    one.run("group", "add", "leads", "--name", "Leads")
    assert "trial nodes only" in refusal(one, "post", "leads", "--as", "ilse", "--title", "x", "--text", "x")
    with sqlite3.connect(one.place / "node.db") as connection:
        assert connection.execute("SELECT count(*) FROM post").fetchone() == (0,)
    connection.close()


@pytest.mark.slow
def test_the_demo_checks_itself_in_words_or_as_one_document() -> None:
    done = Process.command("demo", "--nodes", "2", "--check", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)["seconds"]) == {"Meridian Outreach", "Réseau Passerelle"}
    assert "2 to 8" in Process.command("demo", "--nodes", "1").stderr
