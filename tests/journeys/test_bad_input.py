"""Shows that a node that cannot start, or a command that cannot do its work, says what to do and has changed nothing."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .databases import change, query
from .processes import Process, nodes

pytestmark = pytest.mark.slow


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Process]:
    """A node that was set up, with an admin, and stopped."""
    with nodes(tmp_path, ["Meridian Outreach"]) as (made,):
        made.stop()
        yield made


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line that says why not; whatever went wrong inside stays inside."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("fedcollab: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def works(node: Process) -> None:
    """The node serves, and its members are still there."""
    node.serve()
    assert [m["username"] for m in node.json("user", "list")] == ["ilse"]
    node.stop()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('listen = "', 'listen = "nowhere ', 'listen must be HOST:PORT. Write for example: listen = "127.0.0.1:8000"'),
        ("trial = true", 'trial = "yes"', "trial has the wrong kind of value. Write for example: trial = true"),
        ("trial = true", "", "base_url must begin with https"),
        ('name = "', 'nmae = "', "unknown setting nmae. Known are: name, base_url"),
        ('name = "', "name = ", "is not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_the_line_to_write(one: Process, old: str, new: str, words: str) -> None:
    written = (one.place / "node.toml").read_text()
    edit(one.place / "node.toml", old, new)
    for command in (("serve",), ("user", "list")):
        said = refused(one.run(*command, check=False))
        assert words in said
        assert "node.toml" in said
    (one.place / "node.toml").write_text(written)
    works(one)


def test_a_busy_port_is_named_with_the_line_to_write(one: Process) -> None:
    with socket.socket() as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        busy.bind(("127.0.0.1", one.port))
        busy.listen()
        said = refused(one.run("serve", check=False))
        assert f"Can't listen on 127.0.0.1:{one.port}" in said
        assert 'listen = "127.0.0.1:' in said
        assert one.json("user", "list"), "commands need no port"
    works(one)


def test_a_database_newer_than_the_program_is_left_alone(one: Process) -> None:
    [(step,)] = query(one, "SELECT version_num FROM alembic_version")
    change(one, "UPDATE alembic_version SET version_num = '9999'")
    for command in (("serve",), ("migrate",), ("user", "add", "daan"), ("audit", "verify")):
        assert "a newer one wrote it. Install that one again" in refused(one.run(*command, check=False))
    assert query(one, "SELECT username FROM member") == [("ilse",)]
    change(one, f"UPDATE alembic_version SET version_num = '{step}'")
    works(one)


def test_an_older_database_names_the_command_that_brings_it_on(one: Process) -> None:
    (one.place / "node.db").rename(one.place / "kept.db")
    assert "Run: fedcollab -C DIR migrate" in refused(one.run("serve", check=False))
    for leftover in one.place.glob("node.db*"):
        leftover.unlink()
    (one.place / "kept.db").rename(one.place / "node.db")
    works(one)


def test_a_database_that_cannot_be_opened_is_named(one: Process) -> None:
    (one.place / "node.db").rename(one.place / "kept.db")
    (one.place / "node.db").mkdir()
    for command in (("serve",), ("user", "list"), ("migrate",)):
        assert "database can't be opened" in refused(one.run(*command, check=False))
    (one.place / "node.db").rmdir()
    (one.place / "node.db").write_text("this is no database, however long it may be" * 100)
    assert "database can't be opened" in refused(one.run("serve", check=False))
    (one.place / "node.db").unlink()
    (one.place / "kept.db").rename(one.place / "node.db")
    works(one)


def test_a_database_server_that_does_not_answer_is_named(one: Process) -> None:
    with (one.place / "node.toml").open("a") as file:
        file.write('database_url = "postgresql://nobody@127.0.0.1:1/none"\n')
    for command in (("serve",), ("user", "list")):
        said = refused(one.run(*command, check=False))
        assert "database can't be opened" in said
        assert "database_url" in said


@pytest.mark.parametrize("where", ["file", "file/below", "/sys/fedcollab-node", "/proc/self/fedcollab-node"])
def test_a_directory_that_cannot_be_written_is_named_and_nothing_is_left_behind(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / where
    said = refused(Process.command("init", str(place), "--name", "M", "--base-url", "https://node.example.org"))
    assert f"{place} can't be written" in said
    assert "Choose a directory of yours, or: chown YOU" in said
    assert (tmp_path / "file").read_text() == "in the way"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("left", "words"),
    [("node.toml", "holds a node already"), ("node.key", "holds a node already"), ("node.db", "database can't be opened")],
)
def test_init_takes_nothing_over_where_a_part_of_a_node_is_left(tmp_path: Path, left: str, words: str) -> None:
    (tmp_path / left).write_text("the last of it")
    said = refused(Process.command("init", str(tmp_path), "--name", "M", "--base-url", "https://node.example.org"))
    assert words in said
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(left, "the last of it")]


def test_init_twice_changes_nothing(one: Process) -> None:
    before = {path.name: path.read_bytes() for path in one.place.iterdir() if path.suffix in (".toml", ".key")}
    said = refused(Process.command("init", str(one.place), "--name", "Another", "--base-url", "https://node.example.org"))
    assert "holds a node already" in said
    assert f"fedcollab -C {one.place} serve" in said
    assert {name: (one.place / name).read_bytes() for name in before} == before
    works(one)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--name", " ", "--base-url", "https://node.example.org"), "name must be 1 to 200 characters"),
        (("--name", "M", "--base-url", "node.example.org"), 'base_url = "https://node.example.org"'),
        (("--name", "M", "--base-url", "http://node.example.org"), "must begin with https"),
        (("--name", "M", "--base-url", "https://node.example.org", "--loopback-peer", "127.0.0.1:1"), "trial nodes alone"),
        (("--name", "M", "--base-url", "https://node.example.org", "--database-url", "mysql://x"), "postgresql://"),
    ],
)
def test_init_with_a_wrong_setting_makes_nothing(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    assert words in refused(Process.command("init", str(tmp_path / "node"), *options))
    assert not (tmp_path / "node").exists()


def test_init_with_a_database_server_that_does_not_answer_can_be_repeated(tmp_path: Path) -> None:
    words = ("init", str(tmp_path / "node"), "--name", "M", "--base-url", "https://node.example.org")
    assert "database can't be opened" in refused(Process.command(*words, "--database-url", "postgresql://nobody@127.0.0.1:1/none"))
    assert Process.command(*words).returncode == 0


def test_a_missing_or_anothers_key_is_named_and_the_right_one_opens_the_node_again(one: Process, tmp_path: Path) -> None:
    key = one.place / "node.key"
    kept = key.read_text()
    key.unlink()
    assert f"{key} can't be read" in refused(one.run("serve", check=False))
    for wrong, words in (("short\n", "holds no key of this node"), ("0123456789abcdef" * 4 + "\n", "belongs to another node")):
        key.write_text(wrong)
        key.chmod(0o600)
        for command in (("serve",), ("group", "add", "leads", "--name", "Leads")):
            assert words in refused(one.run(*command, check=False))
    key.write_text(kept)
    key.chmod(0o644)
    assert "chmod 600" in refused(one.run("serve", check=False))
    key.chmod(0o600)
    works(one)
