"""Shows a node copied while people post, killed on the way, and made again elsewhere from the copy and the printed key: nobody notices."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fedcollab.base.crash import BACKUP

from . import forked
from .browserless import Browser, Sender
from .databases import change, query
from .faults import marks, scene
from .processes import Process, nodes, until

Urls = Callable[[int], list[str]]
NAMES = ["Meridian Outreach", "Réseau Passerelle", "Casa Ladera"]


def command(*words: str, crash: str = "", key: str = "") -> "subprocess.CompletedProcess[str]":
    environment = os.environ | ({"FEDCOLLAB_CRASH_AT": crash} if crash else {})
    return forked.command(list(words), stdin=key, env=environment)


def again(node: Process, backups: Path, key: str, place: Path) -> None:
    """The node is gone with its disk, and comes back from the copy."""
    node.kill()
    shutil.rmtree(node.place)
    done = command("restore", str(backups), str(place), key=key)
    assert done.returncode == 0, done.stderr
    node.place = place
    node.serve()


def text_of(node: Process, mark: str) -> str:
    return str(query(node, f"SELECT html FROM post WHERE html LIKE '%marker {mark} end%'")[0][0])


def change_both(browser: Browser, node: Process, changed: str, gone: str) -> None:
    """Their author says one thing otherwise and takes the other back."""
    ids = [query(node, f"SELECT id FROM post WHERE html LIKE '%marker {mark} end%'")[0][0] for mark in (changed, gone)]
    form = {"token": browser.token, "text": f"marker {changed} end, said otherwise", "act": "send"}
    assert browser.ask("POST", f"/posts/{ids[0]}/edit", form)[0] == 303
    assert browser.ask("POST", f"/posts/{ids[1]}/delete", {"token": browser.token})[0] == 303


@pytest.mark.slow
@pytest.mark.rule("R14", "R15")
@pytest.mark.timeout(300)
def test_a_node_made_again_from_yesterdays_backup_loses_what_partners_have_not_and_nobody_asks(tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    with nodes(tmp_path, NAMES) as made:
        host, one, other = made
        key = one.json("backup", "key")["key"]
        senders = scene(made)
        for sender in senders:
            sender.start()
        until("some traffic", lambda: all(len(sender.acknowledged) > 3 for sender in senders))
        early = [mark for mark in marks(one) if mark.startswith("s1-")]
        first = one.json("backup", "create", str(backups))
        changed, gone = early[:2]
        change_both(senders[1].browser, one, changed, gone)
        for sender in senders:
            until("more of it", lambda sender=sender, number=len(sender.acknowledged): len(sender.acknowledged) > number + 3)
            sender.over.set()
        for sender in senders:
            sender.join(30)
        everywhere = set().union(*(sender.acknowledged for sender in senders)) - {gone}
        until("all of it is everywhere", lambda: all(everywhere == set(marks(node)) for node in made), 40)
        before = {node.port: sorted(marks(node)) for node in made}
        keys = query(one, "SELECT uri, public FROM actor_key ORDER BY uri")
        again(one, backups, key, tmp_path / "bare")
        back = set(marks(one))
        assert back >= set(early) - {gone}
        assert query(one, "SELECT uri, public FROM actor_key ORDER BY uri") == keys
        assert query(one, "SELECT count(*) FROM login_session") == [(0,)]
        until("what partners wrote, and what ours wrote in a partner's group, comes back", lambda: set(marks(one)) == everywhere, 40)
        until("and so does what ours changed", lambda: "said otherwise" in text_of(one, changed), 40)
        browser = Browser(one)
        browser.sign_in(one.json("login-link", "ilse")["link"])
        late = Sender(browser, senders[1].thread_id, "late", 0.1)
        for number in range(5):
            late.send(f"late-{number:05d}")
        until(
            "what is written now is everywhere", lambda: all({f"late-{n:05d}" for n in range(5)} <= set(marks(node)) for node in made), 40
        )
        for node in (host, other):
            found = [mark for mark in marks(node) if not mark.startswith("late")]
            assert sorted(found) == before[node.port], "nothing doubled, nothing lost"
        assert query(host, "SELECT state FROM partner") == query(other, "SELECT state FROM partner") == [("admitted",)] * 2
        assert first["size"] > first["written"] > 0 or first["size"] == first["written"]


def place_for(urls: Urls) -> list[str]:
    """What `restore` is told besides for a node of this kind of database: another one that is empty."""
    url = urls(1)[0]
    return ["--database-url", url] if url else []


@pytest.mark.rule("OPS-02")
def test_killed_at_every_step_a_backup_or_a_restore_leaves_nothing_half_and_is_run_again(tmp_path: Path, urls: Urls) -> None:
    backups, target = tmp_path / "backups", tmp_path / "target"
    node = Process(tmp_path / "node", 18_000)
    url = urls(1)[0]
    node.init("Meridian Outreach", [], url)
    key = node.json("backup", "key")["key"]
    node.run("user", "add", "ilse", "--role", "admin")
    for point in (name for name in BACKUP if name.startswith("backup")):
        assert command("-C", str(node.place), "backup", "create", str(backups), crash=point).returncode == -9
        listed = node.json("backup", "list", str(backups))
        assert len(listed) == (point == "backup.written"), point
    node.run("backup", "create", str(backups))
    assert not (node.place / "backup.tmp").exists()
    more = place_for(urls)
    for point in (name for name in BACKUP if name.startswith("restore") and (url or name != "restore.loaded")):
        assert command("restore", str(backups), str(target), *more, crash=point, key=key).returncode == -9
        assert not target.exists(), point
        if url and point == "restore.adjusted":  # as the steps of a newer program would have
            change(Process(tmp_path / "target.restoring", node.port), "CREATE TABLE newer (id INTEGER)")
    done = command("restore", str(backups), str(target), *more, key=key)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("*.restoring"))
    assert [path.stat().st_mode & 0o077 for path in target.iterdir()] == [0] * len(list(target.iterdir()))
    restored = Process(target, node.port)
    if url:
        assert query(restored, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'newer'") == [(0,)]
    assert [member["username"] for member in restored.json("user", "list")] == ["ilse"]
    assert restored.json("audit", "verify")["broken_at"] is None
    marked = b"Meridian"
    assert not [path for path in backups.rglob("*") if path.is_file() and marked in path.read_bytes()]
    if more:
        again = command("restore", str(backups), str(tmp_path / "third"), *more, key=key)
        assert "The database is not empty" in again.stderr


@pytest.mark.sampled
def test_what_was_deleted_or_disabled_later_does_not_come_back_with_an_older_backup(tmp_path: Path, urls: Urls) -> None:
    backups, target = tmp_path / "backups", tmp_path / "target"
    node = Process(tmp_path / "node", 18_000)
    node.init("Meridian Outreach", [], urls(1)[0])
    key = node.json("backup", "key")["key"]
    for name in ("ilse", "hugo", "omar"):
        node.run("user", "add", name, "--role", "admin", "--role", "member")
    node.run("group", "add", "routes", "--name", "Routes")
    uris = [node.json("post", "routes", "--as", "ilse", "--title", word, "--text", word)["uri"] for word in ("kept", "regretted")]
    older = Path(node.json("backup", "create", str(backups))["path"]).name
    change(node, f"UPDATE post SET html = '', source = '', deleted_at = {2**51} WHERE uri = '{uris[1]}'")
    node.run("user", "disable", "hugo")
    node.run("backup", "create", str(backups))
    done = command("restore", str(backups), str(target), "--set", older, *place_for(urls), key=key)
    assert done.returncode == 0, done.stderr
    restored = Process(target, node.port)
    disabled = {member["username"]: member["disabled_at"] is not None for member in restored.json("user", "list")}
    assert disabled == {"ilse": False, "hugo": True, "omar": False}
    found = dict(query(restored, "SELECT uri, html FROM post"))
    assert "kept" in found[uris[0]]
    assert found[uris[1]] == ""


@pytest.mark.sampled
def test_a_backup_is_checked_without_any_key_and_opened_with_the_printed_one(tmp_path: Path, urls: Urls) -> None:
    backups = tmp_path / "backups"
    node = Process(tmp_path / "node", 18_000)
    node.init("Meridian Outreach", [], urls(1)[0])
    key = node.json("backup", "key")["key"]
    with (node.place / "node.toml").open("a") as settings:
        settings.write(f'backup_to = "{backups}"\n')
    node.run("backup", "create")
    assert node.json("backup", "verify")["damaged"] == []
    typed = node.run("backup", "verify", "--key-file", "-", stdin=key.lower())
    assert "Opened with the printed key" in typed.stdout
    slip = node.run("backup", "verify", "--key-file", "-", stdin="0" + key[1:] if key[0] != "0" else "1" + key[1:], check=False)
    assert "slip in group 1" in slip.stderr
    piece = next((backups / "pieces").glob("??/*"))
    piece.write_bytes(piece.read_bytes()[:-1] + b"?")
    damaged = node.run("backup", "verify", check=False)
    assert damaged.returncode == 1
    assert "missing or damaged" in damaged.stdout
    assert query(node, "SELECT state, why FROM backup_run") == [("verified", "")]
    [only, ring] = node.json("backup", "list")
    assert (only.get("ring"), ring["ring"]) == (None, True)
    torn = backups / "20200101T000000Z-abcdef.backup"
    torn.write_bytes(b"torn")
    assert node.json("backup", "list") == [only, ring, {"name": torn.name, "damaged": True}]
    assert f"Nothing old was removed, for {torn.name} can't be read" in node.run("backup", "create").stdout


@pytest.mark.sampled
def test_a_backup_that_could_not_be_made_is_on_record_with_its_reason(tmp_path: Path, urls: Urls) -> None:
    node = Process(tmp_path / "node", 18_000)
    node.init("Meridian Outreach", [], urls(1)[0])
    (tmp_path / "file").write_text("no directory")
    assert "no key for backups yet" in node.run("backup", "create", str(tmp_path / "b"), check=False).stderr
    node.run("backup", "key")
    assert "can't be written" in node.run("backup", "create", str(tmp_path / "file"), check=False).stderr
    assert "backup_to" in node.run("backup", "create", check=False).stderr
    node.run("backup", "create", str(tmp_path / "b"))
    found = [(state, why.partition(" (")[0]) for state, why in query(node, "SELECT state, why FROM backup_run ORDER BY at, id")]
    assert found[0] == ("failed", f"This node has no key for backups yet. Make one and print it: fedcollab -C {node.place} backup key")
    assert found[1:] == [("failed", f"{tmp_path / 'file'} can't be written"), ("verified", "")]
