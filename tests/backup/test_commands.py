"""Shows what the commands about backups say to somebody who types the printed key, or whose disk is too small for what they make."""

import errno
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fedcollab import cli
from fedcollab.backup import restoring
from fedcollab.base.errors import Misconfigured


@pytest.fixture
def kept(tmp_path: Path) -> tuple[list[str], Path, str]:
    """How commands of a node begin, where its one backup lies, and its printed key."""
    node, backups = ["-C", str(tmp_path / "node")], tmp_path / "backups"
    said(["init", str(tmp_path / "node"), "--name", "Kanari", "--base-url", "https://kanari.example.org"])
    key = said([*node, "backup", "key"]).partition("machine:")[2].partition("Without")[0]
    said([*node, "backup", "create", str(backups)])
    return node, backups, " ".join(key.split())


def said(words: list[str], typed: str = "", code: int = 0) -> str:
    done = CliRunner().invoke(cli.app, words, input=typed)
    assert done.exit_code == code, done.output
    return done.output + (done.exception.in_words() if isinstance(done.exception, Misconfigured) else "")


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_printed_key_is_typed_in_one_line_and_enter_ends_it(kept: tuple[list[str], Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    node, backups, key = kept
    asked: list[str] = []
    monkeypatch.setattr("typer.prompt", lambda words, **_: asked.append(words) or key)
    monkeypatch.setattr("fedcollab.cli_backup.sys", Terminal())
    assert "Opened with the printed key" in said([*node, "backup", "verify", str(backups), "--key-file", "-"])
    assert asked == ["The printed key (small letters will do)"]


class Terminal:
    """As `sys`, with somebody who types: what never ends is never read."""

    stderr = sys.stderr

    class stdin:  # noqa: N801  # stands in the place of a module's attribute
        @staticmethod
        def isatty() -> bool:
            return True


@pytest.mark.parametrize(("what", "mend"), [("rehearse", "TMPDIR=/var/tmp"), ("restore", "choose another place")])
def test_a_disk_that_is_too_small_is_said_with_what_to_do(
    kept: tuple[list[str], Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, mend: str
) -> None:
    node, backups, key = kept
    words = {
        "rehearse": [*node, "backup", "verify", str(backups), "--key-file", "-"],
        "restore": ["restore", str(backups), str(tmp_path / "n")],
    }
    monkeypatch.setattr(restoring.making, "fetch", full)
    told = said(words[what], key, code=1)
    assert "There is not enough room in /" in told
    assert mend in told
    monkeypatch.undo()
    said(words[what], key)
