"""The documentation hangs together: links lead somewhere, every page can be reached, the map of the code is the code's."""

import re
from collections.abc import Collection
from pathlib import Path

import pytest

from deploy._dev.commands import _parser

from .documents import CODE, FENCE, ROOT, anchor, commands, dead_links, pages, reached, sections, text_of

PAGES = [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages()]
PLANS = ROOT / "docs" / "plans"  # they come and go with the work: nobody has to find them
EACH = re.compile(r"features/.+/(models|service|views|feature)\.py")
CONTRIBUTING, TESTING = ROOT / "CONTRIBUTING.md", ROOT / "docs" / "developers" / "testing.md"
BESIDE = ("templates", "migrations", "tests")


def map_of(page: str) -> list[str]:
    """The paths in the map: a folder at a line's beginning holds the files named in its lines and in those set further in below it."""
    found: list[str] = []
    inside: list[tuple[int, str]] = []
    for line in FENCE.findall(sections(page)["The map"])[0].splitlines()[1:-1]:
        indent = len(line) - len(line.lstrip())
        folder = re.match(r" *(\w+)/", line)
        inside = [(at, name) for at, name in inside if at < indent]
        if folder:
            inside.append((indent, folder.group(1)))
            found.append("/".join(name for _, name in inside))
        found += ["/".join([*(name for _, name in inside), file]) for file in re.findall(r"\b\w+\.py\b", line)]
    return found


def unmapped(named: Collection[str], package: Path) -> list[str]:
    """The package's folders and files that the map does not name, but for what each feature has."""
    folders = {path.parent.relative_to(package).as_posix() for path in package.rglob("__init__.py")} - {"."}
    files = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if path.name not in ("__init__.py", "__main__.py")}
    return sorted(one for one in (folders | files) - set(named) if not EACH.fullmatch(one))


def developer_commands() -> list[str]:
    """What `deploy/dev` can do."""
    choices = next(action.choices for action in _parser()._actions if action.choices)
    return list(choices)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_anchor_leads_somewhere(page: Path) -> None:
    assert dead_links(page, text_of(page)) == []


def test_every_page_can_be_reached_from_the_readme_by_links() -> None:
    wanted = {page.resolve() for page in pages() if not page.is_relative_to(PLANS)}
    assert wanted - reached(ROOT / "README.md") == set()


def test_a_dead_link_and_a_page_that_nobody_links_to_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# A\n\n[b](b.md#b--c), [x](x.md), [y](b.md#nothing), [out](../../etc), [web](https://example.org)\n`[no](link)`\n"
    )
    (tmp_path / "b.md").write_text("# `b` & c\n\n```\n# not a heading\n[nor](a-link)\n```\n[self](#b--c)\n")
    (tmp_path / "alone.md").write_text("# Alone\n")
    assert dead_links(tmp_path / "a.md", (tmp_path / "a.md").read_text(), tmp_path) == ["x.md", "b.md#nothing", "../../etc"]
    assert dead_links(tmp_path / "b.md", (tmp_path / "b.md").read_text(), tmp_path) == []
    assert {page.name for page in pages(tmp_path)} - {page.name for page in reached(tmp_path / "a.md")} == {"alone.md"}


@pytest.mark.parametrize(
    ("heading", "made"),
    [
        ("fedcollab user add", "fedcollab-user-add"),
        ("4. Web server", "4-web-server"),
        ("`base_url`", "base_url"),
        ("What's in, out?", "whats-in-out"),
    ],
)
def test_an_anchor_is_made_as_code_hosts_make_it(heading: str, made: str) -> None:
    assert anchor(heading) == made


def test_every_file_and_folder_in_the_map_exists() -> None:
    named = [name for name in map_of(text_of(CONTRIBUTING)) if not re.fullmatch(r"features/\w+\.py", name)]
    assert len(named) > 40
    assert [name for name in named if not (ROOT / "fedcollab" / name).exists()] == []


def test_every_folder_and_file_of_the_package_is_in_the_map() -> None:
    assert unmapped(map_of(text_of(CONTRIBUTING)), ROOT / "fedcollab") == []


def lost_steps(walk: str, package: Path) -> list[str]:
    """The functions named in a walk, as `module.function`, that no module of that name has."""
    named = [found.group(1) for code in CODE.findall(walk) if (found := re.match(r"(?:\w+\.)*(\w+\.\w+)(?:\(|$)", code))]
    steps = [name.split(".") for name in named if not name.endswith(".py")]
    return [".".join(step) for step in steps if not _has(package, *step)]


def _has(package: Path, module: str, function: str) -> bool:
    return any(re.search(rf"def {function}\b", path.read_text()) for path in package.rglob(f"{module}.py"))


def test_the_walks_through_the_code_name_functions_that_are_there() -> None:
    walks = sections(text_of(CONTRIBUTING))["Three walks"]
    assert walks.count("→") > 10
    assert lost_steps(walks, ROOT / "fedcollab") == []


def test_a_step_that_is_not_there_is_found() -> None:
    walk = "`federation.inbox.settle` → `inbox.dance` → `outbox.publish(x)` → `nowhere.receive`"
    assert lost_steps(walk, ROOT / "fedcollab") == ["inbox.dance", "nowhere.receive"]


@pytest.mark.parametrize("folder", BESIDE)
def test_what_lies_beside_the_package_is_named_with_the_map(folder: str) -> None:
    assert f"`{folder}/`" in sections(text_of(CONTRIBUTING))["The map"]


def test_a_file_that_the_map_lacks_or_invents_is_found(tmp_path: Path) -> None:
    for name in ("base/__init__.py", "base/clock.py", "features/__init__.py", "features/tea/__init__.py", "cli.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    page = "## The map\n\n```\ncli.py\nbase/   clock.py\n        paths.py\nfeatures/   each with views.py\n  tea/\n```\n"
    named = map_of(page)
    assert named == ["cli.py", "base", "base/clock.py", "base/paths.py", "features", "features/views.py", "features/tea"]
    assert unmapped(named, tmp_path) == []
    assert unmapped([name for name in named if name not in ("features/tea", "cli.py")], tmp_path) == ["cli.py", "features/tea"]
    assert [name for name in named if not (tmp_path / name).exists()] == ["base/paths.py", "features/views.py"]


def test_every_developers_command_is_documented_and_none_invented() -> None:
    told = {words[0] for page in (CONTRIBUTING, TESTING) for words in commands(text_of(page), "deploy/dev") if words}
    assert told == set(developer_commands())


@pytest.mark.parametrize("page", PAGES)
def test_no_page_speaks_of_a_developers_command_that_is_not_there(page: Path) -> None:
    assert {words[0] for words in commands(text_of(page), "deploy/dev") if words} <= set(developer_commands())


def test_a_developers_command_is_found_in_a_sentence_and_in_a_block() -> None:
    text = "Run `deploy/dev dance --slowly` or\n\n```\ndeploy/dev demo     # three\n```\n and `deploy/dev`.\n"
    assert list(commands(text, "deploy/dev")) == [["demo"], ["dance", "--slowly"], []]
