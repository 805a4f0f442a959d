"""Shows an upgrade that goes through, one that is killed at each of its steps, those that fail by themselves, and the way back by hand."""

import json
import re
import shlex
from collections.abc import Callable

import pytest

from deploy._node.journal import POINTS

from .conftest import MERIDIAN, Installed

NEXT, NEXT_VERSION = "/srv/next", "99.0.0"
WHOLE = ("upgrade.start", "upgrade.look")  # killed there, all is done but to look: it stays, for members may write from then on
STEP = "9999_next.py"
MIGRATION = '''"""What a later release might do."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{before}"
def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("UPDATE actor SET summary = 'seen by the later release'")
{more}'''


@pytest.fixture
def made(installed: Installed) -> Installed:
    """A machine whose node has a member's words in it, and beside its checkout the next release's."""
    if "later" not in installed.tree.run("ls", "/srv"):
        installed.node("group", "add", "leads", "--name", "Leads")
        installed.tree.run("touch", "/srv/later")
    release(installed, "")
    return installed


def release(installed: Installed, more: str) -> None:
    """The next release's checkout, with `more` lines in its migration."""
    tree = installed.tree
    kept = f"readlink /opt/fedcollab/current | grep -q {NEXT_VERSION} || rm -rf /opt/fedcollab/releases/{NEXT_VERSION}"
    tree.run("sh", "-c", f"{kept}; rm -rf {NEXT} && cp -r /srv/fedcollab {NEXT}")
    tree.run("sed", "-i", f's/^__version__ = .*/__version__ = "{NEXT_VERSION}"/', f"{NEXT}/fedcollab/__init__.py")
    before = max(re.findall(r"^(\d{4})_", tree.run("ls", f"{NEXT}/migrations/versions"), re.MULTILINE))
    tree.write(f"{NEXT}/migrations/versions/{STEP}", MIGRATION.format(before=before, more=more))


def upgrade(installed: Installed, *more: str, crash: str = "", code: int = 0) -> str:
    return installed.tree.run("env", f"FEDCOLLAB_CRASH_AT={crash}", f"{NEXT}/deploy/upgrade", *more, code=code)


def recover(installed: Installed) -> None:
    """What the next start of the machine does."""
    log = "/run/stand-in/fedcollab-recover.service.log"
    installed.tree.run("sh", "-c", f"systemctl start fedcollab-recover.service || {{ cat {log}; exit 1; }}")


def runs(installed: Installed) -> tuple[str, str, bool]:
    """(version that answers through Caddy, step of its database, whether its group is there)."""
    status, body = installed.tree.visit(f"https://{MERIDIAN}/nodeinfo/2.1")
    assert status == 200
    step = installed.json("database", "step")
    assert isinstance(step, dict)
    assert installed.tree.visit(f"https://{MERIDIAN}/login")[0] == 200
    groups = "Leads" in installed.tree.run("python3", "-c", f"import sqlite3; print({QUERY})")
    return json.loads(body)["software"]["version"], step["at"], groups


QUERY = "sqlite3.connect('/var/lib/fedcollab/meridian/node.db').execute('SELECT name FROM actor').fetchall()"


