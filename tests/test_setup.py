"""Setting a node up: what `init` refuses, in words that say what to do, and that a refused one leaves nothing in the way."""

import subprocess
import sys
from pathlib import Path

import pytest

from fedcollab.base import config
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles
from fedcollab.setup import init

WRITTEN: dict[str, object] = {"name": "Meridian Outreach", "base_url": "https://node.example.org"}
NOBODY = "postgresql://127.0.0.1:1/none"  # port 1 of loopback: refused at once


def test_a_database_that_does_not_answer_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"can't be opened .*refused") as refused:
        init(tmp_path / "node", WRITTEN | {"database_url": NOBODY})
    assert "\n" not in refused.value.in_words()
    assert list((tmp_path / "node").iterdir()) == []
    assert init(tmp_path / "node", WRITTEN).base_url == WRITTEN["base_url"]


def test_a_database_that_holds_a_node_is_left_as_it_is(tmp_path: Path) -> None:
    init(tmp_path, WRITTEN)
    files = NodeFiles(tmp_path)
    stored = files.database.read_bytes()
    files.settings.unlink()
    files.key.unlink()
    with pytest.raises(Misconfigured, match="holds a node already"):
        init(tmp_path, WRITTEN)
    assert files.database.read_bytes() == stored
    assert not files.settings.exists()
    assert not files.key.exists()


@pytest.mark.slow
def test_a_node_whose_database_is_away_stops_with_one_line_of_words(tmp_path: Path) -> None:
    init(tmp_path, WRITTEN)
    with NodeFiles(tmp_path).settings.open("a") as file:
        file.write(config.line("database_url", NOBODY) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "fedcollab", "-C", tmp_path, "serve"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("fedcollab: The database can't be opened")
    assert done.stderr.count("\n") == 1
