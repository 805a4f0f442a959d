"""The pages for admins say what the installer has, and nothing that it hasn't: its options, the scripts, commands of one node."""

import argparse
import re
from pathlib import Path

import pytest
import typer

from deploy._node.answers import parser
from fedcollab import cli
from tests.documents import ROOT, commands, first_column, pages, sections, text_of

INSTALL = ROOT / "docs" / "admins" / "install.md"
OURS = [page for page in pages() if not page.is_relative_to(ROOT / "docs" / "plans")]
PAGES = [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in OURS]
NODES = r"^(?:sudo )?fedcollab-node (?:[a-z]+|NAME) ([a-z].*)"


def options(made: argparse.ArgumentParser) -> list[str]:
    return [name for action in made._actions for name in action.option_strings if name not in ("-h", "--help")]


def test_every_option_of_the_installer_is_documented_and_none_invented() -> None:
    assert sorted(first_column(sections(text_of(INSTALL))["Without questions"])) == sorted(options(parser()))


@pytest.mark.parametrize("page", PAGES)
def test_every_script_of_deploy_that_a_page_names_is_there_and_takes_what_stands_behind_it(page: Path) -> None:
    named = {found.rstrip(".,") for found in re.findall(r"(?<![\w/])deploy/[\w@./-]*\w", text_of(page))}
    assert [name for name in named if not (ROOT / name).exists()] == []
    for words in commands(text_of(page), "deploy/install"):
        assert {word for word in words if word.startswith("--")} <= {*options(parser()), "--help"}


def of_one_node(text: str) -> list[str]:
    """What stands behind `fedcollab-node NAME`, in fenced code and in code between words."""
    lines = [line.strip() for line in text.splitlines()] + re.findall(r"`([^`\n]+)`", text)
    return [found[1] for line in lines if (found := re.match(NODES, line))]


def known(words: list[str]) -> bool:
    """Whether the command line has such a command."""
    place: object = typer.main.get_command(cli.app)
    for word in words:
        inside = getattr(place, "commands", None)
        if inside is None:
            return True
        if word not in inside:
            return False
        place = inside[word]
    return True


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_one_node_is_one_of_the_command_lines(page: Path) -> None:
    assert [line for line in of_one_node(text_of(page)) if not known(line.split())] == []


def test_a_command_of_one_node_that_is_not_there_is_found() -> None:
    text = "`fedcollab-node meridian user list` and\n```\nfedcollab-node NAME dance now\nsudo fedcollab-node NAME user shred x\n```\n"
    assert [known(line.split()) for line in of_one_node(text)] == [False, False, True]


def test_the_page_says_how_many_things_are_asked() -> None:
    assert "It asks five things: " in text_of(INSTALL)
