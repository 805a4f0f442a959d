"""Shows that an installation that is killed at any moment is finished by the next run, without asking again."""

import os
import signal
import time
from pathlib import Path

from .conftest import FIRST, INSTALL, MERIDIAN
from .trees import Tree

# The line after whose coming it is killed, and how much later, in seconds.
MOMENTS = [
    ("Packages", 0.0),
    ("Packages", 1.5),
    ("The program", 0.0),
    ("The program", 1.0),
    ("The program", 6.0),
    ("The node", 0.0),
    ("The node", 0.4),
    ("The node", 1.2),
    ("Its service", 0.1),
    ("Caddy", 0.1),
    ("The key", 0.0),
    ("Meridian Outreach is there", 0.0),
]


def test_killed_at_any_moment_the_next_run_finishes_it(machine: Tree) -> None:
    for at, (line, later) in enumerate(MOMENTS):
        said = killed(machine, line, later)
        assert at == 0 or line == MOMENTS[-1][0] or "Going on with Meridian Outreach" in said, (line, said)
    said = machine.run(INSTALL)
    assert f"https://{MERIDIAN}  Meridian Outreach; answers" in said
    assert machine.run("fedcollab-node", "meridian", "user", "list").split()[:2] == ["ilse", "admin"]
    machine.run("fedcollab-node", "meridian", "audit", "verify")
    assert machine.visit(f"https://{MERIDIAN}/login")[0] == 200
    left = machine.run("sh", "-c", "find /opt/fedcollab /var/lib/fedcollab /etc/fedcollab /etc/systemd/system /etc/caddy -name '*.half*'")
    assert left == ""


def killed(machine: Tree, line: str, later: float) -> str:
    """Starts the installer and kills it `later` seconds after that line, or lets it end where the line never comes; what it said."""
    running, said = machine.start(INSTALL, *FIRST), ""
    assert running.stdout is not None
    for said_now in running.stdout:
        said += said_now
        if said_now.startswith(line):
            time.sleep(later)
            _kill(running.pid)
            break
    running.wait(120)
    running.stdout.close()
    return said


def _kill(entering: int) -> None:
    """kill -9 to the installer itself: what it has started lives on, as it would after a lost connection."""
    for child in Path(f"/proc/{entering}/task/{entering}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
