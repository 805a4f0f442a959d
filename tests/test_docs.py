"""The documentation says what the code has, and nothing that it hasn't: settings, the command line, extension terms, tables, columns."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest
import typer

import fedcollab.app  # noqa: F401  # all models
from fedcollab import cli
from fedcollab.base import config, http
from fedcollab.base.model import Model
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import delivery, partners
from fedcollab.sealing.ring_models import RingModel

from .documents import ROOT, commands, first_column, meanings, pages, sections, text_of

SETTINGS, COMMAND_LINE, PARTNERS = (ROOT / "docs" / "admins" / name for name in ("settings.md", "command-line.md", "federation.md"))
TABLES = {**Model.metadata.tables, **RingModel.metadata.tables}
DATABASE = ROOT / "docs" / "developers" / "database.md"
KNOWN = {f.name: f for f in fields(config.Settings)}
FOR_TESTS = re.compile(r"FEDCOLLAB_(TEST_\w+|CRASH_AT)")


def differences(documented: Collection[str], there: Collection[str]) -> list[str]:
    """What is there and not documented, documented and not there, documented twice; nothing, if all is well."""
    wrong = [f"not documented: {name}" for name in there if name not in documented]
    wrong += [f"documented and not there: {name}" for name in documented if name not in there]
    return wrong + [f"twice: {name}" for name in set(documented) if list(documented).count(name) > 1]


def lacking_in_setting(setting: "Field[Any]", words: str) -> list[str]:
    """What a setting's section lacks of its example, its default and its variable, each as one has to write it."""
    example = config.line(setting.name, setting.metadata["example"])
    default = "it has to be written" if setting.default is MISSING else f"`{config.line(setting.name, setting.default)}`"
    wanted = (f"- Example: `{example}`", f"- Default: {default}" if default[0] == "`" else default)
    found = [part for part in wanted if part not in words]
    return found + ([] if f"- Variable: `FEDCOLLAB_{setting.name.upper()}`" in words else ["its variable"])


