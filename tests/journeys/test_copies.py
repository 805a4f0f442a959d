"""Shows the database as it was before an upgrade coming back, on both databases, while the node stands still and not otherwise."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import free_ports

from .databases import change, query
from .processes import Process

Urls = Callable[[int], list[str]]


def made(tmp_path: Path, urls: Urls) -> Process:
    node = Process(tmp_path / "node", free_ports(1)[0])
    node.init("Meridian Outreach", [], urls(1)[0])
    for name in ("ilse", "hugo"):
        node.run("user", "add", name, "--role", "admin", "--role", "member")
    return node


def members(node: Process) -> dict[str, bool]:
    return {member["username"]: member["disabled_at"] is None for member in node.json("user", "list")}


def test_the_database_comes_back_as_it_was_without_what_a_newer_program_made(tmp_path: Path, urls: Urls) -> None:
    node, copy = made(tmp_path, urls), tmp_path / "copy"
    node.run("database", "save", str(copy))
    assert copy.stat().st_mode & 0o077 == 0
    node.run("user", "add", "late")
    change(node, "CREATE TABLE newer (id INTEGER)")
    change(node, "UPDATE alembic_version SET version_num = '9999'")
    assert node.json("database", "step")["at"] == "9999"
    node.run("database", "load", str(copy))
    assert node.json("database", "step")["at"] == node.json("database", "step")["needed"]
    assert members(node) == {"ilse": True, "hugo": True}
    assert query(node, "SELECT count(*) FROM audit_entry WHERE action = 'node.rollback'") == [(0,)]
    node.serve()
    assert node.stop() == 0


@pytest.mark.sampled
def test_a_node_that_has_served_since_goes_on_without_what_was_taken_away(tmp_path: Path, urls: Urls) -> None:
    node, copy, erased = made(tmp_path, urls), tmp_path / "copy", tmp_path / "erased"
    node.run("login-link", "ilse")
    node.run("database", "save", str(copy))
    node.run("user", "disable", "hugo")
    erased.write_text(node.run("database", "erased", "--json").stdout)
    node.run("database", "load", str(copy), "--served", "--erased", str(erased))
    assert members(node) == {"ilse": True, "hugo": False}
    assert query(node, "SELECT count(*) FROM login_link") == [(0,)]
    assert query(node, "SELECT count(*) FROM audit_entry WHERE action = 'node.rollback'") == [(1,)]
    assert node.json("audit", "verify")["broken_at"] is None


@pytest.mark.sampled
def test_while_the_node_runs_nothing_is_put_in_its_databases_place(tmp_path: Path, urls: Urls) -> None:
    node, copy = made(tmp_path, urls), tmp_path / "copy"
    node.run("database", "save", str(copy))
    node.serve()
    node.run("user", "add", "late")
    refused = node.run("database", "load", str(copy), check=False)
    assert "Stop it first" in refused.stderr
    assert "Stop it first" in node.run("database", "save", str(tmp_path / "beside"), check=False).stderr
    assert not list(tmp_path.glob("beside*"))
    assert "late" in members(node)
    assert node.stop() == 0
    assert "no copy of the database" in node.run("database", "load", str(tmp_path / "none"), check=False).stderr
    assert "late" in members(node)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(copy.read_bytes()[:-1000])
    if urls(1)[0]:
        assert "pg_restore has failed" in node.run("database", "load", str(damaged), check=False).stderr
        assert "late" in members(node), "the database is emptied for a copy alone that can be read"
    node.run("database", "load", str(copy))
    assert "late" not in members(node)
    words = node.run("database", "load", str(tmp_path), check=False).stderr
    assert "Traceback" not in words
