"""Shows that what a command says to run next can be run as it stands, on a machine of the installer and elsewhere."""

from pathlib import Path

import pytest

from fedcollab.base import paths
from fedcollab.console import CHOSEN, command


def test_a_command_names_the_node_as_its_admin_has_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHOSEN, "directory", tmp_path / "meridian")
    assert command("user list") == f"fedcollab -C {tmp_path}/meridian user list"
    monkeypatch.setattr(paths, "NODES", tmp_path.resolve())
    monkeypatch.setattr(paths, "COMMAND", tmp_path / "nothing")
    assert command("user list") == f"fedcollab -C {tmp_path}/meridian user list"
    monkeypatch.setattr(paths, "COMMAND", tmp_path)
    assert command("user list") == "fedcollab-node meridian user list"
    monkeypatch.setitem(CHOSEN, "directory", tmp_path / "deep" / "meridian")
    assert command("user list") == f"fedcollab -C {tmp_path}/deep/meridian user list"
