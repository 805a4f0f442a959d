"""Plants a fault in a node on its own machine: its code names it and no other does, what a forum sees of it names nobody."""

import os
from pathlib import Path

import pytest

from fedcollab.base import paths
from fedcollab.base.clock import HOUR, MINUTE
from fedcollab.doctor import database, files, process, report
from fedcollab.doctor.checks import CHECKS
from fedcollab.doctor.findings import FAIL, OK, SKIP, WARN
from tests.needs import lacking

from .faults import AS_ROOT, LOCAL, Fault, partners
from .patients import CANARIES, PARTNERS, Ward, unwell, ward

HERE = [check.code for check in CHECKS if not check.asks and check.run.__module__ != process.__name__]


async def found(fault: Fault, sick: Ward) -> None:
    """The code is well before, alone unwell after, and says what to do in words without a trace of names in the report."""
    assert (await sick.levels(fault.code)) == {fault.code: OK}
    fault.plant(sick)
    after = await sick.examine(*HERE)
    assert unwell({check.code: finding.level for check, finding in after}) == {fault.code: fault.level}
    [finding] = [finding for check, finding in after if check.code == fault.code]
    remedy = finding.remedy(sick.patient().place)
    assert len(remedy) > 10
    assert "%(" not in finding.words() + remedy
    assert "\n" not in finding.words() + remedy
    shown = report.redacted(after)
    assert fault.code in shown
    assert [word for word in (*CANARIES, str(sick.root.parent)) if word in shown] == []


@pytest.mark.parametrize("fault", LOCAL, ids=lambda fault: fault.name)
async def test_the_doctor_finds_each_planted_fault_by_its_code(fault: Fault, tmp_path: Path) -> None:
    await found(fault, ward(tmp_path))


IN_EARNEST = {
    "master-key": ["/etc/fedcollab/kanari-node/node.key", "/opt/fedcollab/current/deploy/install --restore"],
    "database": ["/opt/fedcollab/current/deploy/install --restore"],
    "backup-to": ["/opt/fedcollab/current/deploy/install --node kanari-node --backups"],
    "backup-disk": ["/opt/fedcollab/current/deploy/install --node kanari-node --backups"],
    "backup-run": ["systemctl start fedcollab-backup@kanari-node"],
    "backup-age": ["systemctl start fedcollab-backup@kanari-node"],
    "admins": ["fedcollab-node kanari-node user add"],
}


@pytest.mark.parametrize("fault", [fault for fault in LOCAL if fault.code in IN_EARNEST], ids=lambda fault: fault.name)
async def test_on_a_machine_of_the_installer_remedies_are_commands_of_that_machine(
    fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = ward(tmp_path)
    fault.plant(sick)
    [(_, finding)] = await sick.examine(fault.code)
    by_hand = finding.remedy(sick.patient().place)
    monkeypatch.setattr(paths, "COMMAND", tmp_path)
    monkeypatch.setattr(paths, "NODES", tmp_path.resolve())
    [(_, finding)] = await sick.examine(fault.code)
    remedy = finding.remedy(sick.patient().place)
    assert [words for words in IN_EARNEST[fault.code] if words not in remedy or words in by_hand] == []
    assert "fedcollab -C" not in remedy


async def test_a_file_of_another_user_is_found(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        lacking("only root can give a file to another user")
    await found(AS_ROOT, ward(tmp_path))


async def test_the_wrong_user_is_told_who_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    well = ward(tmp_path)
    assert await well.levels("owner") == {"owner": OK}
    monkeypatch.setattr(files.os, "geteuid", lambda: 54321)
    [(_, finding)] = await well.examine("owner")
    assert (finding.level, str(well.root.stat().st_uid) in finding.remedy({})) == (FAIL, True)


async def test_a_node_that_is_well_has_nothing_to_mend(tmp_path: Path) -> None:
    assert set((await ward(tmp_path).levels(*HERE)).values()) == {OK}


async def test_a_partner_that_was_admitted_a_moment_ago_is_not_called_silent_for_its_first_failure(tmp_path: Path) -> None:
    new = ward(tmp_path)
    never = "attempts = 1, last_error = 'kanari', last_success_at = NULL, decided_at = :ago"
    partners(never, PARTNERS[0], ago=MINUTE)(new)
    assert await new.levels("silent") == {"silent": OK}
    partners(never, PARTNERS[0], ago=2 * HOUR)(new)
    assert await new.levels("silent") == {"silent": WARN}


async def test_where_one_thing_is_broken_the_others_are_looked_at_all_the_same(tmp_path: Path) -> None:
    sick = ward(tmp_path)
    (sick.root / "node.toml").write_text("]")
    levels = await sick.levels(offline=True)
    assert list(levels) == [check.code for check in CHECKS]
    assert unwell(levels) == {"settings": FAIL}
    assert {"master-key", "permissions", "owner", "disk", "inodes", "memory"} <= {code for code, level in levels.items() if level == OK}
    assert levels["queue"] == SKIP


async def test_a_directory_without_a_node_breaks_no_check(tmp_path: Path) -> None:
    nowhere = Ward(tmp_path / "nothing")
    findings = await nowhere.examine(offline=True)
    assert [check.code for check, finding in findings if "report it" in finding.words()] == []
    assert ("settings", FAIL) in [(check.code, finding.level) for check, finding in findings]


async def test_a_large_database_is_looked_at_for_a_while_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    well = ward(tmp_path)
    monkeypatch.setattr(database, "LOOKED_AT", -1.0)
    monkeypatch.setattr(database, "STEPS", 1)
    [(_, finding)] = await well.examine("integrity")
    assert (finding.level, "within" in finding.words()) == (OK, True)


async def test_the_doctor_changes_nothing(tmp_path: Path) -> None:
    well = ward(tmp_path)
    before = {path: path.read_bytes() for path in well.root.iterdir() if not path.name.endswith("-shm")}
    await well.levels(offline=True)
    after = {path: path.read_bytes() for path in well.root.iterdir() if not path.name.endswith("-shm")}
    assert {path: text for path, text in after.items() if text or path in before} == before
