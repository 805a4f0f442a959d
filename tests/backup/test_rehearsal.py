"""Shows that what a look into a backup lays out in clear is gone afterwards, also where it was ended or killed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from fedcollab.backup import restoring

LOOK = """
import sys, time
from fedcollab.backup import restoring
with restoring.temporary() as place:
    (place / "node.db").write_text("in clear")
    print(place, flush=True)
    time.sleep(100)
"""


def looking(folder: Path) -> "tuple[subprocess.Popen[str], Path]":
    made = subprocess.Popen([sys.executable, "-c", LOOK], env=os.environ | {"TMPDIR": str(folder)}, stdout=subprocess.PIPE, text=True)
    assert made.stdout is not None
    return made, Path(made.stdout.readline().strip())


@pytest.mark.rule("OPS-02")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing_in_clear(tmp_path: Path, number: signal.Signals) -> None:
    made, place = looking(tmp_path)
    assert (place / "node.db").exists()
    assert place.stat().st_mode & 0o077 == 0
    made.send_signal(number)
    made.communicate(timeout=60)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.rule("OPS-02")
def test_what_a_killed_one_has_left_goes_with_the_next_and_what_one_at_work_has_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, left = looking(tmp_path)
    killed.kill()
    killed.communicate(timeout=60)
    at_work, needed = looking(tmp_path)
    assert needed.exists()
    assert not left.exists()
    linked = tmp_path / f"{restoring.TEMPORARY}.{killed.pid}.link"
    (tmp_path / "other").mkdir()
    linked.symlink_to(tmp_path / "other")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    began = time.monotonic()
    with restoring.temporary() as place:
        assert place.parent == tmp_path
        assert needed.exists()
    assert (tmp_path / "other").exists()
    at_work.terminate()
    at_work.communicate(timeout=60)
    assert time.monotonic() - began < 60
