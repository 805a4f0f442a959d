"""Shows the doctor as an admin meets it: beside a node that runs, beside one that was killed, on both databases and on a full disk."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fedcollab.doctor.checks import CODES
from tests.needs import lacking
from tests.ports import free_ports

from .databases import change
from .processes import CLI, Process, befriend, nodes, until
from .test_full_disk import small_disk

Urls = Callable[[int], list[str]]


def doctor(node: Process, *words: str) -> tuple[int, dict[str, str]]:
    """(exit code, {code: level}) of a visit."""
    done = node.run("doctor", *words, check=False)
    assert done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    return done.returncode, {words[1]: words[0] for words in lines if words[1] in CODES}


def unwell(levels: dict[str, str]) -> dict[str, str]:
    return {code: level for code, level in levels.items() if level not in ("ok", "-")}


@pytest.mark.timeout(300)
@pytest.mark.sampled
def test_a_volunteer_asks_the_doctor_while_the_node_runs_and_after_it_was_killed(tmp_path: Path, urls: Urls) -> None:
    with nodes(tmp_path, ["Meridian Outreach", "Casa Ladera"], urls(2)) as (one, other):
        befriend(one, other)
        until("both follow", lambda: doctor(one, "--only", "follows") == (0, {"follows": "ok"}))
        usual = {"backup-to": "WARN", "backup-key": "WARN", "backup-age": "WARN", "admins": "WARN", "words": "WARN"}
        code, levels = doctor(one)
        assert (code, unwell(levels)) == (0, usual)
        seen = {"running", "version", "reached", "proxy", "webfinger", "actor", "signature", "forwarded", "clock", "schema", "queue"}
        assert {name for name in seen if levels[name] != "ok"} == set()
        assert list(levels) == list(CODES)

        one.run("user", "add", "lea", "--role", "admin")
        one.run("partner", "checked", other.url)
        one.run("backup", "key")
        assert unwell(doctor(one)[1]) == {"backup-to": "WARN", "backup-age": "WARN"}

        one.kill()
        code, levels = doctor(one)
        assert (code, unwell(levels)) == (1, {"backup-to": "WARN", "backup-age": "WARN", "running": "FAIL"})
        assert levels["clock"] == "ok", "the partner is asked all the same"
        one.serve()
        assert doctor(one)[0] == 0


@pytest.mark.timeout(300)
def test_an_older_step_and_a_partner_that_is_gone_are_found(tmp_path: Path, urls: Urls) -> None:
    with nodes(tmp_path, ["Meridian Outreach", "Casa Ladera"], urls(2)) as (one, other):
        befriend(one, other)
        assert doctor(one, "--only", "schema", "--only", "silent", "--only", "record") == (
            0,
            {"schema": "ok", "record": "ok", "silent": "ok"},
        )
        other.kill()
        change(one, "UPDATE partner SET attempts = 4, last_success_at = 1")
        assert doctor(one, "--only", "silent") == (0, {"silent": "WARN"})
        change(one, "UPDATE audit_entry SET action = 'nothing' WHERE seq = 2")
        assert doctor(one, "--only", "record") == (1, {"record": "FAIL"})
        change(one, "UPDATE alembic_version SET version_num = '0001'")
        code, levels = doctor(one)
        assert (code, levels["schema"], levels["queue"]) == (1, "FAIL", "-")
        assert unwell(levels).keys() >= {"schema", "backup-to"}


@pytest.mark.slow
def test_a_full_disk_is_found_on_the_disk_itself(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, nodes(disk, ["Meridian Outreach"]) as (node,):
        found: dict[str, Any] = {check["code"]: check for check in node_json(node)["checks"]}
        assert found["disk"]["level"] == "FAIL"
        assert "0.0 GB are free" in found["disk"]["text"]
        (disk / "filler").write_bytes(b"x" * (4 << 20))
        assert node.run("doctor", "--only", "disk", check=False).returncode == 1


@pytest.mark.slow
def test_on_a_machine_without_a_network_nothing_is_blamed_for_it(tmp_path: Path) -> None:
    node = Process(tmp_path / "node", free_ports(1)[0])
    made = node.command("init", str(node.place), "--name", "Meridian", "--base-url", "https://node.example.org")
    assert made.returncode == 0
    words = ["unshare", "--net", *CLI, "-C", str(node.place), "doctor", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if not done.stdout:
        lacking(f"no network can be taken away here: run as root, with the right to unshare ({done.stderr.strip()})")
    found = {check["code"]: check for check in json.loads(done.stdout)["checks"]}
    assert {code for code, check in found.items() if check["level"] == "FAIL"} == {"running", "admins"}
    assert "no network" in found["name"]["text"]
    assert "no network" in found["reached"]["text"]


def node_json(node: Process) -> Any:
    return json.loads(node.run("doctor", "--json", check=False).stdout)
