"""Shows a node copied while people post, killed on the way, and made again elsewhere from the copy and the printed key: nobody notices."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fedcollab.base.crash import BACKUP

from .browserless import Browser, Sender
from .databases import query
from .faults import marks, scene
from .processes import CLI, Process, nodes, until

NAMES = ["Meridian Outreach", "Réseau Passerelle", "Casa Ladera"]


def command(*words: str, crash: str = "", key: str = "") -> "subprocess.CompletedProcess[str]":
    environment = os.environ | ({"FEDCOLLAB_CRASH_AT": crash} if crash else {})
    return subprocess.run([*CLI, *words], input=key, capture_output=True, text=True, timeout=60, env=environment, check=False)


def again(node: Process, backups: Path, key: str, place: Path) -> None:
    """The node is gone with its disk, and comes back from the copy."""
    node.kill()
    shutil.rmtree(node.place)
    done = command("restore", str(backups), str(place), key=key)
    assert done.returncode == 0, done.stderr
    node.place = place
    node.serve()


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
        early = set(marks(one))
        first = one.json("backup", "create", str(backups))
        for sender in senders:
            until("more of it", lambda sender=sender, number=len(sender.acknowledged): len(sender.acknowledged) > number + 3)
            sender.over.set()
        for sender in senders:
            sender.join(30)
        everywhere = [set(sender.acknowledged) for sender in senders]
        until("all of it is everywhere", lambda: all(set().union(*everywhere) <= set(marks(node)) for node in made), 40)
        before = {node.port: sorted(marks(node)) for node in made}
        keys = query(one, "SELECT uri, public FROM actor_key ORDER BY uri")
        again(one, backups, key, tmp_path / "bare")
        back = set(marks(one))
        assert back >= early
        assert query(one, "SELECT uri, public FROM actor_key ORDER BY uri") == keys
        assert query(one, "SELECT count(*) FROM login_session") == [(0,)]
        until("what partners wrote since comes back", lambda: set(marks(one)) >= everywhere[0] | everywhere[2], 40)
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


@pytest.mark.slow
@pytest.mark.rule("OPS-02")
def test_killed_at_every_step_a_backup_or_a_restore_leaves_nothing_half_and_is_run_again(tmp_path: Path) -> None:
    backups, target = tmp_path / "backups", tmp_path / "target"
    node = Process(tmp_path / "node", 18_000)
    node.init("Meridian Outreach", [])
    key = node.json("backup", "key")["key"]
    node.run("user", "add", "ilse", "--role", "admin")
    for point in (name for name in BACKUP if name.startswith("backup")):
        assert command("-C", str(node.place), "backup", "create", str(backups), crash=point).returncode == -9
        listed = node.json("backup", "list", str(backups))
        assert len(listed) == (point == "backup.written"), point
    node.run("backup", "create", str(backups))
    assert not (node.place / "backup.tmp").exists()
    for point in (name for name in BACKUP if name.startswith("restore")):
        assert command("restore", str(backups), str(target), crash=point, key=key).returncode == -9
        assert not target.exists(), point
    assert command("restore", str(backups), str(target), key=key).returncode == 0
    assert not list(tmp_path.glob("*.restoring"))
    assert [path.stat().st_mode & 0o077 for path in target.iterdir()] == [0] * len(list(target.iterdir()))
    restored = Process(target, node.port)
    assert [member["username"] for member in restored.json("user", "list")] == ["ilse"]
    assert restored.json("audit", "verify")["broken_at"] is None
    marked = b"Meridian"
    assert not [path for path in backups.rglob("*") if path.is_file() and marked in path.read_bytes()]
