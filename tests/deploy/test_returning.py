"""Shows that a node comes onto a machine from its backup and the printed key: again where it was, and for the first time on another."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import INSTALL, MERIDIAN, Installed
from .trees import Tree, entered

pytestmark = pytest.mark.full

PLACE = "/var/backups/fedcollab/meridian"


@dataclass
class Saved:
    """A machine whose node has a backup, and the printed key of it."""

    here: Installed
    paper: str

    def restore(self, tree: Tree, place: str, *more: str, by: str = INSTALL, paper: str = "", code: int = 0) -> str:
        said: str = tree.run(by, "--restore", place, "--tls", "internal", *more, typed=paper or self.paper, code=code)
        return said


@pytest.fixture(scope="module")
def saved(installed: Installed) -> Saved:
    paper = " ".join(re.findall(r"\b[0-9A-Z]{5}\b(?=  |\n)", installed.said))
    installed.node("user", "add", "daan")
    installed.tree.run("systemctl", "start", "fedcollab-backup@meridian")
    installed.node("user", "add", "late")
    return Saved(installed, paper)


@pytest.fixture
def other(tmp_path: Path, saved: Saved) -> Iterator[Tree]:
    """A new machine onto which the directory of backups was copied; a stranger's number owns it there."""
    with entered(saved.here.kept, tmp_path / "other", [MERIDIAN]) as tree:
        packed = subprocess.run(saved.here.tree.words("tar", "-c", "-C", PLACE, "."), stdout=subprocess.PIPE, check=True).stdout
        tree.run("mkdir", "-p", "/mnt/disk/meridian")
        subprocess.run(tree.words("tar", "-x", "-C", "/mnt/disk/meridian"), input=packed, check=True)
        tree.run("chown", "-R", "4321:4321", "/mnt/disk/meridian")
        yield tree


def members(tree: Tree) -> list[str]:
    return [line.split()[0] for line in tree.run("fedcollab-node", "meridian", "user", "list").splitlines()]


def test_the_drill_opens_a_backup_where_there_is_room_and_says_where_there_is_too_little(saved: Saved) -> None:
    drill = ["fedcollab-node", "meridian", "backup", "verify", "--key-file", "-"]
    assert "Opened with the printed key" in saved.here.tree.run(*drill, typed=saved.paper)
    saved.here.tree.run("sh", "-c", "mkdir -p /mnt/small && mount -t tmpfs -o size=100k,mode=1777 small /mnt/small")
    told = saved.here.tree.run("env", "TMPDIR=/mnt/small", *drill, typed=saved.paper, code=1)
    assert told.splitlines()[-1].startswith("fedcollab: There is not enough room in /mnt/small.")


def test_a_node_moves_to_a_new_machine_with_its_backups_and_the_paper_alone(saved: Saved, other: Tree) -> None:
    slipped = "00000" + saved.paper[5:]
    refused = saved.restore(other, "/mnt/disk/meridian", "--yes", paper=slipped, code=1)
    assert "slip in group 1" in refused
    assert "nothing was changed" in refused
    other.run("test", "!", "-e", "/var/lib/fedcollab/meridian")
    said = saved.restore(other, "/mnt/disk/meridian", "--backups", "/mnt/disk/meridian", "--yes")
    assert f"Meridian Outreach is back: https://{MERIDIAN}" in said
    assert members(other) == ["daan", "ilse"]
    assert other.visit(f"https://{MERIDIAN}/login")[0] == 200
    other.run("fedcollab-node", "meridian", "audit", "verify")
    assert other.run("stat", "-c", "%a %U", "/etc/fedcollab/meridian/node.key", "/var/lib/fedcollab/meridian").split() == [
        *("600", "root"),
        *("700", "fedcollab-meridian"),
    ]
    assert other.run("find", "/var/lib/fedcollab/meridian", "-name", "node.key", "-o", "!", "-user", "fedcollab-meridian") == ""
    other.run("systemctl", "is-enabled", "fedcollab@meridian", "fedcollab-backup@meridian.timer")
    other.run("systemctl", "start", "fedcollab-backup@meridian")
    assert len(other.run("fedcollab-node", "meridian", "backup", "list").splitlines()) == 4, "two of the node, two of its key ring"
    again = other.run(INSTALL)
    assert f"https://{MERIDIAN}  Meridian Outreach; answers" in again
    assert "login-link ilse" in again


def test_a_node_whose_database_is_damaged_comes_back_where_it_was_and_what_lay_there_is_kept(saved: Saved) -> None:
    tree = saved.here.tree
    tree.run("systemctl", "stop", "fedcollab@meridian")
    tree.write("/var/lib/fedcollab/meridian/node.db", "no database any more")
    saved.restore(tree, PLACE, "--yes", paper="nonsense", code=1)
    assert "no database any more" in tree.read("/var/lib/fedcollab/meridian/node.db")
    said = saved.restore(tree, PLACE, by="/opt/fedcollab/current/deploy/install")  # with no checkout at hand
    aside = re.findall(r"rm -r (\S+)", said)[0]
    assert "no database any more" in tree.read(f"{aside}/node.db")
    assert members(tree) == ["daan", "ilse"]
    assert tree.visit(f"https://{MERIDIAN}/login")[0] == 200
    assert "Nodes on this machine: meridian\n" in tree.run("fedcollab-node", code=2)
    tree.run("rm", "-r", aside)


def test_a_restore_that_was_killed_is_done_again_and_nothing_that_lay_there_is_lost(saved: Saved) -> None:
    tree = saved.here.tree
    tree.write("/srv/paper", saved.paper, 0o600)
    saved.here.node("user", "add", "kanari")
    for seconds in (1, 2, 3):
        tree.run("sh", "-c", f"timeout -s KILL {seconds} {INSTALL} --restore {PLACE} --tls internal < /srv/paper || true")
    said = saved.restore(tree, PLACE)
    assert members(tree) == ["daan", "ilse"]
    assert tree.visit(f"https://{MERIDIAN}/login")[0] == 200
    asides = re.findall(r"rm -r (\S+)", said)
    assert tree.run("sh", "-c", f"grep -laF kanari {' '.join(aside + '/node.db*' for aside in asides)}") != ""
    assert tree.run("sh", "-c", "ls -A /var/lib/fedcollab | grep -F .back || true") == ""
    tree.run("rm", "-r", *asides)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["/mnt/nowhere"], "/mnt/nowhere is not there. Mount the disk"),
        (["/srv"], "There is no backup in /srv"),
        ([PLACE, "--domain", "node.other.example.org"], f"Say --domain with one of: {MERIDIAN}"),
    ],
    ids=["no directory", "no backup", "another node"],
)
def test_what_cannot_be_restored_is_refused_and_the_node_that_is_there_goes_on(saved: Saved, more: list[str], said: str) -> None:
    tree = saved.here.tree
    before = tree.state("/etc/fedcollab", "/etc/caddy", "/var/lib/fedcollab/meridian/node.toml")
    assert said in saved.restore(tree, *more, code=1)
    assert tree.state("/etc/fedcollab", "/etc/caddy", "/var/lib/fedcollab/meridian/node.toml") == before
    assert tree.visit(f"https://{MERIDIAN}/login")[0] == 200