def leaves(group: Any, path: tuple[str, ...] = ("fedcollab",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


CLI = typer.main.get_command(cli.app)
COMMANDS = dict(leaves(CLI))


def takes(command: Any) -> list[str]:
    """A command's arguments in capitals and its options as they are written."""
    found: list[str] = []
    for parameter in command.params:
        names = [parameter.name.upper()] if parameter.param_type_name == "argument" else [*parameter.opts, *parameter.secondary_opts]
        found += names
    return found


def mistaken(words: list[str], known: Mapping[str, Any]) -> str:
    """What is wrong with a command line in a text: a command that does not exist or an option that it has not; empty if it is well."""
    rest = words[2:] if words[:1] in (["-C"], ["[-C"]) else words
    if not rest or rest[0] in ("COMMAND", "--version", "--help"):
        return ""
    name = next((n for size in (2, 1) if (n := " ".join(["fedcollab", *rest[:size]])) in known), "")
    if not name:
        return f"no such command: {' '.join(rest)}"
    options = {w.partition("=")[0] for w in rest if w.startswith("--")}
    return " ".join(sorted(options - {*takes(known[name]), "--help"}))


def test_every_setting_is_documented_and_none_invented() -> None:
    assert differences(list(sections(text_of(SETTINGS))), KNOWN) == []


@pytest.mark.parametrize("name", KNOWN)
def test_a_settings_section_has_its_example_its_default_and_its_variable(name: str) -> None:
    assert lacking_in_setting(KNOWN[name], sections(text_of(SETTINGS))[name]) == []


def test_no_page_speaks_of_a_variable_that_is_not_read() -> None:
    named = {name for page in pages() for name in re.findall(r"FEDCOLLAB_[A-Z0-9_]*[A-Z]", text_of(page))}
    assert {name for name in named if not FOR_TESTS.fullmatch(name)} == {f"FEDCOLLAB_{name.upper()}" for name in KNOWN}


def test_what_a_setting_lacks_is_found() -> None:
    whole = sections(text_of(SETTINGS))["listen"]
    assert lacking_in_setting(KNOWN["listen"], whole.replace("- Example", "- Sample")) == ['- Example: `listen = "127.0.0.1:8000"`']
    assert lacking_in_setting(KNOWN["listen"], whole.replace("8000", "9000"))
    assert lacking_in_setting(KNOWN["listen"], whole.replace("FEDCOLLAB_LISTEN", "FEDCOLLAB_PORT")) == ["its variable"]
    assert lacking_in_setting(KNOWN["name"], "") != []


def test_differences_are_found_in_both_directions() -> None:
    assert differences(["a", "b"], ["a", "b"]) == []
    assert differences(["a"], ["a", "b"]) == ["not documented: b"]
    assert differences(["a", "b"], ["a"]) == ["documented and not there: b"]
    assert differences(["a", "a"], ["a"]) == ["twice: a"]


def test_every_command_is_documented_and_none_invented() -> None:
    documented = [heading for heading in sections(text_of(COMMAND_LINE)) if heading.startswith("fedcollab")]
    assert differences(documented, COMMANDS) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_everything_that_a_command_takes_is_documented_and_nothing_more(name: str) -> None:
    assert differences(first_column(sections(text_of(COMMAND_LINE))[name]), takes(COMMANDS[name])) == []


def test_what_stands_before_a_command_is_documented() -> None:
    assert differences(first_column(text_of(COMMAND_LINE).partition("\n## ")[0]), [*takes(CLI), "--help"]) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_command_lines_on_pages_can_be_run(page: Path) -> None:
    assert [wrong for words in commands(text_of(page), "fedcollab") if (wrong := mistaken(words, COMMANDS))] == []


def test_a_command_line_that_cannot_be_run_is_found() -> None:
    text = (
        "See `fedcollab user shred ilse`.\n\n```\nsudo -u fedcollab fedcollab migrate --force  # now\ncd x && /opt/fedcollab serve &\n```\n"
    )
    assert [mistaken(words, COMMANDS) for words in commands(text, "fedcollab")] == ["--force", "", "no such command: user shred ilse"]
    assert mistaken(["-C", "DIR", "partner", "add", "URL", "--approve"], COMMANDS) == ""


def test_every_extension_term_is_documented_and_none_invented() -> None:
    page = text_of(ROOT / "FEDERATION.md")
    assert differences(first_column(sections(page)["Extension terms"]), ap.EXTENSIONS) == []
    assert set(re.findall(r"fc:\w+", page)) <= set(ap.EXTENSIONS)


def test_every_extension_term_in_the_code_is_in_the_list_of_them() -> None:
    used = set[str]()
    for path in (ROOT / "fedcollab").rglob("*.py"):
        strings = [n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        used |= {text for text in strings if re.fullmatch(r"fc:\w+", text)}
    assert used == set(ap.EXTENSIONS)


def test_no_name_stands_for_two_extension_terms() -> None:
    module = ast.parse((ROOT / "fedcollab" / "federation" / "activitystreams.py").read_text())
    named = [n.id for n in ast.walk(module) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id.isupper()]
    assert sorted(set(named)) == sorted(named)


def errors_of(source: str) -> set[str]:
    """The causes for which the outgoing client gives up, as an admin reads them."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Unreachable", "NoAnswer") and node.args:
            found.add(ast.unparse(node.args[0]).strip("f'\"").replace("{TOTAL_SECONDS}", str(http.TOTAL_SECONDS)))
    return found


def test_every_last_error_that_is_explained_is_one_that_can_appear() -> None:
    explained = first_column(sections(text_of(PARTNERS))["What the last error means"])
    answers = {name for name in explained if re.fullmatch(r"answered \d{3}", name)}
    assert {int(name[-3:]) for name in answers} <= delivery.JUDGES_PARTNER
    assert set(explained) - answers <= errors_of(Path(http.__file__).read_text())
    assert len(explained) > len(answers) + 5


def test_the_causes_are_read_from_the_code() -> None:
    assert errors_of("raise Unreachable('gone')\nraise Unreachable(f'no answer within {TOTAL_SECONDS} seconds', answer=1)") == {
        "gone",
        "no answer within 15 seconds",
    }


def test_every_state_of_a_partner_is_explained_and_none_invented() -> None:
    rows = [line.split("|") for line in sections(text_of(PARTNERS))["States"].splitlines() if re.match(r"\| \w", line)][1:]
    assert differences([row[2].strip(" `") for row in rows], partners.MOVES) == []


def test_every_table_is_documented_and_none_invented() -> None:
    assert differences(list(sections(text_of(DATABASE))), TABLES) == []


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_is_documented_with_its_meaning_and_none_invented(table: str) -> None:
    section = sections(text_of(DATABASE))[table]
    assert differences(first_column(section), TABLES[table].columns.keys()) == []
    assert [name for name, meaning in meanings(section).items() if len(meaning) < 3] == []


def test_a_missing_and_an_invented_column_are_found() -> None:
    section = sections(text_of(DATABASE))["draft"]
    columns = TABLES["draft"].columns.keys()
    assert differences(first_column(section.replace("| `text` |", "| `words` |")), columns) == [
        "not documented: text",
        "documented and not there: words",
    ]
    assert meanings("| `at` |  |\n") == {"at": ""}
