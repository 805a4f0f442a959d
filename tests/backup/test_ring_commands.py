"""Shows what the commands say of the key ring, that a restore killed on the way is run again, and that it may lie in PostgreSQL."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fedcollab import cli
from fedcollab.backup import ring_sets, sets
from fedcollab.backup.store import Store
from fedcollab.base import config
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles
from fedcollab.sealing import wraps
from fedcollab.sealing.ring import open_ring

Kept = tuple[list[str], Path, str]


def said(words: list[str], typed: str = "", code: int = 0) -> str:
    done = CliRunner().invoke(cli.app, words, input=typed)
    assert done.exit_code == code, done.output
    return done.output + (done.exception.in_words() if isinstance(done.exception, Misconfigured) else "")


def put(root: Path, name: str) -> None:
    ring = open_ring(config.load(root, {}), NodeFiles(root))
    with ring.begin() as one:
        wraps.put_wrap(one, name, "k", b"box", 1)
    ring.close()


def held(root: Path) -> list[str]:
    ring = open_ring(config.load(root, {}), NodeFiles(root))
    with ring.look() as look:
        found = sorted(wraps.wraps_to(look, "k"))
    ring.close()
    return found


def backed_up(place: Path, *more: str) -> Kept:
    """How commands of a node begin, where its backups lie, and its printed key; its ring holds one box."""
    node, backups = ["-C", str(place / "node")], place / "backups"
    said(["init", str(place / "node"), "--name", "Kanari", "--base-url", "https://kanari.example.org", *more])
    key = said([*node, "backup", "key"]).partition("machine:")[2].partition("Without")[0]
    put(place / "node", "mk:one")
    said([*node, "backup", "create", str(backups)])
    return node, backups, " ".join(key.split())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return backed_up(tmp_path)


def test_a_restore_says_which_key_ring_came_back(kept: Kept, tmp_path: Path) -> None:
    _, backups, key = kept
    assert "Its key ring is the one of 20" in said(["restore", str(backups), str(tmp_path / "again")], key)
    assert held(tmp_path / "again") == ["mk:one"]
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "again").glob("ring.db*")}
    assert set(found.values()) == {0o600}


@pytest.mark.rule("P13")
def test_a_restore_without_a_key_ring_starts_with_an_empty_one_and_says_what_that_means(kept: Kept, tmp_path: Path) -> None:
    _, backups, key = kept
    [path] = sets.listed(backups / ring_sets.FOLDER)
    head, sealed = path.read_bytes().split(b"\n", 1)
    path.write_bytes(json.dumps(json.loads(head) | {"made_at": json.loads(head)["made_at"] - 14 * DAY}).encode() + b"\n" + sealed)
    words = said(["restore", str(backups), str(tmp_path / "old")], key)
    assert "No key ring came back (1 are older than two weeks, 0 could not be opened): it is empty." in words
    assert "What is sealed stays shut here" in words
    path.unlink()
    found = json.loads(said(["restore", str(backups), str(tmp_path / "none"), "--json"], key))
    assert found["ring"] == {"made_at": None, "dark": 0, "over": 0}
    assert (held(tmp_path / "old"), held(tmp_path / "none")) == ([], [])
    put(tmp_path / "none", "mk:new")
    assert held(tmp_path / "none") == ["mk:new"]


def test_a_backup_of_the_ring_in_the_place_of_a_nodes_is_told_apart_in_words(kept: Kept, tmp_path: Path) -> None:
    _, backups, key = kept
    [ring] = sets.listed(backups / ring_sets.FOLDER)
    said(["restore", str(backups), str(tmp_path / "again"), "--set", f"ring/{ring.name}"], key, code=1)
    (backups / ring.name).write_bytes(ring.read_bytes())
    words = said(["restore", str(backups), str(tmp_path / "again"), "--set", ring.name], key, code=1)
    assert "is a backup of the key ring alone" in words
    assert not (tmp_path / "again").exists()


def test_the_ring_is_listed_and_verified_and_a_piece_that_is_damaged_is_found(kept: Kept) -> None:
    node, backups, key = kept
    listed = json.loads(said([*node, "backup", "list", str(backups), "--json"]))
    assert [one.get("ring", False) for one in listed] == [False, True]
    assert "key ring  key" in said([*node, "backup", "list", str(backups)])
    assert "all there and sound. Opened with the printed key: 1 boxes" in said(
        [*node, "backup", "verify", str(backups), "--key-file", "-"], key
    )
    store = Store(backups / ring_sets.FOLDER / "pieces", b"")
    [name] = store.names()
    store.path(name).write_bytes(b"torn")
    assert "The key ring" in (words := said([*node, "backup", "verify", str(backups)], code=1))
    assert "1 of 1 pieces are missing or damaged" in words
    (backups / ring_sets.FOLDER).rename(backups / "away")
    assert "Of the key ring there is no backup" in said([*node, "backup", "verify", str(backups)])


def test_a_link_in_the_place_of_the_rings_backups_is_not_followed(kept: Kept, tmp_path: Path) -> None:
    node, backups, _ = kept
    elsewhere = tmp_path / "elsewhere"
    (backups / ring_sets.FOLDER).rename(elsewhere)
    (backups / ring_sets.FOLDER).symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    assert "is a link" in said([*node, "backup", "create", str(backups)], code=1)
    assert sorted(elsewhere.rglob("*")) == before
    (backups / ring_sets.FOLDER).unlink()
    said([*node, "backup", "create", str(backups)])


def test_migrate_and_step_speak_of_both_databases(kept: Kept, tmp_path: Path) -> None:
    node, _, _ = kept
    (tmp_path / "node" / "ring.db").unlink()
    step = json.loads(said([*node, "database", "step", "--json"]))
    assert step["ring"] == {"at": "", "needed": "0001"}
    assert "Run: fedcollab -C DIR migrate" in said([*node, "user", "list"], code=1)
    assert json.loads(said([*node, "migrate", "--json"]))["ring"] == {"from": "", "to": "0001"}
    said([*node, "user", "list"])
    assert (tmp_path / "node" / "ring.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_restore_killed_when_the_ring_was_filled_is_run_again(kept: Kept, tmp_path: Path) -> None:
    _, backups, key = kept
    words = [sys.executable, "-m", "fedcollab", "restore", str(backups), str(tmp_path / "again")]
    environment = os.environ | {"FEDCOLLAB_CRASH_AT": "ring.restored"}
    done = subprocess.run(words, input=key, text=True, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == -9
    assert not (tmp_path / "again").exists()
    said(words[3:], key)
    assert held(tmp_path / "again") == ["mk:one"]


@pytest.mark.postgres
@pytest.mark.slow
def test_both_databases_in_postgresql_come_back_into_empty_ones_and_into_no_other(postgres: object, tmp_path: Path) -> None:
    url = postgres  # type: ignore[assignment]
    main, ring = url("main"), url("ring")  # type: ignore[operator]
    _, backups, key = backed_up(tmp_path, "--database-url", main, "--ring-url", ring)
    assert not (tmp_path / "node" / "ring.db").exists()
    words = ["restore", str(backups), str(tmp_path / "again"), "--database-url", url("main")]  # type: ignore[operator]
    assert "not empty. Make a new one and name it: --ring-url" in said(words, key, code=1)
    fresh = url("ring")  # type: ignore[operator]
    environment = os.environ | {"FEDCOLLAB_CRASH_AT": "ring.restored"}
    command = [sys.executable, "-m", "fedcollab", *words, "--ring-url", fresh]
    done = subprocess.run(command, input=key, text=True, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == -9
    said([*words, "--ring-url", fresh], key)
    assert held(tmp_path / "again") == ["mk:one"]
    assert config.load(tmp_path / "again", {}).ring_url == fresh


@pytest.mark.postgres
def test_one_database_for_both_is_refused_however_its_address_is_written(postgres: object, tmp_path: Path) -> None:
    url = postgres("both")  # type: ignore[operator]
    words = ["init", str(tmp_path / "node"), "--name", "Kanari", "--base-url", "https://kanari.example.org", "--database-url", url]
    assert "must name another database" in said([*words, "--ring-url", url], code=1)
    assert "name the same database" in said([*words, "--ring-url", url + "&application_name=x"], code=1)
    said([*words, "--ring-url", postgres("ring")])  # type: ignore[operator]
    settings = tmp_path / "node" / "node.toml"
    kept = [line for line in settings.read_text().splitlines() if not line.startswith("ring_url")]
    settings.write_text("\n".join([*kept, config.line("ring_url", url + "&application_name=x"), ""]))
    assert "names the wrong one of the node's two databases" in said(["-C", str(tmp_path / "node"), "user", "list"], code=1)
