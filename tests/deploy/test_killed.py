"""Shows that an installation that is killed at any moment, or whose machine loses its power, is finished by the next run."""

import os
import signal
import time
from pathlib import Path

import pytest

from .conftest import FIRST, INSTALL, MERIDIAN
from .trees import Tree

ALONE, ALL = "the installer alone", "everything, as when the power goes"
# The line after whose coming it happens, how much later, in seconds, and what is killed.
MOMENTS = [
    ("Packages", 0.5, ALL),
    ("Packages", 1.0, ALL),
    ("Packages", 1.5, ALONE),
    ("The program", 0.0, ALL),
    ("The program", 1.0, ALONE),
    ("The program", 4.0, ALL),
    ("The node", 0.0, ALONE),
    ("The node", 0.4, ALL),
    ("The node", 1.0, ALL),
    ("The node", 1.0, ALONE),
    ("Its service", 0.1, ALONE),
    ("Caddy", 0.0, ALL),
    ("Caddy", 0.1, ALONE),
    ("The key", 0.0, ALL),
]


@pytest.mark.full
def test_killed_at_any_moment_the_next_run_finishes_it(machine: Tree) -> None:
    for at, (line, later, what) in enumerate(MOMENTS):
        said = killed(machine, line, later, what)
        assert at == 0 or "Going on with Meridian Outreach" in said, said
    if "Meridian Outreach is there" not in machine.run(INSTALL):  # all was done when the power went: the machine starts what is enabled
        machine.run("systemctl", "start", "fedcollab@meridian", "caddy")
    assert f"https://{MERIDIAN}  Meridian Outreach; answers" in machine.run(INSTALL)
    assert machine.run("fedcollab-node", "meridian", "user", "list").split()[:2] == ["ilse", "admin"]
    machine.run("fedcollab-node", "meridian", "audit", "verify")
    assert machine.visit(f"https://{MERIDIAN}/login")[0] == 200
    left = machine.run("sh", "-c", "find /opt/fedcollab /var/lib/fedcollab /etc/fedcollab /etc/systemd/system /etc/caddy -name '*.half*'")
    assert left == ""


def killed(machine: Tree, line: str, later: float, what: str) -> str:
    """Starts the installer and kills it `later` seconds after that line; what it had said."""
    running, said = machine.start(INSTALL, *FIRST), ""
    assert running.stdout is not None
    while not said.rpartition("\n")[0].rpartition("\n")[2].startswith(line):
        said_now = running.stdout.readline()
        assert said_now, f"it ended before it said {line}: {said}"
        said += said_now
    time.sleep(later)
    assert running.poll() is None, f"it ended before it was killed: {said}"
    _kill(machine, running.pid, what)
    running.wait(60)
    running.stdout.close()
    return said


def _kill(machine: Tree, entering: int, what: str) -> None:
    """kill -9. What the installer has started lives on when it alone is killed, as after a lost connection."""
    if what == ALL:
        machine.run("/usr/bin/python3", "-c", "import os; os.kill(-1, 9)")
        return
    for child in Path(f"/proc/{entering}/task/{entering}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