@pytest.mark.full
@pytest.mark.rule("R16")
@pytest.mark.timeout(900)
def test_killed_at_each_step_the_next_start_of_the_machine_brings_back_what_ran(
    made: Installed, record_property: Callable[[str, object], None]
) -> None:
    before, points = runs(made), [point for point in POINTS if point not in WHOLE]
    assert before[2]
    for point in points:
        if point.startswith("back."):
            upgrade(made, crash="upgrade.migrate", code=-9)
            made.tree.run("env", f"FEDCOLLAB_CRASH_AT={point}", "/opt/fedcollab/current/deploy/upgrade", "--recover", code=-9)
        else:
            upgrade(made, crash=point, code=-9)
        made.tree.run("test", "-e", "/var/lib/fedcollab/upgrade/under-way")
        recover(made)
        said = made.tree.read("/run/stand-in/fedcollab-recover.service.log")
        assert f"was to {point.split('.')[1]}; it is undone first" in said or point.startswith("back."), (point, said)
        assert runs(made) == before, point
        made.tree.run("test", "!", "-e", "/var/lib/fedcollab/upgrade/under-way")
    for point in WHOLE:
        upgrade(made, crash=point, code=-9)
        recover(made)
        assert runs(made) == (NEXT_VERSION, "9999", True), point
        made.tree.run(f"{NEXT}/deploy/rollback", "--yes")
        assert runs(made) == before, point
    said = upgrade(made)
    down = int(re.search(r"answer again after (\d+) s", said)[1])  # type: ignore[index]
    record_property("said", f"killed at {len(points)} points and brought back; an upgrade was {down} s without a node")
    assert down < 60
    assert runs(made) == (NEXT_VERSION, "9999", True)
    assert "runs 99.0.0 already" in upgrade(made)


@pytest.mark.timeout(600)
def test_back_by_hand_says_what_it_costs_and_goes_on_without_what_was_taken_away(made: Installed) -> None:
    if runs(made)[0] != NEXT_VERSION:
        upgrade(made)
    made.node("user", "add", "late")
    made.node("user", "add", "second", "--role", "admin")
    asked = made.tree.run(f"{NEXT}/deploy/rollback", typed="no\n", code=1)
    assert "What your members wrote since is gone here" in asked
    assert "Nothing was changed." in asked
    assert runs(made)[0] == NEXT_VERSION
    said = made.tree.run(f"{NEXT}/deploy/rollback", typed="back\n")
    assert "All nodes run" in said
    version, step, groups = runs(made)
    assert (version, step, groups) != (NEXT_VERSION, "9999", True)
    assert groups
    members = made.json("user", "list")
    assert isinstance(members, list)
    assert "late" not in {member["username"] for member in members}
    made.node("audit", "verify")
    made.tree.run("test", "-e", "/var/lib/fedcollab/upgrade/meridian/newer")
    assert "no upgrade to take back" in made.tree.run(f"{NEXT}/deploy/rollback", "--yes", code=1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("more", "breaks", "said"),
    [
        ("    op.execute('UPDATE nowhere SET id = 1')\n", "", "The node did not do it: fedcollab-node --release 99.0.0 meridian migrate"),
        pytest.param("", "raise SystemExit('broken release')", "fedcollab@meridian.service does not start", marks=pytest.mark.full),
    ],
    ids=["migration", "start"],
)
def test_what_fails_goes_back_by_itself_and_says_why(made: Installed, more: str, breaks: str, said: str) -> None:
    before = runs(made)
    release(made, more)
    if breaks:
        made.tree.run("sh", "-c", f"echo {shlex.quote(breaks)} >> {NEXT}/fedcollab/serve.py")
    told = upgrade(made, code=1)
    assert said in told
    assert f"The nodes run {before[0]}, as before." in told
    assert runs(made) == before


@pytest.mark.timeout(600)
def test_an_upgrade_begins_with_a_backup_and_with_nodes_that_answer(made: Installed) -> None:
    before = runs(made)
    made.tree.run("mv", "/var/lib/fedcollab/meridian/backup.key", "/srv/away")
    told = upgrade(made, code=1)
    assert "An upgrade begins with a backup" in told
    made.tree.run("mv", "/srv/away", "/var/lib/fedcollab/meridian/backup.key")
    made.tree.run("sh", "-c", "kill -STOP $(cat /run/stand-in/fedcollab@meridian.service)")
    told = upgrade(made, code=1)
    made.tree.run("sh", "-c", "kill -CONT $(cat /run/stand-in/fedcollab@meridian.service)")
    assert "meridian does not answer now" in told
    made.tree.run("sed", "-i", 's/^__version__ = .*/__version__ = "0.0.1"/', f"{NEXT}/fedcollab/__init__.py")
    assert "there is no way down" in upgrade(made, code=1)
    assert runs(made) == before
