"""The project as others get it: a wheel that runs outside the checkout, the files a community needs, nothing of one machine."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import fedcollab
from deploy._dev import commands, groups, scratch, tools
from deploy._dev.tools import Tool

ROOT = Path(__file__).parent.parent
COMMUNITY = ("README.md", "FEDERATION.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "constraints.txt")
# Written in pieces, so that this file does not find itself.
HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com")
PLACES = re.compile(r"(?<![\w.~-])(?:/wo" + r"rk/|/ro" + r"ot/|/tmp/ve" + r"nv|/opt/p" + r"ypi)")


def plain(command: list[str | Path], folder: Path) -> str:
    """Output of a command that knows nothing of this checkout."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "FEDCOLLAB_", "COVERAGE"))}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel in it; what the wheel needs is lent by the running one."""
    place = tmp_path_factory.mktemp("wheel")
    plain([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT], place)
    venv.create(place / "venv", symlinks=True, with_pip=True)
    python = place / "venv" / "bin" / "python"
    packages = Path(plain([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], place).strip())
    plain([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", next(place.glob("*.whl"))], place)
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def tracked() -> list[Path]:
    """The files in version control; where there is none, there is nothing to look at."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.slow
def test_the_wheel_runs_from_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert fedcollab.__version__ in plain([installed, "-m", "fedcollab", "--version"], tmp_path)
    where = plain([installed, "-c", "import fedcollab; print(fedcollab.__file__)"], tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent.parent)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["templates", "migrations"])
def test_the_wheel_carries_what_lies_beside_the_package_in_a_checkout(installed: Path, tmp_path: Path, folder: str) -> None:
    code = f"from fedcollab.base.paths import shipped; print(*(p.relative_to(shipped({folder!r})) for p in shipped({folder!r}).rglob('*')))"
    carried = {name for name in plain([installed, "-c", code], tmp_path).split() if not name.endswith(".pyc")}
    ours = {path.relative_to(ROOT / folder).as_posix() for path in tracked() if path.is_relative_to(ROOT / folder)}
    assert ours
    assert ours <= carried


@pytest.mark.slow
def test_the_wheel_carries_styles_and_translations(installed: Path, tmp_path: Path) -> None:
    code = "from fedcollab.base.paths import PACKAGE; print(*(p.relative_to(PACKAGE) for p in PACKAGE.rglob('*')))"
    carried = set(plain([installed, "-c", code], tmp_path).split())
    inside = [path.relative_to(ROOT / "fedcollab") for path in tracked() if path.is_relative_to(ROOT / "fedcollab")]
    assert {path.as_posix() for path in inside if path.parts[0] in {"static", "locales"}} <= carried


@pytest.mark.slow
def test_the_wheel_installs_the_command(installed: Path, tmp_path: Path) -> None:
    assert fedcollab.__version__ in plain([installed.with_name("fedcollab"), "--version"], tmp_path)


@pytest.mark.parametrize("name", COMMUNITY)
def test_what_a_community_needs_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 100


@pytest.mark.parametrize("name", [".ci/run", "deploy/dev", "deploy/install", "deploy/fedcollab-node"])
def test_what_is_run_is_executable(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


def test_the_developers_script_lists_what_it_can_do() -> None:
    shown = plain([sys.executable, ROOT / "deploy" / "dev"], ROOT)
    assert all(f"    {command} " in shown for command in ("demo", "test", "check", "bench", "rules", "faults", "messages", "clean"))


@pytest.mark.parametrize(("ci", "code", "word"), [("", 0, "skipped"), ("true", 1, "FAILED")])
def test_a_program_that_cannot_be_had_is_named_once(
    ci: str, code: int, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    tried: list[str] = []
    tool = Tool("Nothing", "FEDCOLLAB_TEST_NOTHING", lambda: None, lambda: tried.append("install"), "apt install nothing")
    assert groups.run([groups.Group("sample", "slow", (tool,))], chosen=(), full=False) == code
    assert f"sample    {word}: Nothing is missing (apt install nothing)" in capsys.readouterr().out
    assert tried == ["install"]


def test_tests_are_told_where_programs_are_and_keep_bytecode_even_where_the_machine_keeps_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    found, lacking = (Tool(name, f"FEDCOLLAB_TEST_{name}", lambda: None, lambda: None, "") for name in ("FOUND", "LACKING"))
    told = groups._environment({found: "/there", lacking: None})
    assert told["FEDCOLLAB_TEST_FOUND"] == "/there"
    assert {"PYTHONDONTWRITEBYTECODE", "FEDCOLLAB_TEST_LACKING"} & set(told) == set()
    assert told["PATH"] == os.environ["PATH"]


def test_what_tests_write_lies_in_memory_and_is_gone_with_the_run_also_where_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    available = tmp_path / "meminfo"
    available.write_text("MemTotal: 9 kB\nMemAvailable:   9999999 kB\n")
    killed, living, others = (tmp_path / name for name in (f"fc{2**30}-dead", f"fc{os.getpid()}-alive", "fc-else"))
    for place in (killed, living, others):
        place.mkdir()
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(scratch, "AVAILABLE", available)
    monkeypatch.setattr(scratch, "ROOM", 1024)
    with scratch.scratch() as place:
        assert place is not None
        (place / "made").write_text("by a test")
        assert place.is_relative_to(tmp_path)
    assert {killed: killed.exists(), place: place.exists()} == {killed: False, place: False}
    assert living.exists()
    assert others.exists()


@pytest.mark.parametrize("lacking", ["memory", "room", "folder"])
def test_tests_write_to_the_usual_place_where_there_is_little_memory(lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    available = tmp_path / "meminfo"
    available.write_text(f"MemAvailable: {0 if lacking == 'memory' else 9999999} kB\n")
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "none" if lacking == "folder" else tmp_path)
    monkeypatch.setattr(scratch, "AVAILABLE", available)
    monkeypatch.setattr(scratch, "ROOM", 2**60 if lacking == "room" else 1024)
    with scratch.scratch() as place:
        assert place is None


def test_what_a_test_says_stands_under_its_group_and_a_report_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    assert groups._said(report) == []
    entries = '<property name="said" value="15 rules: 14 passed"/><property name="other" value="no"/>'
    report.write_text(f"<testsuites><testsuite><testcase><properties>{entries}</properties></testcase></testsuite></testsuites>")
    assert groups._said(report) == ["15 rules: 14 passed"]


def test_the_peers_are_pinned_by_version_and_installed_anew_when_their_list_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = json.loads(tools.PEERS_LIST.read_text())
    versions = {**listed["dependencies"], **listed["devDependencies"]}
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert versions["node"].startswith(f"{tools.PEERS_NODE}.")
    assert tools.PEERS_PLACE.is_relative_to(commands.ROOT / ".cache")
    assert ".cache" in commands.DROPPED
    monkeypatch.setattr(tools, "PEERS_DONE", tmp_path / "installed.json")
    assert tools.peers() is None
    tools.PEERS_DONE.write_bytes(tools.PEERS_LIST.read_bytes() + b" ")
    assert tools.peers() is None
    tools.PEERS_DONE.write_bytes(tools.PEERS_LIST.read_bytes())
    assert tools.peers() == str(tools.PEERS_PLACE)


def test_a_program_named_beforehand_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDCOLLAB_TEST_NOTHING", "/there")
    assert Tool("Nothing", "FEDCOLLAB_TEST_NOTHING", lambda: None, lambda: None, "").path() == "/there"


def test_the_licence_is_whole() -> None:
    lines = (ROOT / "LICENSE").read_text().splitlines()
    assert len(lines) == 661
    assert lines[0].strip() == "GNU AFFERO GENERAL PUBLIC LICENSE"
    assert "13. Remote Network Interaction; Use with the GNU General Public License." in (ROOT / "LICENSE").read_text()


def test_every_pin_is_a_version_and_nothing_else() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line)] == []


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        if any(host in text for host in HOSTS) or PLACES.search(text):
            found.append(path.relative_to(ROOT).as_posix())
    assert found == []


def test_what_a_group_looks_for_in_one_folder_lies_in_no_other() -> None:
    for group in (*groups.SLOW, *groups.FULL):
        for marker in (set(re.findall(r"\w+", group.marks)) - {"and", "not", "or", "full", "slow"}) if group.folder else ():
            found = {path for path in (ROOT / "tests").rglob("*.py") if f"pytest.mark.{marker}" in path.read_text()} - {Path(__file__)}
            assert all(path.is_relative_to(ROOT / group.folder) for path in found), (group.name, marker)
            assert found or marker not in group.marks
