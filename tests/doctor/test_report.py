"""Shows how findings read: on a terminal, and in a forum, where nobody can tell whose node it is."""

import re
from pathlib import Path

import pytest

from fedcollab.doctor import report
from fedcollab.doctor.checks import CHECKS, CODES, Check, _run, examine
from fedcollab.doctor.findings import OK, SKIP, WARN, Finding, Open, Partners, fail, ok, warn
from fedcollab.doctor.patient import Patient

from .faults import AS_ROOT, LOCAL, delivery, failed, partners
from .outside import OUTER
from .patients import CANARIES, PARTNERS, Ward, ward

NOT_BY_FAULT = {"redirect": "test_outside", "clock": "test_clock"}  # planted in tests of their own


def test_at_least_twenty_faults_are_planted_and_every_code_is_found_by_one() -> None:
    planted = [fault.code for fault in (*LOCAL, *OUTER, AS_ROOT)]
    print(f"{len(planted)} faults of {len(set(planted))} codes")
    assert len(planted) >= 20
    assert set(planted) | set(NOT_BY_FAULT) == set(CODES)


def test_codes_are_words_that_can_be_looked_up() -> None:
    assert len(set(CODES)) == len(CODES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in CODES)
    asking = [check.asks for check in CHECKS]
    assert asking == sorted(asking), "those that ask others are last"


async def test_what_strangers_see_names_nobody_however_much_is_wrong(tmp_path: Path) -> None:
    sick = ward(tmp_path / "kanari-home")
    for fault in LOCAL:
        if fault.code in ("admins", "factors", "disk", "gap", "follows", "words", "new-keys"):
            fault.plant(sick)
    failed(sick)
    delivery("waiting", 10**12)(sick)
    partners("last_error = 'kanari.example said geheim', attempts = 9, last_success_at = :ago", *PARTNERS, ago=10**11)(sick)
    found = await sick.examine()
    spoken = "\n".join(report.line(sick.patient(), check, finding) for check, finding in found)
    shown = report.redacted(found) + str(report.redacted_data(found))
    assert PARTNERS[0] in spoken, "the admin sees it"
    assert str(sick.root) in spoken
    assert [word for word in CANARIES if word in shown] == []
    assert "partner 1" in shown
    assert str(tmp_path) not in shown


@pytest.mark.rule("OPS-01")
async def test_the_password_of_a_database_is_in_no_report(tmp_path: Path) -> None:
    sick = ward(tmp_path)
    sick.set(database_url="postgresql://kanari:geheim@127.0.0.1:1/kanari")
    found = await sick.examine(offline=True)
    said = "\n".join(report.line(sick.patient(), check, finding) for check, finding in found)
    assert ("geheim" in said, "FAIL  database" in said) == (False, True)
    assert [word for word in CANARIES if word in report.redacted(found)] == []


async def test_an_error_of_a_check_stands_in_nobodys_way_and_says_nothing_of_the_node(tmp_path: Path) -> None:
    def broken(_patient: Patient) -> Finding:
        raise RuntimeError("kanari geheim")

    patient = ward(tmp_path).patient()
    finding = await _run(patient, Check("queue", broken))
    assert (finding.level, "RuntimeError" in finding.words(), "geheim" in finding.words()) == (SKIP, True, False)


def test_only_numbers_partners_numbers_and_words_of_ours_are_shown() -> None:
    hosts = Partners({1: "kanari.example", 4: "b.example", 5: "c.example", 7: "d.example"})
    found = warn("%(number)d of %(who)s at %(path)s by %(version)s", "x", number=3, who=hosts, path="/kanari", version=Open("1.0"))
    assert found.redacted() == "3 of partner 1, partner 4, partner 5 and 1 more at [path] by 1.0"
    assert found.words() == "3 of kanari.example, b.example, c.example and 1 more at /kanari by 1.0"


def test_what_would_move_a_terminal_is_left_out() -> None:
    found = fail("It said %(why)s", "Run %(why)s", why="a\x1b[2Jb\nc")
    assert (found.words(), found.remedy({})) == ("It said a [2Jb c", "Run a [2Jb c")


async def test_lines_are_aligned_and_each_has_its_code(tmp_path: Path) -> None:
    node: Ward = ward(tmp_path)
    node.set(backup_to="")
    patient = node.patient()
    lines = [line for c, f in [found async for found in examine(patient, offline=True)] for line in report.line(patient, c, f).split("\n")]
    checks = [line for line in lines if line and not line.startswith(" ")]
    assert [line[6:].split()[0] for line in checks] == list(CODES)
    start = 6 + report.WIDTH + 2
    assert {line[start - 1] for line in checks} == {" "}
    assert all(line[start] != " " for line in checks)
    assert {line[:start] for line in lines if line.startswith(" ")} == {" " * start}
    assert max(len(line) for line in checks) <= 120


def test_the_last_line_counts_and_says_where_to_read_on() -> None:
    well, sick = [ok("x")] * 3, [fail("x", "y"), warn("x", "y"), ok("x"), Finding(SKIP, "x")]
    assert report.summary(well) == "3 well. Nothing to do."
    assert (
        report.summary(sick) == "1 to mend, 1 to look at, 1 well, 1 not looked at. What each of them means: docs/admins/troubleshooting.md"
    )
    assert (OK, WARN) == ("OK", "WARN")


@pytest.mark.parametrize("code", CODES)
def test_each_checks_words_name_their_code(code: str) -> None:
    [check] = [check for check in CHECKS if check.code == code]
    assert (check.run.__doc__ or "").startswith(f"`{code}`: ")
