"""Shows the command itself: its exit code, --json, --only, --offline and --redacted-report."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fedcollab import __version__, cli
from fedcollab.doctor.checks import CODES
from fedcollab.doctor.findings import FAIL, OK

from .patients import CANARIES, Ward, ward


@pytest.fixture
def well(tmp_path: Path) -> Ward:
    return ward(tmp_path)


def doctor(ward: Ward, *words: str) -> Result:
    return CliRunner().invoke(cli.app, ["-C", str(ward.root), "doctor", *words])


def test_one_check_alone_answers_with_0_where_it_is_well_and_1_where_it_fails(well: Ward) -> None:
    done = doctor(well, "--only", "settings")
    assert (done.exit_code, done.output) == (0, "ok    settings        node.toml is well.\n\n1 well. Nothing to do.\n")
    (well.root / "node.toml").write_text("]")
    done = doctor(well, "--only", "settings")
    assert (done.exit_code, "FAIL  settings" in done.output, str(well.root / "node.toml") in done.output) == (1, True, True)


def test_a_warning_is_no_failure(well: Ward) -> None:
    well.files.backup_key.unlink()
    done = doctor(well, "--only", "backup-key", "--only", "schema")
    assert done.exit_code == 0
    assert f"fedcollab -C {well.root} backup key" in done.output
    assert "1 to look at, 1 well." in done.output


def test_an_unknown_code_is_a_command_written_wrongly(well: Ward) -> None:
    done = doctor(well, "--only", "nothing")
    assert (done.exit_code, "backup-age" in done.output) == (2, True)


def test_json_has_every_check_with_its_remedy(well: Ward) -> None:
    found = json.loads(doctor(well, "--offline", "--json").output)
    assert (found["version"], found["well"]) == (__version__, False), "nothing runs here"
    assert [check["code"] for check in found["checks"]] == list(CODES)
    by_code = {check["code"]: check for check in found["checks"]}
    assert by_code["running"]["level"] == FAIL
    assert by_code["running"]["mend"].endswith(f"fedcollab -C {well.root} serve")
    assert (by_code["schema"]["level"], by_code["schema"]["mend"]) == (OK, "")


def test_a_report_for_a_forum_is_text_or_json_and_names_nobody(well: Ward) -> None:
    done = doctor(well, "--offline", "--redacted-report")
    assert (done.exit_code, done.output.startswith(f"fedcollab {__version__} on ")) == (1, True)
    written = doctor(well, "--offline", "--redacted-report", "--json").output
    assert set(json.loads(written)["checks"][0]) == {"code", "level", "text"}
    assert [word for word in CANARIES if word in done.output + written] == []


def test_a_doctor_beside_a_writer_waits_for_nobody_and_keeps_nobody_waiting(well: Ward) -> None:
    import sqlite3

    holding = sqlite3.connect(well.files.database, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    holding.execute("DELETE FROM backup_run")
    done = asyncio.run(asyncio.wait_for(well.levels("backup-age", "integrity", "record", "queue"), 4))
    holding.execute("COMMIT")
    holding.close()
    assert set(done.values()) == {OK}, "it reads what was there before"
