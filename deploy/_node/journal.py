"""Decides what an upgrade remembers of itself: from where to where, which nodes, and what it is about to do, written before it does it."""

import json
import os
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .layout import Machine, Node
from .say import Stop, write

CHECK, BACK_UP, INSTALL, STOP, SAVE, MIGRATE, SWITCH, START, LOOK = STEPS = (
    "check",
    "back up",
    "install",
    "stop",
    "save",
    "migrate",
    "switch",
    "start",
    "look",
)
DONE, BACK = "done", "back"
ENDED = (DONE, BACK)
POINTS = (*(f"upgrade.{step}" for step in STEPS), "back.stop", "back.load", "back.switch", "back.start")


@dataclass
class Journal:
    """One upgrade: `step` is what is being done, DONE or BACK at its end; `nodes` run and are brought on, `moved` are those of them whose
    databases change. `going_back` is told of one that is being undone, `returned` when its databases are as they were: the nodes are
    started and write into them from then on, so no copy is put in their place again."""

    old: str
    new: str
    step: str
    nodes: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    going_back: bool = False
    returned: bool = False

    @property
    def ended(self) -> bool:
        return self.step in ENDED

    def reached(self, step: str) -> bool:
        """Whether that step was begun."""
        return self.step in ENDED or STEPS.index(self.step) >= STEPS.index(step)


def _file(machine: Machine) -> Path:
    return machine.upgrade / "state.json"


def under_way(machine: Machine) -> Path:
    """There while an upgrade has not ended: after a power cut the unit fedcollab-recover looks for it."""
    return machine.upgrade / "under-way"


def read(machine: Machine) -> Journal | None:
    """The last upgrade of this machine; None where there was none. Raises Stop where its file is damaged."""
    try:
        return Journal(**json.loads(_file(machine).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise Stop(f"{_file(machine)} is damaged. Move it away; which release runs is what {machine.current} points to.") from None


def keep(machine: Machine, journal: Journal) -> None:
    """Writes it, whole or not at all, and on the disk."""
    machine.upgrade.mkdir(parents=True, exist_ok=True)
    if journal.ended:
        write(_file(machine), json.dumps(asdict(journal)), 0o600)
        under_way(machine).unlink(missing_ok=True)
    else:
        under_way(machine).touch()
        write(_file(machine), json.dumps(asdict(journal)), 0o600)


def copies(machine: Machine, node: Node) -> Path:
    """Where a node's database lies as it was before the upgrade."""
    return machine.upgrade / node.name


def reach(point: str) -> None:
    """Marks where an upgrade is: the tests have it killed there (`FEDCOLLAB_CRASH_AT`)."""
    if os.environ.get("FEDCOLLAB_CRASH_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)
