"""Gives the installer's tests a machine: a Debian tree in which one node was installed, once for each Debian."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .trees import Tree, entered

INSTALL = "/srv/fedcollab/deploy/install"
MERIDIAN, HARBOUR = "node.meridian.example.org", "harbour.example.org"
DEBIANS = [
    pytest.param("TRIXIE", marks=[pytest.mark.slow, pytest.mark.trixie], id="trixie"),
    pytest.param("BOOKWORM", marks=[pytest.mark.full, pytest.mark.bookworm], id="bookworm"),
]


def options(name: str, domain: str, admin: str) -> list[str]:
    """An installation that asks nothing, with a certificate of Caddy's own."""
    return ["--name", name, "--domain", domain, "--domain-again", domain, "--admin", admin, "--tls", "internal", "--yes"]


FIRST = options("Meridian Outreach", MERIDIAN, "ilse")
TYPED = f"Meridian Outreach\nhttps://{MERIDIAN}/\n{MERIDIAN}\n{MERIDIAN}\nilse\n\n"  # with a slip, which is said and asked again


@dataclass
class Installed:
    """A machine with the node meridian on it, what the installer said, how long that took, and the kept tree that the machine lies over."""

    tree: Tree
    said: str
    seconds: float
    kept: Path

    def node(self, *command: str, name: str = "meridian", typed: str = "") -> str:
        """A command of a node, as its admin gives it."""
        return self.tree.run("/usr/local/sbin/fedcollab-node", name, *command, typed=typed)

    def json(self, *command: str, name: str = "meridian") -> object:
        return json.loads(self.node(*command, "--json", name=name))


@pytest.fixture(params=DEBIANS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tree]:
    """A Debian on its first day."""
    with entered(Path(os.environ[f"FEDCOLLAB_TEST_{request.param}"]), tmp_path / "machine", [MERIDIAN, HARBOUR]) as tree:
        yield tree


@pytest.fixture(params=DEBIANS, scope="module")
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    kept = Path(os.environ[f"FEDCOLLAB_TEST_{request.param}"])
    with entered(kept, tmp_path_factory.mktemp("machine"), [MERIDIAN, HARBOUR]) as tree:
        began = time.monotonic()
        said = tree.run(INSTALL, "--tls", "internal", typed=TYPED)
        yield Installed(tree, said, time.monotonic() - began, kept)
