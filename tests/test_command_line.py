"""Shows the command line's contract from within: every command has --help and --json, the words of each option, the exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fedcollab import __version__, cli
from fedcollab.base.errors import Unavailable

CONTRACT = {
    "init", "serve", "user add", "user list", "user disable", "user reset-factor", "login-link", "invite", "partner add", "partner list",
    "partner approve", "partner suspend", "partner remove", "group add", "post", "federation status", "audit verify",
    "token create", "token list", "token revoke", "migrate", "demo",
}  # fmt: skip


def commands(found: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(name, command) of all, those of groups by both names."""
    for name, inner in getattr(found, "commands", {}).items():
        if getattr(inner, "commands", None):
            yield from commands(inner, f"{path}{name} ")
        else:
            yield path + name, inner


ALL = dict(commands(typer.main.get_command(cli.app)))


def test_every_command_of_the_contract_is_there() -> None:
    assert set(ALL) >= CONTRACT


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_command_has_help_in_words_and_an_answer_in_json(name: str) -> None:
    done = CliRunner().invoke(cli.app, [*name.split(), "--help"])
    assert done.exit_code == 0
    assert "--help" in done.output
    assert len(ALL[name].help) > 10
    flags = {option: parameter for parameter in ALL[name].params for option in parameter.opts}
    assert flags["--json"].is_flag
    assert all(parameter.help for option, parameter in flags.items() if option.startswith("-"))


@pytest.mark.parametrize("words", [["nothing"], ["user"], ["user", "add"], ["post", "leads"], ["init"], ["audit", "verify", "--loud"]])
def test_a_wrong_command_exits_with_2_and_says_how_it_goes(words: list[str]) -> None:
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 2
    assert "Usage" in done.output


def test_the_version_is_printed() -> None:
    done = CliRunner().invoke(cli.app, ["--version"])
    assert (done.exit_code, done.output.strip()) == (0, __version__)


def test_an_error_is_one_line_on_standard_error_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.fail(Unavailable(reason="the disk sleeps"))
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (1, "")
    assert err == "fedcollab: The node is busy. Nothing was changed; try again in a moment. (the disk sleeps)\n"


def test_json_is_one_document_with_every_script_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    cli.say(True, {"name": "دار"}, "unused")
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": "دار"}
    assert "دار" in out


def test_a_directory_without_a_node_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["fedcollab", "-C", str(tmp_path), "user", "list"])
    with pytest.raises(SystemExit):
        cli.main()
    assert f"fedcollab init {tmp_path}" in capsys.readouterr().err
